/** The report: a row for each study of each request, as a table, as CSV and as JSON. */
import { defined } from '@scanflow/failure/defined';
import { bar, textTable, timeLeft } from '../terminal.ts';
import { csvText } from '@scanflow/runtime';
import { nameOf, type Progressed, type Request, type Result, type Row } from '@scanflow/transfer/transfer';

const COLUMNS = [
  ...['Line', 'Requested', 'Study Instance UID', 'Found', 'Already There', 'Transferred', 'Missing'],
  ...['Failed', 'Status', 'Checked By', 'Reason'],
];
const NUMBERS = [0, 3, 4, 5, 6, 7];
/** Most rows on a terminal. */
const MOST_ROWS = 50;

const cells = (request: Request, row: Row): string[] => [
  String(request.line),
  nameOf(request),
  row.studyUid,
  ...[row.found, row.there, row.transferred, row.missing, row.failed].map(String),
  row.status,
  row.checkedBy ?? '',
  reasonOf(row),
];

const reasonOf = ({ code, reason = '' }: Row): string => (code === undefined ? reason : `${code}: ${reason}`);

const linesOf = (results: readonly Result[]): string[][] =>
  results.flatMap(({ request, rows }) => rows.map((row) => cells(request, row)));

export const csv = (results: readonly Result[]): string => csvText([COLUMNS, ...linesOf(results)]);

export const reportName = (now: Temporal.PlainDateTime): string =>
  `transfer_report-${now.toString({ smallestUnit: 'second' }).replaceAll(/[-:]/g, '')}.csv`;

interface Totals {
  readonly requests: number;
  /** Requests with every study complete, or complete by the word of the source. */
  readonly complete: number;
  readonly earlier: number;
  readonly found: number;
  readonly there: number;
  readonly transferred: number;
  readonly missing: number;
}

const isGood = ({ status }: Row): boolean => status === 'Complete' || status === 'Unverified';

function totalsOf(results: readonly Result[]): Totals {
  const rows = results.flatMap((result) => result.rows);
  const sum = (key: 'found' | 'there' | 'transferred' | 'missing'): number =>
    rows.reduce((all, row) => all + row[key], 0);
  return {
    requests: results.length,
    complete: results.filter((result) => result.rows.every(isGood)).length,
    earlier: results.filter(({ earlier }) => earlier).length,
    found: sum('found'),
    there: sum('there'),
    transferred: sum('transferred'),
    missing: sum('missing'),
  };
}

interface Written {
  readonly report?: string | undefined;
  readonly journal?: string | undefined;
}

export function asJson(results: readonly Result[], seconds: number, written: Written): object {
  return {
    ...totalsOf(results),
    seconds: Math.round(seconds * 1000) / 1000,
    rows: results.flatMap(({ request, rows, earlier }) =>
      rows.map((row) => ({ line: request.line, requested: nameOf(request), ...row, earlier })),
    ),
    ...defined({ report: written.report, journal: written.journal }),
  };
}

/** The report as text: all rows if there are few, otherwise only those with a problem. */
export function asText(results: readonly Result[], seconds: number, written: Written): string {
  const rows = results.flatMap(({ request, rows: all }) => all.map((row) => ({ request, row })));
  const shown = rows.length <= MOST_ROWS ? rows : rows.filter(({ row }) => !isGood(row)).slice(0, MOST_ROWS);
  // reasons are sentences, so they are below the table
  const width = COLUMNS.length - 1;
  const lines = shown.map(({ request, row }) => cells(request, row).slice(0, width));
  const reasons = Map.groupBy(
    shown.filter(({ row }) => !isGood(row)),
    ({ row }) => reasonOf(row),
  );
  const { requests, complete, earlier, transferred, there, missing } = totalsOf(results);
  const unverified = rows.some(({ row }) => row.status === 'Unverified');
  return [
    ...(lines.length === 0 ? [] : [textTable([COLUMNS.slice(0, width), ...lines], NUMBERS)]),
    ...[...reasons].map(
      ([reason, of]) => `line ${of.map(({ request }) => request.line).join(', ')}: ${reason}\n`,
    ),
    `${complete} of ${requests} complete${earlier > 0 ? ` (${earlier} by an earlier run)` : ''}: `,
    `${transferred} images transferred, ${there} were there, ${missing} missing (${seconds.toFixed(1)} s)\n`,
    ...(unverified ? ['Unverified: only the source says so; the target was not queried\n'] : []),
    ...(written.report === undefined ? [] : [`report: ${written.report}\n`]),
    ...(written.journal === undefined || complete === requests
      ? []
      : [`The same command again does what is left (journal: ${written.journal})\n`]),
  ].join('');
}

/** `████░░░░ 12/300  4021 images  85/s  3 min 20 s left  1 failed`. */
export function progressText({ done, total, failed, images }: Progressed, seconds: number): string {
  const rate = (images / Math.max(seconds, 0.001)).toFixed(0);
  const bad = failed === 0 ? '' : `  ${failed} failed`;
  return `${bar(done, total)}  ${images} images  ${rate}/s${timeLeft(done, total, seconds)}${bad}`;
}
