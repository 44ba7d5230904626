/** The two ends of a transfer, whatever speaks to them: what they hold, what of it is lacking, and how patient the transfer is. */
import { setTimeout } from 'node:timers/promises';
import type { MoveOutcome } from '@scanflow/dimse';
import type { Request } from './requests.ts';

export interface Study {
  readonly studyUid: string;
}

/** A study, or one series of it. */
export interface Part {
  readonly studyUid: string;
  readonly seriesUid?: string;
}

/** Gets how many images the source says it has sent in this move. */
type Sent = (images: number) => void;

/** The archive. Its methods throw FailureError. */
export interface Source {
  readonly name: string;
  /** Resolves if it answers and accepts us. */
  readonly check: (signal: AbortSignal) => Promise<void>;
  /** Matching studies, each once. */
  readonly studies: (request: Request, signal: AbortSignal) => Promise<readonly Study[]>;
  readonly holding: (studyUid: string, signal: AbortSignal) => Promise<Holding>;
  /** Never rejects. */
  readonly move: (part: Part, sent: Sent, signal: AbortSignal) => Promise<MoveOutcome>;
}

/** The node that gets the images. Its methods throw FailureError. */
export interface Target {
  readonly name: string;
  /** Resolves if it answers, and can be queried. */
  readonly check: (signal: AbortSignal) => Promise<void>;
  /** With `wanted` it does not list the images of a series whose count is too low: that is enough for a glance. */
  readonly holding: (studyUid: string, signal: AbortSignal, wanted?: Holding) => Promise<Holding>;
}

export interface Terms {
  readonly source: Source;
  /** Undefined: it cannot be queried, so the source's word counts. */
  readonly target: Target | undefined;
  /** A move is over when nothing arrives for so long, in milliseconds. */
  readonly waitMs: number;
  /** How often missing images are requested again, series by series. */
  readonly again: number;
  readonly signal: AbortSignal;
}

/** Whether a repeat would change nothing. */
export const isFinal = (outcome: MoveOutcome): boolean =>
  outcome.result !== 'complete' && outcome.failure.kind === 'permanent';

const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;

/** Milliseconds to wait before an attempt, by its number from 1: 1, 2, 4 … at most 30 s. */
export const pauseBefore = (attempt: number): number => Math.min(FIRST_MS * 2 ** (attempt - 1), LONGEST_MS);

/** Resolves after `ms` milliseconds, or when the signal aborts. */
export async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal }).catch(() => undefined);
}

export interface SeriesHolding {
  readonly count: number;
  /** SOP Instance UIDs. Undefined if the node does not list them, or not all. */
  readonly uids?: ReadonlySet<string>;
}

/** By Series Instance UID. */
export type Holding = ReadonlyMap<string, SeriesHolding>;

/** The number of images. */
export const imagesIn = (holding: Holding): number =>
  [...holding.values()].reduce((sum, { count }) => sum + count, 0);

/** What of `wanted` is not in `has`: by UIDs if both sides list them, otherwise by the counts of each series. */
export function lacking(wanted: Holding, has: Holding): Holding {
  const missing = new Map<string, SeriesHolding>();
  for (const [series, { count, uids }] of wanted) {
    const there = has.get(series);
    if (uids !== undefined && (there === undefined || there.uids !== undefined)) {
      const absent = uids.difference(there?.uids ?? new Set());
      if (absent.size > 0) missing.set(series, { count: absent.size, uids: absent });
    } else if (count > (there?.count ?? 0)) missing.set(series, { count: count - (there?.count ?? 0) });
  }
  return missing;
}

/** Whether `lacking` compares UIDs, not only counts. */
export const comparedByUid = (wanted: Holding, has: Holding): boolean =>
  [...wanted].every(
    ([series, { uids }]) => uids !== undefined && (has.get(series)?.uids !== undefined || !has.has(series)),
  );
