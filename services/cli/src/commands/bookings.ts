/** `scanflow bookings CALENDAR`: what does this calendar become? */
import {
  flagBookings,
  interpret,
  parseProjects,
  unreadable,
  warn,
  type Outcome,
  type Projects,
  rowOf,
  type OutcomeRow,
} from '@scanflow/booking';
import { readIsolated, type CalendarContent, type Window } from '@scanflow/calendar';
import { recordNotes } from '@scanflow/dicom';
import { createPlanner } from '@scanflow/identity';
import { defined } from '@scanflow/failure/defined';
import { CalendarError, calendarNames, choose, fetchCalendar, type Choice } from '../bookings/calendar.ts';
import { changesText, isHarmless, type Change } from '../bookings/compare.ts';
import { changesOf, openDataFolder } from '../bookings/changes.ts';
import { EXIT, UsageError, type Command, type ExitCode, type Io, readArgs } from '../command.ts';
import { plain, wrapped } from '../terminal.ts';

const help = `Usage: scanflow bookings CALENDAR [--config FILE] [--timezone ZONE] [--scanner NAME]
                         [--from INSTANT] [--to INSTANT] [--json]
       scanflow bookings --changes --config FILE [CALENDAR] [--data FOLDER] [--all] [--json]

Shows what a calendar becomes: bookings, what is skipped, and what is rejected and why. Writes nothing. CALENDAR is an
.ics file, a folder of them, an http, https or webcal address, or the name of a calendar in the configuration.

  --config FILE      the configuration whose patterns and scanners count; without it, the defaults count
  --timezone ZONE    time zone of times that name none; required without a configuration
  --scanner NAME     the scanner that the calendar books
  --from INSTANT     start of the window, such as 2026-11-21T09:00:00Z or 2026-11-21 (default: the worklist's window)
  --to INSTANT       end of the window, exclusive; events that overlap the window are shown
  --changes          compares with the bookings that this or an older version published in the data folder. Per booking: old
                     and new accession number and Study UID, what differs, what appears, what disappears
  --data FOLDER      the data folder (default: from the configuration); nothing is written there
  --all              also shows bookings that do not change
  --json             an array, sorted by start: outcome, code, reason, uid, recurrenceId, start, end, summary, scanner,
                     project, subject, session, accessionNumber, studyInstanceUid; unknown values are left out.
                     With --changes: calendar, change, before, after, differs, code, reason

Example:  scanflow bookings prisma.ics --timezone Europe/Amsterdam --from 2026-11-21 --to 2026-11-28
Before an update:  scanflow bookings --changes --config scanflow.yaml
Exit:     0 the calendar was read, 2 it could not be (the reason is on stderr). With --changes: 0 every published
          booking keeps its numbers and stays, 1 one does not, or a calendar could not be read, 2 not started
`;

const OPTIONS = {
  config: { type: 'string' },
  timezone: { type: 'string' },
  scanner: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
  changes: { type: 'boolean', default: false },
  data: { type: 'string' },
  all: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const;

const PARSE_TIMEOUT_MS = 60_000;

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = readArgs(args, OPTIONS, 1);
  const [calendar] = positionals;
  if (values.changes) return changes(values, calendar, io);
  if (calendar === undefined) throw new UsageError('bookings takes a calendar: scanflow bookings CALENDAR');
  const choice = await choose({ ...values, calendar });
  const window = windowOf(values, choice);
  try {
    const rows = rowsOf(await outcomesOf(choice, window, io), {
      scannerKnown: choice.scannerKnown,
      onlyScanner: 'name' in choice.rules.scanner ? choice.rules.scanner.name : undefined,
    });
    if (values.json) io.out.write(`${JSON.stringify(rows, null, 2)}\n`);
    else {
      const colours = io.out.isTTY;
      io.out.write(tableOf(rows, { zone: choice.zone, colours, columns: io.columns || 100 }));
    }
    return EXIT.done;
  } catch (error) {
    if (!(error instanceof CalendarError)) throw error;
    io.err.write(`scanflow: ${error.message}\n`);
    return EXIT.notStarted;
  }
}

interface ChangesValues {
  readonly config?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly data?: string | undefined;
  readonly all: boolean;
  readonly json: boolean;
}

/** What an update would change of published bookings. */
async function changes(values: ChangesValues, calendar: string | undefined, io: Io): Promise<ExitCode> {
  const { config, data, from, all, json } = values;
  if (config === undefined) throw new UsageError('--changes takes the configuration: --config FILE');
  const found: Change[] = [];
  let unread = false;
  let zone = 'UTC';
  try {
    for (const name of calendar === undefined ? await calendarNames(config) : [calendar]) {
      const choice = await choose({ config, calendar: name });
      const folder = await openDataFolder(data ?? choice.data);
      const window = windowOf(values, choice);
      const now =
        from === undefined ? Temporal.Now.instant() : window.from.add({ milliseconds: choice.window.before });
      const projects = await projectsOf(choice, io);
      const plan = createPlanner(projects === undefined ? choice.rules : { ...choice.rules, projects });
      const one = await changesOf({ choice, folder, window, now, plan }, io);
      if (one.failure !== undefined) io.err.write(`scanflow: ${choice.name}: ${one.failure}\n`);
      unread ||= one.failure !== undefined;
      zone = choice.zone;
      found.push(...one.changes);
    }
  } catch (error) {
    if (!(error instanceof CalendarError)) throw error;
    io.err.write(`scanflow: ${error.message}\n`);
    return EXIT.notStarted;
  }
  io.out.write(json ? `${JSON.stringify(found, null, 2)}\n` : changesText(found, { zone, all }));
  return unread || !isHarmless(found) ? EXIT.failed : EXIT.done;
}

async function outcomesOf(choice: Choice, window: Window, io: Io): Promise<Outcome[]> {
  const { rules, characterSets } = choice;
  const projects = await projectsOf(choice, io);
  const complete = projects === undefined ? rules : { ...rules, projects };
  const { events, problems } = await contentOf(choice, window, io);
  // an event that begins before the window may run or repeat into it
  const inside = problems.filter(({ start }) => start === undefined || isBefore(start, window.to));
  const outcomes = [...events.map((event) => interpret(event, complete)), ...inside.map(unreadable)];
  return flagBookings(outcomes).map((one) =>
    one.outcome === 'booking' && characterSets !== undefined
      ? warn(one, ...recordNotes(one.record, characterSets[one.record.scanner]))
      : one,
  );
}

const isBefore = (start: string, end: Temporal.Instant): boolean =>
  Temporal.Instant.compare(Temporal.Instant.from(start), end) < 0;

async function contentOf(
  { place, zone }: Choice,
  window: Window,
  io: Io,
): Promise<Pick<CalendarContent, 'events' | 'problems'>> {
  const { bytes, charset } = await fetchCalendar(place, io.signal);
  const read = await readIsolated(bytes, { window, zone, charset, timeoutMs: PARSE_TIMEOUT_MS });
  if (!read.ok) throw new CalendarError(`${read.error.message} (${read.error.code})`);
  for (const { code, message } of read.content.notes) io.err.write(`scanflow: ${message} (${code})\n`);
  return read.content;
}

/** As in cal2wl: without the list, every project counts, with a message. */
async function projectsOf({ projects }: Choice, io: Io): Promise<Projects | undefined> {
  if (projects === undefined) return undefined;
  try {
    const { bytes } = await fetchCalendar(projects, io.signal);
    const parsed = parseProjects(Buffer.from(bytes).toString('utf8'));
    if (parsed.ok) return parsed.projects;
    throw new CalendarError(parsed.problem);
  } catch (error) {
    if (!(error instanceof CalendarError)) throw error;
    io.err.write(
      `scanflow: the list of projects cannot be read, so any project is taken: ${error.message}\n`,
    );
    return undefined;
  }
}

function windowOf(
  { from, to }: { from?: string | undefined; to?: string | undefined },
  { zone, window: { before, after } }: Choice,
): Window {
  const now = Temporal.Now.instant();
  const span = { milliseconds: before + after };
  const begin = from === undefined ? undefined : instant('from', from, zone);
  const end = to === undefined ? undefined : instant('to', to, zone);
  const window = {
    from: begin ?? end?.subtract(span) ?? now.subtract({ milliseconds: before }),
    to: end ?? begin?.add(span) ?? now.add({ milliseconds: after }),
  };
  if (Temporal.Instant.compare(window.from, window.to) < 0) return window;
  throw new UsageError('--to must come after --from');
}

/** `2026-11-21T09:00:00Z` with any offset, or a local date or time. */
function instant(name: string, text: string, zone: string): Temporal.Instant {
  try {
    return /(?:Z|[+-]\d\d:?\d\d)(?:\[.*\])?$/i.test(text)
      ? Temporal.Instant.from(text)
      : Temporal.PlainDateTime.from(text).toZonedDateTime(zone).toInstant();
  } catch {
    throw new UsageError(`--${name} takes an instant like 2026-11-21T09:00:00Z, not ${text}`);
  }
}

export const bookings: Command = { help, run };

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
