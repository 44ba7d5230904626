/** The pages of cal2wl: its HTTP API, and whether it can work. */
import { defined } from '@scanflow/booking/defined';
import type { FastifyInstance, Health } from '@scanflow/runtime';
import { count, outcomeView, type CalendarReport, type PassReport } from './report.ts';

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
    ...defined({ lastGood: lastGood?.toString(), ageSeconds: lastGood && age(lastGood, now) }),
    ...defined({ notBefore: notBefore?.toString() }),
    ...(clockSkewMs === undefined ? {} : { clockSkewSeconds: Math.round(clockSkewMs / 1000) }),
  };
}

/** In whole seconds; 0 if our clock was set back since. */
const age = (time: Temporal.Instant, now: Temporal.Instant): number =>
  Math.max(0, Math.round(now.since(time).total('seconds')));

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

/** With cron the time between passes is unknown: a day without a pass is too long. */
const CRON_LIMIT_MS = 86_400_000;
/** Time for a pass on top of its interval. Fetches have their own time limits. */
const GRACE_MS = 600_000;

/** The page shows a calendar that does not answer, but that is no reason for a restart. */
export function healthOf(
  last: PassReport | undefined,
  now: Temporal.Instant,
  { every, cron }: { every: number; cron?: string | undefined },
): Health {
  if (last === undefined)
    return { ok: false, detail: { why: 'the first pass over the calendars is not done yet' } };
  const calendars = Object.fromEntries(
    last.calendars.map(({ calendar, state, failure }) => [
      calendar,
      failure === undefined ? state : `${state}: ${failure.code}`,
    ]),
  );
  const detail = { lastPass: last.at.toString(), items: last.items, calendars };
  const age = now.since(last.at).total('milliseconds');
  const limit = cron === undefined ? 3 * every + GRACE_MS : CRON_LIMIT_MS + GRACE_MS;
  if (age > limit)
    return { ok: false, detail: { ...detail, why: 'no pass has ended for too long; see the log' } };
  if (last.unwritten !== undefined) return { ok: false, detail: { ...detail, why: last.unwritten.message } };
  const degraded = last.calendars.some(({ state }) => state !== 'good');
  return { ok: true, detail: { ...detail, degraded } };
}
