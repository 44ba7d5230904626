/**
 * When work may run, and when again: hours in the facility's time, rates, and retries by the failure and the attempt, with the
 * header Retry-After (RFC 9110 10.2.3). Pure.
 */
import type { Failure } from '@scanflow/failure';

export interface Rate {
  readonly bytesPerSecond?: number | undefined;
  readonly imagesPerMinute?: number | undefined;
}

export interface Limit {
  /** What comes into the bucket in a millisecond. */
  readonly perMs: number;
  /** What it holds at most: so much passes at once after a pause. */
  readonly burst: number;
}

export interface Bucket {
  /** Below zero: what has been taken in advance. */
  readonly level: number;
  /** When that was, in milliseconds of a clock that nobody sets. */
  readonly at: number;
}

/** One second's worth passes at once, one whole thing at least. */
export const limitOf = (perSecond: number): Limit => ({
  perMs: perSecond / 1000,
  burst: Math.max(perSecond, 1),
});

export const fullBucket = ({ burst }: Limit, now: number): Bucket => ({ level: burst, at: now });

/**
 * Takes an amount, and says how long whoever took it has to wait before it may pass. It is taken at once, so that
 * whoever asks next waits behind it; an amount larger than the bucket waits longer. So by the time that the last of
 * `total` passes, at least (total - burst) / perMs have gone by.
 */
export function take(
  { level, at }: Bucket,
  { perMs, burst }: Limit,
  amount: number,
  now: number,
): { readonly bucket: Bucket; readonly waitMs: number } {
  const filled = Math.min(burst, level + perMs * Math.max(0, now - at));
  const left = filled - amount;
  return { bucket: { level: left, at: Math.max(at, now) }, waitMs: left >= 0 ? 0 : -left / perMs };
}

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
type Day = (typeof DAYS)[number];

/** From one time of day to another, `19:00` to `07:00`; `24:00` is the end of the day. */
export interface Window {
  readonly from: string;
  /** Not after `from`: on the next day. */
  readonly to: string;
  /** On which it opens; every day where absent. */
  readonly days?: readonly Day[] | undefined;
}

/** `until`, in milliseconds since the epoch: when it closes, or opens. */
export interface Opening {
  readonly open: boolean;
  readonly until: number;
}

/** A window that falls into an hour that the clocks leave out is there again a week later. */
const AHEAD_DAYS = 15;

/**
 * Open or not at this moment, and until when. Windows that overlap or touch are one. Times are those that the clock on the wall shows:
 * one that is left out in spring is an hour later, one that comes twice in autumn is the first.
 */
export function openingAt(now: Temporal.Instant, windows: readonly Window[], timeZone: string): Opening {
  const today = now.toZonedDateTimeISO(timeZone).toPlainDate();
  const spans = windows
    .flatMap((window) => spansOf(window, today, timeZone))
    .toSorted((a, b) => a.from - b.from);
  const at = now.epochMilliseconds;
  let end = at;
  for (const { from, to } of spans) if (from <= end && to > end) end = to;
  if (end > at) return { open: true, until: end };
  const next = spans.find(({ from }) => from > at);
  return {
    open: false,
    until: next?.from ?? today.add({ days: AHEAD_DAYS }).toZonedDateTime(timeZone).epochMilliseconds,
  };
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/** Those from yesterday on: its window may still be open. */
function spansOf({ from, to, days }: Window, today: Temporal.PlainDate, timeZone: string): Span[] {
  const overnight = to <= from ? 1 : 0;
  return Array.from({ length: AHEAD_DAYS + 2 }, (_, index) => today.add({ days: index - 1 }))
    .filter((day) => days === undefined || days.some((name) => DAYS.indexOf(name) + 1 === day.dayOfWeek))
    .map((day) => ({
      from: instantOf(day, from, timeZone),
      to: instantOf(day.add({ days: overnight }), to, timeZone),
    }))
    .filter((span) => span.from < span.to);
}

const instantOf = (day: Temporal.PlainDate, time: string, timeZone: string): number =>
  (time === '24:00'
    ? day.add({ days: 1 }).toZonedDateTime(timeZone)
    : day.toZonedDateTime({ timeZone, plainTime: time })
  ).epochMilliseconds;

/** The same, worked out once for as long as it holds. Without windows it is always open. */
export function hoursOf(
  windows: readonly Window[] | undefined,
  timeZone: string,
): ((now: number) => Opening) | undefined {
  if (windows === undefined) return undefined;
  let asked = 0;
  let known: Opening = { open: false, until: 0 };
  return (now) => {
    // the clock may have been set back
    if (now < asked || now >= known.until) {
      asked = now;
      known = openingAt(Temporal.Instant.fromEpochMilliseconds(now), windows, timeZone);
    }
    return known;
  };
}

export interface RetryPolicy {
  /** Wait after the first failure, in milliseconds. */
  readonly firstMs: number;
  /** Longest wait, in milliseconds. */
  readonly capMs: number;
  /** Given up once it has been tried in vain for this long; never where absent. */
  readonly giveUpMs?: number;
}

export const DEFAULT_RETRY: RetryPolicy = { firstMs: 5_000, capMs: 3_600_000 };

type Retry = { readonly retry: true; readonly delayMs: number } | { readonly retry: false };

/**
 * Doubles the wait with each attempt up to the cap, and spreads it by ±20 % so that many waits do not end at
 * once. A transient or ambiguous failure is tried for ever, unless the policy says when to give up. (A C-STORE whose outcome
 * is unknown may be repeated: the receiver knows the instance by its SOP Instance UID.)
 * @param attempt 1 for the first failure in a row
 * @param jitter a random number from 0 to 1
 *
 * @example
 * ```ts
 * import { retryAfter } from './pace.ts';
 *
 * retryAfter({ kind: 'transient' }, 3, 0.5); // → { retry: true, delayMs: 20_000 }
 * retryAfter({ kind: 'permanent' }, 1, 0.5); // → { retry: false }
 * ```
 */
export function retryAfter(
  failure: Pick<Failure, 'kind'>,
  attempt: number,
  jitter: number,
  policy: RetryPolicy = DEFAULT_RETRY,
): Retry {
  if (failure.kind === 'permanent') return { retry: false };
  if (policy.giveUpMs !== undefined && triedFor(attempt, policy) >= policy.giveUpMs) return { retry: false };
  const doublings = Math.min(Math.max(attempt, 1) - 1, 40);
  const base = Math.min(policy.firstMs * 2 ** doublings, policy.capMs);
  const spread = 0.8 + 0.4 * Math.min(Math.max(jitter, 0), 1);
  return { retry: true, delayMs: Math.round(base * spread) };
}

/** The waits before this attempt, without their spread: so time in which nothing was tried does not count. */
export function triedFor(attempt: number, { firstMs, capMs }: RetryPolicy): number {
  const waits = Math.max(attempt, 1) - 1;
  const doubling = Math.min(waits, Math.max(0, Math.ceil(Math.log2(capMs / firstMs))));
  return firstMs * (2 ** doubling - 1) + (waits - doubling) * capMs;
}

const SPACE_MS = 60_000;
const ROOT_MS = 15_000;

/** What only waits for free space, or for the right root, looks often: a look costs nobody anything. */
export function policyFor({ code }: Pick<Failure, 'code'>, policy: RetryPolicy): RetryPolicy {
  const longest =
    code === 'STORE_SPACE_FLOOR' ? SPACE_MS : code.startsWith('STORE_ROOT_') ? ROOT_MS : undefined;
  return longest === undefined ? policy : { ...policy, capMs: Math.min(policy.capMs, longest) };
}

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
