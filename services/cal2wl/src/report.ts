/** The report of a pass, for the API, the metrics, the health page and the log. */
import { flagBookings, rowOf, type Outcome, type OutcomeRow } from '@scanflow/booking';
import { defined } from '@scanflow/failure/defined';
import type { Failure } from '@scanflow/failure';
import type { FeedNote, Window } from '@scanflow/calendar';
import type { Config } from '@scanflow/config';
import type { CalendarView, Past, Plan } from '@scanflow/identity';
import type { Log } from '@scanflow/runtime';
import type { Action } from './domain/reconcile.ts';
import type { FetchReport, Reading } from './reader.ts';

export interface CalendarReport {
  readonly calendar: string;
  /** The scanner that the calendar books, or all of them. */
  readonly scanner: string;
  /** `stale`: no answer, the last good state counts. `unknown`: never read, and published bookings stay. */
  readonly state: 'good' | 'stale' | 'unknown';
  /** A request runs without an answer so far. */
  readonly waiting: boolean;
  readonly lastGood: Temporal.Instant | undefined;
  readonly failure: Failure | undefined;
  /** Oddities of a calendar that was read. */
  readonly notes: readonly FeedNote[];
  /** The earliest next request that its server allows (Retry-After). */
  readonly notBefore: Temporal.Instant | undefined;
  /** Its server's clock minus ours, in milliseconds; undefined if the answer has no time. */
  readonly clockSkewMs: number | undefined;
  /** The answer of this pass, if one came. */
  readonly fetch: FetchReport | undefined;
  /** Whether a person accepted, for this pass, the removals that the shrink guard held back. */
  readonly accepted: boolean;
  readonly outcomes: readonly Outcome[];
  /** Why the list of projects is unreadable, if it is. */
  readonly projects: Failure | undefined;
  /** The number of actions of each kind. */
  readonly actions: Readonly<Partial<Record<Action['kind'], number>>>;
  /** Removals that wait for a second answer of the calendar. */
  readonly held: number;
  /** Why a booking could not be written. */
  readonly unwritten: Failure | undefined;
}

export interface PassReport {
  readonly at: Temporal.Instant;
  readonly ms: number;
  readonly window: Window;
  readonly calendars: readonly CalendarReport[];
  /** Items on the worklist after the pass. */
  readonly items: number;
  /** Why a booking of any calendar could not be written. */
  readonly unwritten: Failure | undefined;
}

export function countActions(actions: readonly Action[]): Partial<Record<Action['kind'], number>> {
  const counts: Partial<Record<Action['kind'], number>> = {};
  for (const { kind } of actions) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

type ReadingReport = Pick<
  CalendarReport,
  'state' | 'waiting' | 'lastGood' | 'failure' | 'notes' | 'notBefore' | 'clockSkewMs' | 'fetch' | 'accepted'
>;

/** The report of a calendar before its first reading. */
export function emptyReport(
  calendar: string,
  scanner: Config['calendars'][string]['scanner'] = '',
): CalendarReport {
  return {
    calendar,
    scanner: typeof scanner === 'string' ? scanner : [...new Set(Object.values(scanner.map))].join(', '),
    state: 'unknown',
    waiting: false,
    lastGood: undefined,
    failure: undefined,
    notes: [],
    notBefore: undefined,
    clockSkewMs: undefined,
    fetch: undefined,
    accepted: false,
    outcomes: [],
    projects: undefined,
    actions: {},
    held: 0,
    unwritten: undefined,
  };
}

/** The part of the report that comes from a reading. */
export function readingReport(reading: Reading): ReadingReport {
  const { answered, waiting, content, lastGood, failure, notBefore, clockSkewMs, fetch, accepted } = reading;
  const isGood = answered || (waiting && content !== undefined && failure === undefined);
  const state = isGood ? 'good' : content === undefined ? 'unknown' : 'stale';
  const { notes = [] } = content ?? {};
  return { state, waiting, lastGood, failure, notes, notBefore, clockSkewMs, fetch, accepted };
}

/** Whether its booking waits for a running exam. */
export const isWaiting = (
  one: Outcome,
  waiting: ReadonlySet<string>,
): one is Extract<Outcome, { outcome: 'booking' }> =>
  one.outcome === 'booking' && waiting.has(one.record.accessionNumber);

/** Adds the warnings that only show across all calendars. */
export function flagged(reports: readonly CalendarReport[], past: Past): CalendarReport[] {
  const all = flagBookings(
    reports.flatMap(({ outcomes }) => outcomes),
    past,
  );
  let next = 0;
  return reports.map((report) => {
    const begin = next;
    next += report.outcomes.length;
    return { ...report, outcomes: all.slice(begin, next) };
  });
}

/** The calendar as reconciling sees it. */
export const viewOf = (calendar: string, reading: Reading, plan: Plan): CalendarView => ({
  calendar,
  answered: reading.answered,
  present: plan.present,
  outside: reading.content?.outside ?? new Set(),
  unreadable: plan.unreadable,
  unknown: reading.content === undefined,
  suspicion: reading.suspicion,
  accepted: reading.accepted,
});

/** An outcome of a calendar on the pages. */
export interface OutcomeView extends OutcomeRow {
  readonly calendar: string;
  /** All warnings of a booking. `code` names the first, `reason` describes all. */
  readonly warnings?: readonly string[];
  /** Mail addresses of who booked, for the day board alone: it shows members what they booked. */
  readonly bookers?: readonly string[];
}

export function outcomeView(one: Outcome, calendar: string): OutcomeView {
  const warnings = one.outcome === 'booking' ? one.warnings.map(({ code }) => code) : [];
  return {
    ...rowOf(one),
    calendar,
    ...(warnings.length === 0 ? {} : { warnings }),
    ...defined({ bookers: one.bookers }),
  };
}

export const count = (outcomes: readonly Outcome[], kind: Outcome['outcome']): number =>
  outcomes.filter(({ outcome }) => outcome === kind).length;

/** Logs what changed from pass to pass, without titles and labels. Call the result after each pass. */
export function createPassLog(log: Log): (report: PassReport) => void {
  const told = new Map<string, string>();
  return (report) => {
    for (const one of report.calendars) {
      const news = JSON.stringify([
        one.state,
        one.failure?.code,
        one.held,
        isSkewed(one),
        one.notes,
        ...counts(one),
      ]);
      const ofCalendar = log.child({ calendar: one.calendar });
      if (told.get(one.calendar) !== news) tell(one, ofCalendar);
      if (one.accepted) ofCalendar.info('a person accepts what the calendar lost', { stillHeld: one.held });
      told.set(one.calendar, news);
    }
    log.debug('pass done', { ms: Math.round(report.ms), items: report.items });
  };
}

const SKEW_MS = 300_000;
const isSkewed = ({ clockSkewMs }: CalendarReport): boolean => Math.abs(clockSkewMs ?? 0) > SKEW_MS;

const counts = ({ outcomes }: CalendarReport): number[] =>
  (['booking', 'skipped', 'rejected'] as const).map((kind) => count(outcomes, kind));

function tell(report: CalendarReport, log: Log): void {
  const { state, failure, notes, lastGood, held } = report;
  const [bookings, skipped, rejected] = counts(report);
  if (failure === undefined) log.info('calendar read', { bookings, skipped, rejected });
  else
    log.warn(
      failure.code === 'CALENDAR_RENAMED'
        ? 'the calendar seems to have a new name; nothing of it is published'
        : 'the calendar cannot be read; its last good state stays',
      {
        state,
        code: failure.code,
        reason: failure.message,
        ...defined({ lastGood: lastGood?.toString() }),
      },
    );
  for (const { code, message } of notes)
    log.warn('the calendar was read, but is odd', { code, reason: message });
  if (held > 0)
    log.warn(
      `the calendar lost many bookings at once; they stay until it says so a second time, or somebody accepts it: scanflow calendars accept ${report.calendar}`,
      { held },
    );
  if (isSkewed(report))
    log.warn("this machine's clock and that of the calendar's server differ; check the time service (NTP)", {
      seconds: Math.round((report.clockSkewMs ?? 0) / 1000),
    });
}
