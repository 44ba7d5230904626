/** The header Retry-After (RFC 9110 10.2.3): seconds, or a moment. */

const LONGEST_MS = 86_400_000;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** IMF-fixdate (RFC 9110 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`. */
const MOMENT = /^\w{3}, (\d\d) (\w{3}) (\d{4}) (\d\d:\d\d:\d\d) GMT$/;

/** The wait it asks for in milliseconds, at most a day; undefined where it says nothing that can be read. */
export function retryAfterMs(value: string | null, now: number): number | undefined {
  const text = value?.trim() ?? '';
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : untilMoment(text, now);
  return ms === undefined ? undefined : Math.min(Math.max(ms, 0), LONGEST_MS);
}

function untilMoment(text: string, now: number): number | undefined {
  const [, day, name, year, time] = MOMENT.exec(text) ?? [];
  const month = MONTHS.indexOf(name ?? '') + 1;
  if (month === 0) return undefined;
  try {
    const iso = `${year}-${String(month).padStart(2, '0')}-${day}T${time}Z`;
    return Temporal.Instant.from(iso).epochMilliseconds - now;
  } catch {
    return undefined;
  }
}
