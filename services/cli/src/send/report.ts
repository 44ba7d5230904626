/** The report: what became of each series, as a table, as CSV and as JSON. */
import { basename, dirname } from 'node:path';
import { csvText } from '@scanflow/runtime/csv';
import { textTable } from '../table.ts';
import type { SeriesRow, Tally } from './tally.ts';

export interface ReportRow {
  readonly acquisitionId: string;
  readonly path: string;
  readonly filename: string;
  readonly images: number;
  readonly sent: number;
  readonly status: 'Complete' | 'Incomplete' | 'Failed';
}

/** One row per series. */
export const reportRows = (tally: Tally): ReportRow[] => tally.series.map(rowOf);

function rowOf({ facts, sources, images, sent }: SeriesRow): ReportRow {
  const [first = ''] = sources;
  return {
    acquisitionId: facts?.seriesInstanceUid ?? 'unknown',
    path: dirname(first),
    filename: sources.size === 1 ? basename(first) : `${sources.size} files`,
    images,
    sent,
    status: sent === images ? 'Complete' : sent > 0 ? 'Incomplete' : 'Failed',
  };
}

const COLUMNS = ['Acquisition ID', 'Path', 'Filename', 'Images in Series', 'Images Sent', 'Status'];
const cells = (row: ReportRow): string[] => [
  row.acquisitionId,
  row.path,
  row.filename,
  String(row.images),
  String(row.sent),
  row.status,
];

export const csv = (rows: readonly ReportRow[]): string => csvText([COLUMNS, ...rows.map(cells)]);

export const table = (rows: readonly ReportRow[]): string => textTable([COLUMNS, ...rows.map(cells)], [3, 4]);

/** `dicom-send_report-<session>_<acquisition>_<timestamp>.csv`, of characters that any file system takes. */
export function reportName(series: readonly SeriesRow[], now: Temporal.PlainDateTime): string {
  const facts = series.flatMap((row) => row.facts ?? []);
  const sessions = new Set(facts.map(({ studyId, studyInstanceUid }) => studyId || studyInstanceUid));
  const acquisitions = facts.map(({ seriesNumber, seriesDescription, seriesInstanceUid }) =>
    seriesNumber === undefined ? seriesInstanceUid : `${seriesNumber}-${seriesDescription}`,
  );
  const session = only([...sessions], 'sessions');
  const acquisition = only(acquisitions, 'acquisitions');
  const time = now.toString({ smallestUnit: 'second' }).replaceAll(/[-:]/g, '');
  return `dicom-send_report-${session}_${acquisition}_${time}.csv`;
}

function only(names: readonly string[], what: string): string {
  const [name = ''] = names;
  if (names.length !== 1) return `${names.length}-${what}`;
  const safe = name.replaceAll(/[^A-Za-z0-9.-]+/g, '-').replaceAll(/^[.-]+|[.-]+$/g, '');
  return safe.slice(0, 64) || 'unnamed';
}
