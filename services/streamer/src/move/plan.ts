/** Moves of a stored series to other labels: when they are possible, and what stays on record. */
import type { Labels } from '@scanflow/booking';
import type { Decision } from '../model/decision.ts';
import { STORAGE, type LegState } from '../model/series.ts';

/** A person's order. It is in the ledger before anything happens, until all is done. */
export interface MoveOrder {
  readonly decision: Decision & { readonly kind: 'move' };
  /** The old folder stays. */
  readonly keep: boolean;
  /** Destinations and hooks get the series once more. */
  readonly send: boolean;
  readonly was: Place;
  /** Why storing it had failed; kept over the move. */
  readonly failure?: { readonly code: string; readonly message: string };
  /** Stored anew; only the old place is left to clear. */
  readonly stored?: {
    /** Folder of the session's report before the move. */
    readonly reports?: string;
  };
}

export interface Place {
  readonly path: string;
  readonly labels?: Labels;
}

/** One move, in `series.json`, the ledger, the API and the report of the session. */
export interface Moved {
  readonly at: string;
  readonly by: string;
  readonly reason: string;
  readonly from: Place & { readonly routedBy?: string; readonly accessionNumber?: string };
  readonly to: Place;
  /** The old folder was kept. */
  readonly kept?: true;
  /** Files that stayed in the old folder: foreign ones, or changed ones. */
  readonly left?: readonly string[];
}

export interface Movable {
  readonly due: number | null;
  readonly state: string;
  readonly labels: Labels | undefined;
  readonly path: string | undefined;
  readonly stored: number;
  readonly moving: boolean;
  readonly legs: readonly { readonly target: string; readonly state: LegState }[];
  /** A hook is running for it or its session. */
  readonly hook: string | undefined;
}

/** Why it cannot be moved now, in a sentence; undefined if it can. */
export function moveRefusal(series: Movable, labels: Labels): string | undefined {
  const { due, state, path, stored, moving, legs, hook } = series;
  if (moving) return 'this series is being moved already; scanflow series show tells how far it is';
  if (state === 'quarantined')
    return 'this series is quarantined: it is stored nowhere yet. Release it with the right labels';
  if (due !== null)
    return 'images of this series still arrive; move it once scanflow series show says complete';
  if (legs.some((leg) => leg.target === STORAGE && leg.state === 'pending'))
    return 'this series is being stored; move it once scanflow series show says so';
  if (path === undefined || stored === 0) return 'nothing of this series is stored; retry it, or release it';
  if (sameLabels(series.labels, labels)) return 'this series is stored under these labels already';
  if (hook !== undefined) return `hook:${hook} works on this series now; move it once that has ended`;
  return undefined;
}

const sameLabels = (one: Labels | undefined, other: Labels): boolean =>
  one?.project === other.project && one.subject === other.subject && one.session === other.session;
