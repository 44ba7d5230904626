/** Whether cal2wl can work. The page shows a calendar that does not answer, but that is no reason for a restart. */
import type { Health } from '@scanflow/runtime';
import type { PassReport } from './report.ts';

/** With cron the time between passes is unknown: a day without a pass is too long. */
const CRON_LIMIT_MS = 86_400_000;
/** Time for a pass on top of its interval. Fetches have their own time limits. */
const GRACE_MS = 600_000;

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
