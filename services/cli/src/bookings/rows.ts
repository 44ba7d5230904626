/** Outcomes as the array of `--json` and as the table for a person. */
import { plain, wrapped } from '../terminal.ts';
import { rowOf, type Outcome, type OutcomeRow } from '@scanflow/booking';
import { defined } from '@scanflow/booking/defined';

interface RowOptions {
  /** False if nobody named a scanner. */
  readonly scannerKnown: boolean;
  /** The only scanner of the calendar; undefined if the event decides. */
  readonly onlyScanner: string | undefined;
}

/** Sorted by start; events without a known start come last. */
export function rowsOf(outcomes: readonly Outcome[], options: RowOptions): OutcomeRow[] {
  const rows = outcomes.map((one) => shown(one, options));
  return rows.sort((a, b) => compare(a.start ?? '~', b.start ?? '~') || compare(a.uid ?? '', b.uid ?? ''));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function shown(one: Outcome, { scannerKnown, onlyScanner }: RowOptions): OutcomeRow {
  const { summary = '', scanner = onlyScanner, ...row } = rowOf(one);
  return {
    ...row,
    // an event without a title reads as one with an empty title
    ...(summary === '' ? {} : { summary }),
    ...defined({ scanner: scannerKnown ? scanner : undefined }),
  };
}

interface TableOptions {
  readonly zone: string;
  readonly colours: boolean;
  readonly columns: number;
}

const COLOURS = { booking: 32, skipped: 90, rejected: 31, warning: 33 } as const;
const SIGNS = { booking: '✓', skipped: '–', rejected: '✗', warning: '!' } as const;

/** A line for each event, by day, and below it the reason if there is something to do or to know. */
export function tableOf(rows: readonly OutcomeRow[], options: TableOptions): string {
  const lines: string[] = [];
  let day = '';
  for (const row of rows) {
    const of = dayOf(row, options.zone);
    if (of !== day) lines.push(...(lines.length === 0 ? [] : ['']), of);
    day = of;
    lines.push(...entryOf(row, options));
  }
  return [...lines, '', countOf(rows), ''].join('\n');
}

function entryOf(row: OutcomeRow, { zone, colours, columns }: TableOptions): string[] {
  const kind = row.outcome === 'booking' && row.code !== 'BOOKING' ? 'warning' : row.outcome;
  const paint = (text: string): string => (colours ? `\u001b[${COLOURS[kind]}m${text}\u001b[0m` : text);
  const what =
    row.outcome === 'booking'
      ? [row.project, row.subject, row.session, row.accessionNumber]
          .map((text) => plain(text ?? ''))
          .join('  ')
      : `${plain(row.summary ?? '')}  ${row.code}`;
  const parts = [`${SIGNS[kind]} ${timesOf(row, zone)}`, plain(row.scanner ?? ''), what];
  const head = `  ${parts.filter((part) => part !== '').join('  ')}`;
  return [
    paint(head),
    ...(row.code === 'BOOKING' ? [] : wrapped(plain(row.reason), columns - 6).map((line) => `      ${line}`)),
  ];
}

function dayOf({ start }: OutcomeRow, zone: string): string {
  if (start === undefined) return 'No time';
  const day = Temporal.Instant.from(start).toZonedDateTimeISO(zone);
  return day.toLocaleString('en-GB', { weekday: 'short', day: '2-digit', month: 'short', year: 'numeric' });
}

function timesOf({ start, end }: OutcomeRow, zone: string): string {
  const time = (instant: string | undefined): string =>
    instant === undefined
      ? '     '
      : Temporal.Instant.from(instant)
          .toZonedDateTimeISO(zone)
          .toPlainTime()
          .toString({ smallestUnit: 'minute' });
  return `${time(start)}–${time(end)}`;
}

function countOf(rows: readonly OutcomeRow[]): string {
  const count = (kind: OutcomeRow['outcome']): number =>
    rows.filter(({ outcome }) => outcome === kind).length;
  const bookings = count('booking');
  return `${bookings} ${bookings === 1 ? 'booking' : 'bookings'}, ${count('skipped')} skipped, ${count('rejected')} rejected`;
}
