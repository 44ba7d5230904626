/** Times in HTTP headers: dates, Retry-After, and how far the server's clock is from ours. Pure. */

/** Returns the value of a header by its name in lower case. */
export type HeaderOf = (name: string) => string | undefined;

const DATE = /(\d{2}) (\w{3}) (\d{4}) (\d{2}:\d{2}:\d{2}) GMT$/;
const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';
const LONGEST_RETRY_AFTER_MS = 86_400_000;

/** An IMF-fixdate (RFC 9110 5.6.7); undefined for anything else. */
export function httpDate(text: string): Temporal.Instant | undefined {
  const [, day = '', monthName = '', year = '', time = ''] = DATE.exec(text.trim()) ?? [];
  const month = MONTHS.indexOf(monthName) / 3 + 1;
  if (monthName === '' || !Number.isInteger(month) || month < 1) return undefined;
  try {
    return Temporal.Instant.from(`${year}-${String(month).padStart(2, '0')}-${day}T${time}Z`);
  } catch {
    return undefined;
  }
}

/** The server's clock minus ours in milliseconds, exact to some seconds; undefined if the answer has no time. */
export function clockSkew(header: HeaderOf, now: Temporal.Instant): number | undefined {
  const date = httpDate(header('date') ?? '');
  if (date === undefined) return undefined;
  // Date of a cached answer is the time of its creation (RFC 9111 5.1)
  const age = /^\d{1,9}$/.test(header('age') ?? '') ? Number(header('age')) : 0;
  return date.epochMilliseconds + age * 1000 - now.epochMilliseconds;
}

/**
 * Retry-After in seconds or as a date (RFC 9110 10.2.3), as milliseconds from now and at most a day. A date is
 * compared with the server's own clock, if known.
 */
export function retryAfter(header: HeaderOf, now: Temporal.Instant): number | undefined {
  const value = header('retry-after')?.trim();
  if (value === undefined) return undefined;
  const until = httpDate(value);
  const ms = /^\d{1,9}$/.test(value)
    ? Number(value) * 1000
    : until && until.epochMilliseconds - (httpDate(header('date') ?? '') ?? now).epochMilliseconds;
  return ms === undefined ? undefined : Math.min(Math.max(ms, 0), LONGEST_RETRY_AFTER_MS);
}
