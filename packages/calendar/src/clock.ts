/** Clocks of time zones: IANA's, and those that calendars define (RFC 5545 3.6.5). */

export interface Clock {
  /** IANA name, or `VTIMEZONE` and the name of the definition. */
  readonly name: string;
  /** A time in the spring gap counts from before it, one in the autumn fold is the first of the two (RFC 5545 3.3.5). */
  readonly instantAt: (wall: Temporal.PlainDateTime) => Temporal.Instant;
  readonly wallAt: (instant: Temporal.Instant) => Temporal.PlainDateTime;
  /** How Scanflow 0.1.0 read the same times, where that differs: identities of bookings derive from it. */
  readonly former?: Clock;
}

/** From `at` on the clock is `offset` (milliseconds) ahead of UTC. */
export interface Change {
  readonly at: number;
  readonly offset: number;
}

/** Offset where the years of interest begin, and every change until they end. */
export interface Offsets {
  readonly initial: number;
  readonly changes: readonly Change[];
}

export const ianaClock = (name: string): Clock => ({
  name,
  instantAt: (wall) => wall.toZonedDateTime(name, { disambiguation: 'compatible' }).toInstant(),
  wallAt: (instant) => instant.toZonedDateTimeISO(name).toPlainDateTime(),
});

/** The clock of a zone that no IANA zone equals. */
export function definedClock(name: string, { initial, changes }: Offsets): Clock {
  const offsetAt = (ms: number): number => changes.findLast(({ at }) => at <= ms)?.offset ?? initial;
  return {
    name,
    instantAt: (wall) => {
      const local = wall.toZonedDateTime('UTC').epochMilliseconds;
      let offset = initial;
      for (const change of changes) {
        // also in the gap, which is over by the old offset and not begun by the new one, the old one counts
        if (local - offset < change.at || local - change.offset < change.at) break;
        offset = change.offset;
      }
      return Temporal.Instant.fromEpochMilliseconds(local - offset);
    },
    wallAt: (instant) => {
      const ms = instant.epochMilliseconds;
      const shifted = Temporal.Instant.fromEpochMilliseconds(ms + offsetAt(ms));
      return shifted.toZonedDateTimeISO('UTC').toPlainDateTime();
    },
  };
}

/** Days and more by the clock, hours and less exact (RFC 5545 3.3.6). */
export function addTo(clock: Clock, start: Temporal.Instant, length: Temporal.Duration): Temporal.Instant {
  const { years, months, weeks, days } = length;
  const nominal = Temporal.Duration.from({ years, months, weeks, days });
  const exact = length.with({ years: 0, months: 0, weeks: 0, days: 0 });
  const from = nominal.blank ? start : clock.instantAt(clock.wallAt(start).add(nominal));
  return from.add(exact);
}

/** The clock with what 0.1.0 had in its place. */
export const withFormer = (clock: Clock, former: Clock | undefined): Clock =>
  former === undefined || former.name === clock.name ? clock : { ...clock, former };

/** The zones of one VCALENDAR. */
export interface Zones {
  /** Of times that name none. */
  readonly floating: Clock;
  /** The clock that a TZID means here; undefined when that is not certain. */
  readonly resolve: (tzid: string) => Clock | undefined;
}
