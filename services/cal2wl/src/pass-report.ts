/** Builds the report of a pass on one calendar, and the calendar's view for reconciling. */
import { flagBookings, type Outcome } from '@scanflow/booking';
import type { Config } from '@scanflow/config';
import type { CalendarView, Past, Plan } from '@scanflow/identity';
import type { Reading } from './reader.ts';
import type { CalendarReport } from './report.ts';

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
