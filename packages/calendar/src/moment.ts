/**
 * DATE and DATE-TIME values with their zone (RFC 5545 3.3.4, 3.3.5), sets of them, and the clocks of zones: IANA's, and those
 * that calendars define (RFC 5545 3.6.5).
 */
import { EventError } from './event.ts';
import type { Property } from './property.ts';

export interface Moment {
  readonly wall: Temporal.PlainDateTime;
  readonly zone: Clock;
  /** A DATE: the day as a whole; `wall` is its midnight. */
  readonly dateOnly: boolean;
}

/** A further start of a series, and the length of that instance if given. */
export interface ExtraStart {
  readonly start: Moment;
  readonly length: Temporal.Duration | undefined;
}

/** Reads the value of DTSTART, DTEND, RECURRENCE-ID. Throws EventError. */
export function readMoment(property: Property, zones: Zones): Moment {
  return readValue(property, property.value, zones);
}

/** Reads the values of EXDATE. The start of a PERIOD counts. Throws EventError. */
export const readMoments = (property: Property, zones: Zones): Moment[] =>
  readExtraStarts(property, zones).map(({ start }) => start);

/** Reads the values of RDATE, including PERIODs with their lengths (RFC 5545 3.3.9). Throws EventError. */
export function readExtraStarts(property: Property, zones: Zones): ExtraStart[] {
  return property.value
    .split(',')
    .filter((value) => value.trim() !== '')
    .map((value) => {
      const [first = '', second] = value.split('/', 2);
      const start = readValue(property, first, zones);
      if (second === undefined) return { start, length: undefined };
      const length = /^[+-]?P/i.test(second.trim())
        ? readDuration(second)
        : instantOf(readValue(property, second, zones)).since(instantOf(start));
      return { start, length: positive(length) };
    });
}

/** Reads a DURATION: weeks and days are nominal, hours and less exact (RFC 5545 3.3.6). Throws EventError. */
export function readDuration(text: string): Temporal.Duration {
  try {
    return Temporal.Duration.from(text.trim());
  } catch {
    throw new EventError(
      'BAD_DURATION',
      'The length of the event cannot be read. Set its end again in the calendar.',
    );
  }
}

/** Throws EventError for a length below zero. */
export function positive(length: Temporal.Duration): Temporal.Duration {
  if (length.sign >= 0) return length;
  throw new EventError(
    'ENDS_BEFORE_START',
    'The event ends before it starts. Correct its end in the calendar.',
  );
}

export const instantOf = ({ wall, zone }: Moment): Temporal.Instant => zone.instantAt(wall);

/** The moment as Scanflow 0.1.0 read it. */
export const formerly = (moment: Moment): Moment => ({ ...moment, zone: moment.zone.former ?? moment.zone });

const VALUE = /^(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})?(Z)?)?$/i;

function readValue({ name, params }: Property, value: string, zones: Zones): Moment {
  const match = VALUE.exec(value.trim());
  if (match === null) throw badTime(name, value);
  const [, year, month, day, hour, minute, second, utc] = match;
  const zone = utc === undefined ? zoneOf(params.get('TZID'), zones) : UTC;
  const wall = wallTime(
    name,
    value,
    [year, month, day, hour ?? '0', minute ?? '0', second ?? '0'].map(Number),
  );
  return { wall, zone, dateOnly: hour === undefined };
}

function wallTime(name: string, value: string, parts: readonly number[]): Temporal.PlainDateTime {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts;
  try {
    // a leap second is the second before it (RFC 5545 3.3.12)
    return new Temporal.PlainDateTime(
      year,
      month,
      day,
      hour,
      minute,
      Math.min(second, second === 60 ? 59 : second),
    );
  } catch {
    throw badTime(name, value);
  }
}

const badTime = (name: string, value: string): EventError =>
  new EventError(
    'BAD_TIME',
    `${name} is ${shown(value)}, which is no date and no time. Save the event again in the calendar.`,
  );

function zoneOf(tzid: string | undefined, { floating, resolve }: Zones): Clock {
  if (tzid === undefined || tzid.trim() === '') return floating;
  const zone = resolve(tzid);
  if (zone !== undefined) return zone;
  throw new EventError(
    'UNKNOWN_ZONE',
    `The time zone ${JSON.stringify(tzid.slice(0, 60))} is not known, so the time is not certain. Give the event a named zone such as Europe/Amsterdam.`,
  );
}

/** Leaves words out of messages: they may name a person, and others read the files with the messages. */
const shown = (value: string): string =>
  /^[\d\sTZ:+./-]*$/iu.test(value) ? JSON.stringify(value.slice(0, 40)) : 'a text';

export class Marks {
  readonly #instants = new Set<number>();
  readonly #days = new Set<string>();

  constructor(moments: readonly Moment[]) {
    for (const moment of moments) {
      if (moment.dateOnly) this.#days.add(moment.wall.toPlainDate().toString());
      else this.#instants.add(instantOf(moment).epochMilliseconds);
    }
  }

  /** Whether the instance that starts at `instant` is among them; days are those of `zone`. */
  has(instant: Temporal.Instant, zone: Clock): boolean {
    if (this.#instants.has(instant.epochMilliseconds)) return true;
    return this.#days.size > 0 && this.#days.has(zone.wallAt(instant).toPlainDate().toString());
  }
}

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

export const UTC = ianaClock('UTC');

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
