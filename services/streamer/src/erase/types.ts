/** What erasing needs from the ledger. */
import type { Labels } from '@scanflow/booking';
import type { Decision } from '../model/decision.ts';
import type { MoveOrder, Moved } from '../move/plan.ts';
import type { Attributes } from '../store/place/route.ts';
import type { LegView } from '../ledger/rows.ts';

export interface HeldSeries {
  readonly id: string;
  readonly attributes: Attributes;
  readonly labels: Labels | undefined;
  readonly decision?: Decision | undefined;
  readonly moving?: MoveOrder | undefined;
  readonly moved?: readonly Moved[] | undefined;
  readonly path: string | undefined;
  readonly copyPath: string | undefined;
  readonly session: string | undefined;
  readonly legs: readonly LegView[];
  /** Hooks that were told of it. */
  readonly hooks: readonly string[];
}

export interface EraseLedger {
  /** Series behind this id, in the order of their ids: all of them, page by page. */
  readonly held: (after: string, limit: number) => Promise<readonly HeldSeries[]>;
  /**
   * Forgets these series and what was told of them; whoever works on one is refused from here on. Sessions that have other
   * series are reported anew, the others are forgotten. Whether somebody works on one, and may not know yet.
   */
  readonly forget: (series: readonly string[], sessions: readonly string[], now: number) => Promise<boolean>;
  /** Replaces what is on record of moves of this series, and has its session reported anew. */
  readonly rewriteMoves: (series: string, moved: readonly Moved[], now: number) => Promise<void>;
  /** Nothing of what was forgotten stays readable in the database's files, as far as that can be had. */
  readonly scrub: () => Promise<void>;
}
