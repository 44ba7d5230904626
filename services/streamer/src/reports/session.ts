/** A session as people see it: its series with their states, and the same as CSV. */
import { defined, given } from '@scanflow/failure/defined';
import { csvText } from '@scanflow/runtime';
import { destinationOf } from '../commitment/plan.ts';
import { sessionOutcome, type Outcome } from '../sessions/plan.ts';
import { STORAGE, type Reason, iso } from '../model/series.ts';
import type { SessionView } from '../ledger/rows.ts';
import { seriesReport, type ReportContext, type SeriesReport } from './series.ts';
import type { Labels } from '@scanflow/booking';
import { verdictText } from '@scanflow/bids/answer';
import type { BidsReport } from './bids.ts';

export interface SessionReport {
  readonly version: 1;
  readonly id: string;
  readonly accessionNumber: string;
  readonly studyInstanceUids: readonly string[];
  readonly labels?: Labels;
  /** The worst state of its series. */
  readonly outcome: Outcome;
  /** No more images are expected. */
  readonly complete: boolean;
  /** How often it was complete; more than once if images came late. */
  readonly increment: number;
  readonly firstSeen: string;
  readonly updated: string;
  /** Absolute path of its report's folder. */
  readonly folder?: string;
  /** Why it has no report yet. */
  readonly failure?: Reason;
  /** What became of its conversion to BIDS, where it was handed over. */
  readonly bids?: BidsReport;
  readonly series: readonly SeriesReport[];
}

export function sessionReport(view: SessionView, context: ReportContext, bids?: BidsReport): SessionReport {
  const series = inOrder(view.series.map((one) => seriesReport(one, context)));
  const labels = series.find((one) => one.labels !== undefined)?.labels;
  const { folder, failure } = view;
  return {
    version: 1,
    id: view.id,
    accessionNumber: series[0]?.accessionNumber ?? '',
    studyInstanceUids: [...new Set(series.map(({ studyInstanceUid }) => studyInstanceUid))],
    ...defined({ labels }),
    outcome: sessionOutcome(series.map(({ outcome }) => outcome)),
    complete: view.due === null,
    increment: view.increment,
    firstSeen: iso(view.firstSeen),
    updated: iso(view.updated),
    ...defined({
      folder: given(folder, (folder) => (folder.startsWith('/') ? folder : `${context.root}/${folder}`)),
      failure,
      bids,
    }),
    series,
  };
}

/** By their numbers. */
export const inOrder = (series: readonly SeriesReport[]): SeriesReport[] =>
  series.toSorted((a, b) => Number(a.seriesNumber) - Number(b.seriesNumber) || (a.id < b.id ? -1 : 1));

const COLUMNS = [
  'accession',
  'project',
  'subject',
  'session',
  'series_number',
  'description',
  'modality',
  'result',
  'images',
  'stored',
  'expected',
  'differing',
] as const;

const columnOf = (target: string): string => {
  const committed = destinationOf(target);
  return committed === undefined ? `sent_${target}` : `committed_${committed}`;
};

/** One line per series; a column for each destination, with the images that it confirmed, or promised to keep; where sessions are converted, one for the verdict; where a series has a warning, one for the codes. */
export function sessionCsv(reports: readonly SessionReport[]): string {
  const targets = [
    ...new Set(
      reports.flatMap(({ series }) => series.flatMap(({ legs }) => legs.map(({ target }) => target))),
    ),
  ]
    .filter((target) => target !== STORAGE)
    .sort();
  const warned = reports.some(({ series }) => series.some(({ warnings }) => warnings !== undefined));
  const converted = reports.some(({ bids }) => bids !== undefined);
  const lines = reports.flatMap((session) =>
    session.series.map((series) => [
      series.accessionNumber,
      series.labels?.project ?? '',
      series.labels?.subject ?? '',
      series.labels?.session ?? '',
      series.seriesNumber,
      series.seriesDescription,
      series.modality,
      series.outcome,
      series.images.inOrthanc,
      series.images.stored,
      series.expected ?? '',
      series.images.differing,
      ...targets.map((target) => series.legs.find((leg) => leg.target === target)?.done ?? ''),
      ...(converted ? [bidsText(session.bids)] : []),
      ...(warned ? [(series.warnings ?? []).map(({ code }) => code).join(' ')] : []),
    ]),
  );
  const last = [...(converted ? ['bids'] : []), ...(warned ? ['warnings'] : [])];
  return csvText([[...COLUMNS, ...targets.map(columnOf), ...last], ...lines]);
}

/** The conversion to BIDS in a few words: the verdict, `waiting`, or the code of its failure. */
export const bidsText = (bids: BidsReport | undefined): string => {
  if (bids === undefined) return '';
  if (bids.failure !== undefined) return bids.failure.code;
  if (bids.state !== 'done') return 'waiting';
  return bids.result === undefined ? '' : verdictText(bids.result);
};
