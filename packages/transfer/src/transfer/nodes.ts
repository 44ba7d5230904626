/** The two ends of a transfer, whatever speaks to them, and how patient it is. */
import { setTimeout } from 'node:timers/promises';
import type { MoveOutcome } from '@scanflow/dimse';
import type { Holding } from './holding.ts';
import type { Request } from './requests.ts';

export interface Study {
  readonly studyUid: string;
}

/** What is to be moved: a study, or one series of it. */
export interface Part {
  readonly studyUid: string;
  readonly seriesUid?: string;
}

/** Images that the source says it has sent in the move that is under way. */
export type Sent = (images: number) => void;

/** Methods throw FailureError. */
export interface Source {
  readonly name: string;
  /** Whether it is there and accepts us. */
  readonly check: (signal: AbortSignal) => Promise<void>;
  /** Studies that match, each once. */
  readonly studies: (request: Request, signal: AbortSignal) => Promise<readonly Study[]>;
  readonly holding: (studyUid: string, signal: AbortSignal) => Promise<Holding>;
  /** Never throws. */
  readonly move: (part: Part, sent: Sent, signal: AbortSignal) => Promise<MoveOutcome>;
}

/** Methods throw FailureError. */
export interface Target {
  readonly name: string;
  /** Whether it is there, and can be asked what it holds. */
  readonly check: (signal: AbortSignal) => Promise<void>;
  /** `wanted`: a glance is enough; series of which it has too few by its own count are not listed. */
  readonly holding: (studyUid: string, signal: AbortSignal, wanted?: Holding) => Promise<Holding>;
}

export interface Terms {
  readonly source: Source;
  /** Undefined: it cannot be asked, and the source's word is all there is. */
  readonly target: Target | undefined;
  /** How long nothing may arrive after a move, in milliseconds, before it counts as over. */
  readonly waitMs: number;
  /** How often what is missing is asked for again, series by series. */
  readonly again: number;
  readonly signal: AbortSignal;
}

/** To ask again would change nothing. */
export const isFinal = (outcome: MoveOutcome): boolean =>
  outcome.result !== 'complete' && outcome.failure.kind === 'permanent';

const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;

/** Milliseconds to wait before an attempt, by its number from 1: 1, 2, 4 … at most 30 s. */
export const pauseBefore = (attempt: number): number => Math.min(FIRST_MS * 2 ** (attempt - 1), LONGEST_MS);

/** Resolves after that time, or when the person does not want to wait any more. */
export async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal }).catch(() => undefined);
}
