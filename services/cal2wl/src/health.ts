/** Whether cal2wl can do its work. A calendar that does not answer is shown, and no reason to restart anything. */
import type { Health } from '@scanflow/runtime';
import type { PassReport } from './report.ts';

/** By cron the time between passes is not known: a day without one is too long. */
const CRON_LIMIT_MS = 86_400_000;
/** What a pass may take on top of its interval: fetches have time limits of their own. */
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
