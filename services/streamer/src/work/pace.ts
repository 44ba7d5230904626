/** When and how fast something may be sent or read: windows in the facility's time, and rates. Pure. */

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
