/** What came of a session, for people and for the dataset's own record. Pure. */
import { defined } from '@scanflow/failure/defined';
import type { Plan, PlannedSeries } from '@scanflow/bids';
import type { NewFile, SeriesConverted } from './convert.ts';
import type { SeriesRead } from './facts.ts';
import type { Provenance } from './provenance.ts';
import type { KeptFile, Outcome, SeriesResult, SessionRequest, Verdict } from './types.ts';

export interface Result {
  readonly plan: Plan;
  readonly reads: ReadonlyMap<string, SeriesRead>;
  readonly converted: readonly SeriesConverted[];
  readonly folder: string;
  readonly versions: { readonly dcm2niix: string; readonly scanflow: string };
  readonly kept: readonly KeptFile[];
  readonly verdict: Verdict | undefined;
}

export function outcomeOf({ state, ...result }: Result & { readonly state: Outcome['state'] }): Outcome {
  const { plan, folder, kept, verdict, versions } = result;
  const series = plan.series.map((one) => seriesResult(one, result));
  const converted = series.filter(({ files }) => files.length > 0);
  const failed = series.filter(({ failure }) => failure !== undefined);
  return {
    state,
    folder,
    plan,
    conflicts: plan.conflicts,
    series,
    kept,
    counts: {
      series: series.length,
      converted: converted.length,
      failed: failed.length,
      left: series.length - converted.length - failed.length,
      files: converted.reduce((sum, { files }) => sum + files.length, 0),
      images: converted.reduce((sum, { images }) => sum + images, 0),
    },
    verdict,
    versions,
  };
}

function seriesResult(series: PlannedSeries, { reads, converted }: Result): SeriesResult {
  const { id, folder, seriesDescription, decision, reason } = series;
  const made = converted.find((one) => one.series.id === id);
  return {
    id,
    folder,
    seriesDescription,
    decision,
    reason,
    files: made?.files.map(({ path }) => path) ?? [],
    images: reads.get(id)?.facts.images ?? 0,
    failure: made?.failure,
    warnings: made?.warnings ?? [],
  };
}

/** By their folders: whoever asks may name them in any order. */
const inOrder = (series: readonly PlannedSeries[]): PlannedSeries[] =>
  series.toSorted((one, other) => (one.folder < other.folder ? -1 : 1));

/** No clock in it: the same session gives the same bytes. */
export function provenanceOf({
  request,
  scans,
  ...result
}: Result & { readonly request: SessionRequest; readonly scans: NewFile }): Provenance {
  const { plan, reads, converted, folder, versions, kept, verdict } = result;
  const { project, subject, session, accessionNumber } = request;
  return {
    project,
    subject,
    session,
    accessionNumber,
    folder,
    versions: { ...versions, ...defined({ validator: verdict?.validator }) },
    series: inOrder(plan.series).map(({ id, folder: from, decision, reason, rule }) => {
      const read = reads.get(id);
      const made = converted.find((one) => one.series.id === id);
      return {
        id,
        folder: from,
        seriesInstanceUid: read?.facts.seriesInstanceUid ?? '',
        decision,
        reason,
        rule,
        failure: made?.failure?.message,
        sopInstanceUids: read?.sopInstanceUids ?? [],
        files: made?.files ?? [],
      };
    }),
    files: [scans],
    kept,
    verdict,
  };
}
