/** A series that may be erased, as the ledger shows it. */
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
