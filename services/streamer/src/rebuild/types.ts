/** Rebuilds the ledger from stored series, or updates an older ledger that was put back. */
import type { Warning } from '../completeness/warnings.ts';
import type { Labels } from '@scanflow/booking';
import type { Decision } from '../model/decision.ts';
import type { Doubt } from '../store/place/evidence.ts';
import type { Moved } from '../move/plan.ts';
import type { Attributes } from '../store/place/route.ts';
import type { Millis } from '../ledger/claim.ts';

/** A series as its `series.json` describes it. */
export interface RecoveredSeries {
  readonly id: string;
  readonly attributes: Attributes;
  readonly labels: Labels | undefined;
  readonly decision?: Decision | undefined;
  readonly doubts?: readonly Doubt[] | undefined;
  readonly moved?: readonly Moved[] | undefined;
  readonly warnings?: readonly Warning[] | undefined;
  readonly path: string;
  /** Number of pulls that brought something; none where storing had only begun. */
  readonly increment: number;
  readonly inOrthanc: number;
  readonly stored: number;
  readonly untagged: number;
  readonly differing: number;
  /** Of the instances that the record accounts for. */
  readonly digest: string;
  readonly firstSeen: Millis;
  /** Destinations whose rule lets it go there. */
  readonly targets: readonly string[];
  /** Storing has to look at it once more: an image is missing, or its copy. */
  readonly again: boolean;
  /** Its folder in the copy of everything, with as many images. */
  readonly copy: { readonly path: string; readonly images: number } | undefined;
  /** Orthanc no longer has it. */
  readonly gone: boolean;
}
