/** Slots of today for the demo's bookings: spread so that all lie within today and within reach of the worklist. Pure. */

interface Slot {
  readonly start: Temporal.ZonedDateTime;
  readonly end: Temporal.ZonedDateTime;
}

const LONGEST_MINUTES = 30;
/** The worklist's window reaches 12 hours back by default: stay well within. */
const SPAN_MINUTES = 10 * 60;

/** `count` slots in a row around `now`, all on its calendar day. */
export function slotsAround(now: Temporal.ZonedDateTime, count: number): Slot[] {
  const length = Math.max(1, Math.min(LONGEST_MINUTES, Math.floor(SPAN_MINUTES / count)));
  const day = now.startOfDay();
  const nextDay = day.add({ days: 1 });
  const centred = now
    .round({ smallestUnit: 'minute', roundingMode: 'floor' })
    .subtract({ minutes: (length * count) / 2 });
  const latest = nextDay.subtract({ minutes: length * count });
  const first = later(day, earlier(centred, latest));
  return Array.from({ length: count }, (_, index) => ({
    start: first.add({ minutes: length * index }),
    end: first.add({ minutes: length * (index + 1) }),
  }));
}

const later = (a: Temporal.ZonedDateTime, b: Temporal.ZonedDateTime): Temporal.ZonedDateTime =>
  Temporal.ZonedDateTime.compare(a, b) > 0 ? a : b;
const earlier = (a: Temporal.ZonedDateTime, b: Temporal.ZonedDateTime): Temporal.ZonedDateTime =>
  Temporal.ZonedDateTime.compare(a, b) < 0 ? a : b;
