/** What people see of each series: the API's rows, and the same as CSV. */
import { STORAGE } from './domain/series.ts';
import type { LegView, SeriesView } from './ports.ts';

export interface SeriesReport {
  readonly id: string;
  readonly seriesInstanceUid: string;
  readonly studyInstanceUid: string;
  readonly accessionNumber: string;
  readonly modality: string;
  readonly seriesNumber: string;
  readonly seriesDescription: string;
  readonly state: string;
  /** Why it is quarantined. */
  readonly reason?: string;
  readonly reasonCode?: string;
  readonly labels?: { readonly project: string; readonly subject: string; readonly session: string };
  readonly firstSeen: string;
  /** When its quiet timer ends. */
  readonly due?: string;
  /** In Orthanc when it was last looked at. */
  readonly instances: number;
  readonly images: { readonly inOrthanc: number; readonly stored: number; readonly untagged: number };
  readonly legs: readonly LegReport[];
}

export interface LegReport {
  readonly target: string;
  readonly state: string;
  readonly attempts: number;
  readonly nextTry?: string;
  readonly failure?: { readonly code: string; readonly message: string };
  readonly done: number;
  readonly total: number;
  /** Of the storage leg: the folder. */
  readonly path?: string;
}

/** What the configuration says that a report needs. */
export interface ReportContext {
  /** storage.root, for absolute paths. */
  readonly root: string;
  readonly destinations: ReadonlySet<string>;
}

export function seriesReport(view: SeriesView, context: ReportContext): SeriesReport {
  const { attributes, reason, labels, due } = view;
  const value = (keyword: string): string => attributes[keyword] ?? '';
  return {
    id: view.id,
    seriesInstanceUid: value('SeriesInstanceUID'),
    studyInstanceUid: value('StudyInstanceUID'),
    accessionNumber: value('AccessionNumber'),
    modality: value('Modality'),
    seriesNumber: value('SeriesNumber'),
    seriesDescription: value('SeriesDescription'),
    state: view.state,
    ...(reason === undefined ? {} : { reason: reason.message, reasonCode: reason.code }),
    ...(labels === undefined ? {} : { labels }),
    firstSeen: iso(view.firstSeen),
    ...(due === null ? {} : { due: iso(due) }),
    instances: view.inOrthanc,
    images: { inOrthanc: view.inOrthanc, stored: view.stored, untagged: view.untagged },
    legs: view.legs.map((leg) => legReport(leg, view.path, context)),
  };
}

function legReport(
  leg: LegView,
  folder: string | undefined,
  { root, destinations }: ReportContext,
): LegReport {
  const { target, state, attempts, nextTry, done, total } = leg;
  const homeless = state === 'pending' && target !== STORAGE && !destinations.has(target);
  const failure = homeless ? NOT_CONFIGURED : leg.failure;
  return {
    target,
    state,
    attempts,
    ...(nextTry === null || state !== 'pending' || homeless ? {} : { nextTry: iso(nextTry) }),
    ...(failure === undefined ? {} : { failure }),
    done,
    total,
    ...(target === STORAGE && folder !== undefined
      ? { path: folder.startsWith('/') ? folder : `${root}/${folder}` }
      : {}),
  };
}

const NOT_CONFIGURED = {
  code: 'DEST_NOT_CONFIGURED',
  message: 'The configuration no longer has this destination. Put it back, and what is pending is sent.',
};

const iso = (millis: number): string => Temporal.Instant.fromEpochMilliseconds(millis).toString();

const COLUMNS = [
  'accession',
  'series_number',
  'modality',
  'state',
  'in_orthanc',
  'stored',
  'untagged',
  'target',
  'leg_state',
  'done',
  'total',
  'failure',
] as const;

/** RFC 4180: one line per series and target. */
export function toCsv(reports: readonly SeriesReport[]): string {
  const lines = reports.flatMap((series) =>
    series.legs.map((leg) => [
      series.accessionNumber,
      series.seriesNumber,
      series.modality,
      series.state,
      series.images.inOrthanc,
      series.images.stored,
      series.images.untagged,
      leg.target,
      leg.state,
      leg.done,
      leg.total,
      leg.failure?.code ?? '',
    ]),
  );
  return [COLUMNS, ...lines].map((line) => `${line.map(field).join(',')}\r\n`).join('');
}

/** Quoted where needed; a leading = + - @ gets an apostrophe, since spreadsheets would take it for a formula. */
function field(value: string | number): string {
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
