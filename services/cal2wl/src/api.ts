/** The HTTP API of cal2wl. */
import type { Outcome } from '@scanflow/booking';
import { defined } from '@scanflow/booking/defined';
import type { FastifyInstance } from '@scanflow/runtime';
import type { CalendarReport, PassReport } from './report.ts';
import { outcomeView } from './view.ts';

export function addRoutes(app: FastifyInstance, last: () => PassReport | undefined): void {
  app.get('/api/calendars', () => ({ calendars: calendarViews(last()) }));
  app.get('/api/bookings', () => bookingViews(last()));
}

function calendarViews(report: PassReport | undefined): object[] {
  const now = Temporal.Now.instant();
  return (report?.calendars ?? []).map(
    ({ calendar, scanner, state, waiting, failure, outcomes, held, projects, notes, ...more }) => ({
      calendar,
      scanner,
      state,
      ...(waiting ? { waiting } : {}),
      ...freshness(more, now),
      ...defined({ failure }),
      ...(notes.length === 0 ? {} : { notes }),
      ...defined({ projects }),
      bookings: count(outcomes, 'booking'),
      skipped: count(outcomes, 'skipped'),
      rejected: count(outcomes, 'rejected'),
      held,
    }),
  );
}

function freshness(
  { lastGood, notBefore, clockSkewMs }: Pick<CalendarReport, 'lastGood' | 'notBefore' | 'clockSkewMs'>,
  now: Temporal.Instant,
): object {
  return {
    ...(lastGood === undefined ? {} : { lastGood: lastGood.toString(), ageSeconds: age(lastGood, now) }),
    ...(notBefore === undefined ? {} : { notBefore: notBefore.toString() }),
    ...(clockSkewMs === undefined ? {} : { clockSkewSeconds: Math.round(clockSkewMs / 1000) }),
  };
}

/** In whole seconds; 0 if our clock was set back since. */
const age = (time: Temporal.Instant, now: Temporal.Instant): number =>
  Math.max(0, Math.round(now.since(time).total('seconds')));

export const count = (outcomes: readonly Outcome[], kind: Outcome['outcome']): number =>
  outcomes.filter(({ outcome }) => outcome === kind).length;

function bookingViews(report: PassReport | undefined): object {
  const views = (report?.calendars ?? []).flatMap(({ calendar, outcomes }) =>
    outcomes.map((outcome) => outcomeView(outcome, calendar)),
  );
  return {
    ...(report === undefined
      ? {}
      : { at: report.at.toString(), from: report.window.from.toString(), to: report.window.to.toString() }),
    bookings: views.filter(({ outcome }) => outcome === 'booking'),
    skipped: views.filter(({ outcome }) => outcome === 'skipped'),
    rejected: views.filter(({ outcome }) => outcome === 'rejected'),
  };
}
