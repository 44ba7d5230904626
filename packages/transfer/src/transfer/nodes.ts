/** The two ends of a transfer, whatever speaks to them. */
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
