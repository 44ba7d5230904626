/** What `scanflow send` shows: progress, and the report as table, words, CSV and JSON. */
import { basename, dirname } from 'node:path';
import { defined } from '@scanflow/failure/defined';
import { csvText } from '@scanflow/runtime/csv';
import type { SeriesRow, Tally } from '@scanflow/transfer/send';
import { bar, textTable, timeLeft } from '../terminal.ts';

interface ReportRow {
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

/** Other files of the run: the report, and the journal if the next run can continue. */
interface Written {
  readonly report: string | undefined;
  readonly journal: string | undefined;
}

export function asJson(tally: Tally, seconds: number, { report, journal }: Written): object {
  return {
    sent: tally.sent,
    earlier: tally.earlier,
    warnings: tally.warnings,
    failed: tally.failures.size,
    skipped: tally.skipped,
    untagged: Object.fromEntries(tally.untagged),
    bytes: tally.bytes,
    seconds: Math.round(seconds * 1000) / 1000,
    series: reportRows(tally),
    failures: [...tally.failures.values()].map(({ failure, ...file }) => ({ ...file, ...failure })),
    troubles: Object.fromEntries(tally.troubles),
    ...defined({ report, journal }),
  };
}

/** The report as text. Shows each kind of failure once, with one file as an example. */
export function asText(tally: Tally, seconds: number, { report, journal }: Written): string {
  const lines: string[] = [];
  if (tally.series.length > 0) lines.push(table(reportRows(tally)));
  const messages = Map.groupBy(tally.failures.values(), ({ failure }) => failure.message);
  for (const [message, files] of messages) {
    const more = files.length === 1 ? '' : ` and ${files.length - 1} more`;
    lines.push(`not sent: ${files[0]?.file ?? ''}${more}: ${message}\n`);
  }
  for (const [source, message] of tally.troubles) lines.push(`${source}: ${message}\n`);
  for (const [why, count] of tally.untagged) lines.push(`${count} sent without the tag: ${why}\n`);
  const speed = `${(tally.bytes / 1e6).toFixed(1)} MB in ${seconds.toFixed(1)} s`;
  lines.push(`${[`${tally.sent} images sent (${speed})`, ...countsOf(tally)].join(', ')}\n`);
  if (report !== undefined) lines.push(`report: ${report}\n`);
  if (journal !== undefined && isOpen(tally))
    lines.push(`the same command goes on from here; what was sent is noted in ${journal}\n`);
  return lines.join('');
}

/** Whether a part was sent, and a part was not. */
const isOpen = ({ failures, troubles, sent, earlier }: Tally): boolean =>
  failures.size + troubles.size > 0 && sent + earlier > 0;

const countsOf = ({ earlier, warnings, failures, skipped }: Tally): string[] => [
  ...(earlier > 0 ? [`${earlier} sent earlier (--again sends them anew)`] : []),
  ...(warnings > 0 ? [`${warnings} with a warning`] : []),
  ...(failures.size > 0 ? [`${failures.size} not sent`] : []),
  ...(skipped > 0 ? [`${skipped} skipped: not DICOM`] : []),
];

/** `████░░░░ 1200/3000 files  410/s  78.4 MB/s  4 s left`. `total`: files, if known. */
export function progressText(
  { sent, skipped, failures, bytes }: Pick<Tally, 'sent' | 'skipped' | 'failures' | 'bytes'>,
  total: number | undefined,
  seconds: number,
): string {
  const dealt = sent + skipped + failures.size;
  const rate = sent / Math.max(seconds, 0.001);
  const speed = `${rate.toFixed(0)}/s  ${(bytes / 1e6 / Math.max(seconds, 0.001)).toFixed(1)} MB/s`;
  const failed = failures.size === 0 ? '' : `  ${failures.size} failed`;
  if (total === undefined) return `${sent} images  ${speed}${failed}`;
  return `${bar(dealt, total)} files  ${speed}${timeLeft(dealt, total, seconds)}${failed}`;
}
