/** What the ledger has to know of a series that project storage holds. Pure. */
import type { Labels } from '@scanflow/booking';
import { digestOf, keyOf, attributesOf, differingIn, targetsOf } from '../store/record.ts';
import type { RecordedSeries, SeriesRecord } from '../store/types.ts';
import type { Settings } from '../model/settings.ts';
import type { Warning, Doubt, Attributes } from '../model/series.ts';
import type { Decision, Moved } from '../model/decision.ts';
import type { Millis } from '../ledger/tx.ts';

export interface Around {
  readonly settings: Pick<Settings, 'destinations'>;
  /** Whether Orthanc has it still. */
  readonly inOrthanc: boolean;
  /** Of the copy of everything: whether one is wanted, and where that of this series is. */
  readonly copying: boolean;
  readonly copy: RecoveredSeries['copy'];
  readonly now: number;
}

/** A record that only claims its folder was left by a pull that did not end: storing goes on. */
export function recovered(
  { below, record, missing }: RecordedSeries,
  { settings, inOrthanc, copying, copy, now }: Around,
): RecoveredSeries {
  const begun = record.state !== 'stored';
  return {
    id: record.orthancSeries,
    attributes: attributesOf(record),
    labels: record.labels,
    decision: record.decision,
    doubts: record.doubts,
    moved: record.moved,
    warnings: record.warnings,
    path: below,
    increment: begun ? 0 : Math.max(0, ...record.instances.map(({ increment }) => increment)),
    inOrthanc: record.counts.inOrthanc,
    stored: record.instances.length,
    untagged: record.counts.untagged,
    differing: differingIn(record),
    digest: digestOf(filesOf(record.instances)),
    firstSeen: momentOf(record.provenance?.begun ?? record.updated) ?? now,
    targets: begun ? [] : targetsOf(settings, record),
    copy,
    again: begun || missing > 0 || (inOrthanc && copying && (copy?.images ?? -1) < record.counts.inOrthanc),
    // what is missing in project storage, too, is lost, and has to show
    gone: !inOrthanc && missing === 0 && !begun,
  };
}

/** What Orthanc has of it, should nothing have come since: see digestOfFiles(). */
const filesOf = (instances: SeriesRecord['instances']): string[] => [
  ...new Set(instances.map(({ orthancId }) => orthancId)),
  ...instances.filter(({ version }) => version !== undefined).map(keyOf),
];

/** When its record was written last; of two folders of one series, the later one counts. */
export const writtenAt = (record: SeriesRecord): number => momentOf(record.updated) ?? 0;

function momentOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  try {
    return Temporal.Instant.from(text).epochMilliseconds;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

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
