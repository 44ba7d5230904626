/** A session as people see it, with its series and what became of its conversion to BIDS; and the report beside its images. */
import { readAnswer, type BidsResult, verdictText } from '@scanflow/bids/answer';
import { BIDS } from '@scanflow/config';
import { defined, given } from '@scanflow/failure/defined';
import { csvText, type Log } from '@scanflow/runtime';
import type { Labels } from '@scanflow/booking';
import { messageOf } from '@scanflow/failure';
import { iso, type LegState, type Reason, STORAGE } from '../model/series.ts';
import type { DeliveryView, SessionView } from '../ledger/rows.ts';
import { destinationOf } from '../commitment/plan.ts';
import { sessionOutcome, type Outcome, commonParent, reportName } from '../sessions/plan.ts';
import { seriesReport, type ReportContext, type SeriesReport } from './series.ts';
import { deliveriesOf } from '../ledger/deliveries.ts';
import { findSession } from '../ledger/views.ts';
import type { Ledger } from '../ledger/tx.ts';
import type { Store } from '../store/types.ts';

/** What became of a session's conversion, for `/api/sessions`, its CSV, the command and the board. */
export interface BidsReport {
  readonly state: LegState;
  readonly increment: number;
  readonly updated: string;
  readonly attempts: number;
  readonly nextTry?: string;
  readonly failure?: Reason;
  readonly result?: BidsResult;
}

/** From the deliveries of a session, its latest first. Undefined where it was never handed over. Pure. */
export function bidsReport(deliveries: readonly DeliveryView[] | undefined): BidsReport | undefined {
  const last = deliveries?.find(({ hook }) => hook === BIDS);
  if (last === undefined) return undefined;
  const { state, increment, updated, attempts, nextTry, failure, output } = last;
  const answer = readAnswer(output);
  return {
    state,
    increment,
    updated: iso(updated),
    attempts,
    ...defined({
      nextTry: nextTry === null || state !== 'pending' ? undefined : iso(nextTry),
      failure,
      result: answer?.result,
    }),
  };
}

/** The sessions' reports of conversion, by id. */
export const bidsReports = (
  views: readonly Pick<SessionView, 'id'>[],
  told: ReadonlyMap<string, readonly DeliveryView[]>,
): ReadonlyMap<string, BidsReport> =>
  new Map(
    views.flatMap(({ id }) => {
      const report = bidsReport(told.get(id));
      return report === undefined ? [] : [[id, report] as const];
    }),
  );

// A session as people see it: its series with their states, and the same as CSV.

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
const bidsText = (bids: BidsReport | undefined): string => {
  if (bids === undefined) return '';
  if (bids.failure !== undefined) return bids.failure.code;
  if (bids.state !== 'done') return 'waiting';
  return bids.result === undefined ? '' : verdictText(bids.result);
};

// The report of a session that lies beside its images, as JSON and CSV; and the verdict on its conversion, which comes later.

interface Places {
  readonly ledger: Ledger;
  readonly store: Pick<Store, 'writeReport'>;
  readonly context: ReportContext;
  readonly log: Log;
}

/** Writes both, each whole or not at all. Gives their folder; without stored series there is none. */
export async function writeReports(
  session: SessionView,
  bids: BidsReport | undefined,
  { store, context }: Pick<Places, 'store' | 'context'>,
): Promise<string | undefined> {
  const folders = session.series.flatMap(({ path }) => (path === undefined ? [] : [path]));
  if (folders.length === 0) return undefined;
  const below = session.folder ?? commonParent(folders);
  const report = sessionReport(session, context, bids);
  const name = reportName(session.id, report.accessionNumber);
  const shown = { ...report, folder: undefined };
  await store.writeReport(below, `${name}.json`, `${JSON.stringify(shown, null, 1)}\n`);
  return store.writeReport(below, `${name}.csv`, sessionCsv([report]));
}

/** What became of the conversion of a session, as the ledger knows it. */
export const bidsKnown = async (
  id: string,
  { ledger }: Pick<Places, 'ledger'>,
): Promise<BidsReport | undefined> => bidsReport((await ledger.read(deliveriesOf, [id])).get(id));

/**
 * Writes the verdict into the report of a complete session; a session that changes now gets it with its next report. False: it is
 * not written. Never rejects: the verdict stands in the ledger, too.
 * @param bids as the ledger will know it; undefined: as it knows it now
 */
export async function writeVerdict(
  id: string,
  bids: BidsReport | undefined,
  places: Places,
): Promise<boolean> {
  const { ledger, log } = places;
  try {
    const view = await ledger.read(findSession, id);
    const known = bids ?? (await bidsKnown(id, places));
    if (view === undefined || view.due !== null || known === undefined) return false;
    await writeReports(view, known, places);
    return true;
  } catch (error) {
    log.warn('the report beside the images has no verdict', { sessionId: id, reason: messageOf(error) });
    return false;
  }
}
