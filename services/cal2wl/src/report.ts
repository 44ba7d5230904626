/** The report of a pass, for the API, the metrics and the health page. */
import { type Outcome, flagBookings } from '@scanflow/booking';
import type { Failure } from '@scanflow/failure';
import type { FeedNote, Window } from '@scanflow/calendar';
import type { Config } from '@scanflow/config';
import type { CalendarView, Past, Plan } from '@scanflow/identity';
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

/** Times are UTC instants. Unknown values are absent. */
export interface OutcomeView {
  readonly outcome: Outcome['outcome'];
  readonly code: string;
  readonly reason: string;
  readonly calendar: string;
  readonly scanner?: string;
  readonly uid?: string;
  readonly recurrenceId?: string;
  readonly start?: string;
  readonly end?: string;
  readonly summary?: string;
  readonly project?: string;
  readonly subject?: string;
  readonly session?: string;
  readonly accessionNumber?: string;
  readonly studyInstanceUid?: string;
  /** All warnings of a booking. `code` names the first, `reason` describes all. */
  readonly warnings?: readonly string[];
}

export function outcomeView(one: Outcome, calendar: string): OutcomeView {
  const { outcome, code, reason, scanner, uid, recurrenceId, start, end, summary } = one;
  const record = one.outcome === 'booking' ? one.record : undefined;
  const warnings = one.outcome === 'booking' ? one.warnings.map((warning) => warning.code) : [];
  const known = {
    scanner,
    uid,
    recurrenceId,
    start: record?.start ?? start?.toString(),
    end: record?.end ?? end?.toString(),
    summary,
    ...record?.labels,
    accessionNumber: record?.accessionNumber,
    studyInstanceUid: record?.studyInstanceUid,
    warnings: warnings.length === 0 ? undefined : warnings,
  };
  const given = Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined));
  return { outcome, code, reason, calendar, ...given };
}
