/**
 * The life of a series. Its state is never set, only derived: from its quiet timer, its quarantine, and its legs.
 * Which steps there are: transitions.ts, and docs/states.md, which is drawn from it.
 */

export const STORAGE = 'storage';
/** The copy of everything, where the configuration has one. */
export const COPY = 'copy';

export type SeriesState = 'collecting' | 'working' | 'complete' | 'failed' | 'quarantined';
export const SERIES_STATES: readonly SeriesState[] = [
  'collecting',
  'working',
  'complete',
  'failed',
  'quarantined',
];

export type LegState = 'pending' | 'done' | 'failed';

export interface SeriesFacts {
  /** When its quiet timer ends; null where nothing arrived since the last pull. */
  readonly due: number | null;
  readonly quarantined: boolean;
  readonly legs: readonly LegState[];
  /** Stored files are missing or changed, and nobody has acknowledged it. */
  readonly damaged?: boolean;
}

/** What a series is, from what the ledger holds of it. */
export function stateOf({ due, quarantined, legs, damaged = false }: SeriesFacts): SeriesState {
  if (due !== null) return 'collecting';
  if (quarantined) return 'quarantined';
  if (legs.includes('pending') || legs.length === 0) return 'working';
  return damaged || legs.includes('failed') ? 'failed' : 'complete';
}

export interface Reason {
  readonly code: string;
  readonly message: string;
}
