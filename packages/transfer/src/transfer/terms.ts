/** Between whom, and with how much patience. */
import type { MoveOutcome } from '@scanflow/dimse';
import type { Source, Target } from './nodes.ts';

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
