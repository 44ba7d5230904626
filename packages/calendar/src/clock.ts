/** Clocks of time zones: IANA's zones, and the zones that calendars define (RFC 5545 3.6.5). */

export interface Clock {
  /** IANA name, or `VTIMEZONE` and the name of the definition. */
  readonly name: string;
  /** In the spring gap the old offset counts; in the autumn fold the first of the two times counts (RFC 5545 3.3.5). */
  readonly instantAt: (wall: Temporal.PlainDateTime) => Temporal.Instant;
  readonly wallAt: (instant: Temporal.Instant) => Temporal.PlainDateTime;
  /** How Scanflow 0.1.0 read the same times, if it read them differently. Booking identities derive from that reading. */
  readonly former?: Clock;
}

/** From `at`, the clock is `offset` milliseconds ahead of UTC. */
export interface Change {
  readonly at: number;
  readonly offset: number;
}

/** The offset at the start of the years that matter, and each change until their end. */
export interface Offsets {
  readonly initial: number;
  readonly changes: readonly Change[];
}

export const ianaClock = (name: string): Clock => ({
  name,
  instantAt: (wall) => wall.toZonedDateTime(name, { disambiguation: 'compatible' }).toInstant(),
  wallAt: (instant) => instant.toZonedDateTimeISO(name).toPlainDateTime(),
});

/** The clock of a zone that equals no IANA zone. */
export function definedClock(name: string, { initial, changes }: Offsets): Clock {
  const offsetAt = (ms: number): number => changes.findLast(({ at }) => at <= ms)?.offset ?? initial;
  return {
    name,
    instantAt: (wall) => {
      const local = wall.toZonedDateTime('UTC').epochMilliseconds;
      let offset = initial;
      for (const change of changes) {
        // in the gap neither offset fits, and the old one counts
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

/** Adds a duration: days and weeks by the clock, hours and less exactly (RFC 5545 3.3.6). */
export function addTo(clock: Clock, start: Temporal.Instant, length: Temporal.Duration): Temporal.Instant {
  const { years, months, weeks, days } = length;
  const nominal = Temporal.Duration.from({ years, months, weeks, days });
  const exact = length.with({ years: 0, months: 0, weeks: 0, days: 0 });
  const from = nominal.blank ? start : clock.instantAt(clock.wallAt(start).add(nominal));
  return from.add(exact);
}

/** The clock, together with the clock that 0.1.0 used instead. */
export const withFormer = (clock: Clock, former: Clock | undefined): Clock =>
  former === undefined || former.name === clock.name ? clock : { ...clock, former };

/** The zones of one VCALENDAR. */
export interface Zones {
  /** The clock of times that name no zone. */
  readonly floating: Clock;
  /** The clock that a TZID means in this calendar; undefined if that is uncertain. */
  readonly resolve: (tzid: string) => Clock | undefined;
}
