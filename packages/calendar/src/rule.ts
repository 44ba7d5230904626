/**
 * Recurrence rules, checked and brought into a form that node-ical reads correctly (RFC 5545 3.3.10). This file alone imports
 * node-ical, for two questions that do not depend on the host's time zone: which times a rule gives, and which IANA zone a
 * Windows name means.
 *
 * Wall-clock times go in and come out as if they were UTC. So node-ical never resolves a zone itself: it does that wrongly for
 * floating times, custom zones and the autumn fold. The caller turns wall-clock times into instants.
 */
import nodeIcal, { type VEvent } from 'node-ical';
import { dailyStarts, hourlyStarts } from './outline.ts';
import { instantOf, UTC, type Moment } from './moment.ts';
import { EventError } from './event.ts';

/** No scanner booking has more instances in one window. */
const MAX_OCCURRENCES = 10_000;
/** Limit of BYHOUR × BYMINUTE × BYSECOND: more takes seconds to expand and means no booking. */
const MAX_TIMES_A_DAY = 96;

/** node-ical refuses a larger COUNT. */
const MAX_COUNT = 10_000;

/** Smallest and largest value of each part, and whether it may count from the end (RFC 5545 3.3.10). */
const RANGES: readonly (readonly [string, number, number, boolean])[] = [
  ['BYSECOND', 0, 60, false],
  ['BYMINUTE', 0, 59, false],
  ['BYHOUR', 0, 23, false],
  ['BYMONTH', 1, 12, false],
  ['BYMONTHDAY', 1, 31, true],
  ['BYYEARDAY', 1, 366, true],
  ['BYWEEKNO', 1, 53, true],
  ['BYSETPOS', 1, 366, true],
];
const DAY = /^(?:[+-]?\d{1,2})?(?:MO|TU|WE|TH|FR|SA|SU)$/;

const FREQUENCIES = new Set(['HOURLY', 'DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY']);
const PARTS = new Set(
  'FREQ UNTIL COUNT INTERVAL BYSECOND BYMINUTE BYHOUR BYDAY BYMONTHDAY BYYEARDAY BYWEEKNO BYMONTH BYSETPOS WKST RSCALE SKIP'.split(
    ' ',
  ),
);

/**
 * Starts that the rule gives between `from` and `to`, inclusive, for a series that starts at `start`. Throws EventError.
 *
 * Arithmetic expands days and weeks, the rules of nearly all series. Hours count as they pass, so that a day of
 * 25 hours has 25 of them. node-ical expands all other rules.
 */
export function ruleStarts(
  rule: string,
  start: Moment,
  from: Temporal.Instant,
  to: Temporal.Instant,
): Temporal.Instant[] {
  const parts = readRule(rule, start.wall.day);
  checkRule(rule, parts);
  const until = readUntil(parts.get('UNTIL'), start);
  const last = until === undefined || Temporal.Instant.compare(to, until) < 0 ? to : until;
  if (Temporal.Instant.compare(last, from) < 0) return [];
  const starts = hourlyStarts(parts, start, from, last) ?? wallStarts(rule, parts, start, from, last);
  if (starts === undefined || starts.length > MAX_OCCURRENCES) throw tooMany();
  return starts;
}

/** Whether the rule gives the start of its series. It need not, if its parts name other days. Throws EventError. */
export function givesStart(rule: string, start: Moment): boolean {
  const first = instantOf(start);
  const isPlain = [...readRule(rule, start.wall.day).keys()].every((name) => !name.startsWith('BY'));
  return isPlain || ruleStarts(rule, start, first, first).length > 0;
}

/** Undefined for too many instances. */
function wallStarts(
  rule: string,
  parts: ReadonlyMap<string, string>,
  start: Moment,
  from: Temporal.Instant,
  to: Temporal.Instant,
): Temporal.Instant[] | undefined {
  const wall = start.zone.wallAt;
  // changes of clocks make the bounds inexact in wall-clock time
  const first = wall(from).subtract({ hours: 2 });
  const last = wall(to).add({ hours: 2 });
  const walls =
    dailyStarts(parts, start.wall, first, last, MAX_OCCURRENCES) ??
    expand(rule, parts, start.wall, first, last);
  return walls
    ?.map((time) => start.zone.instantAt(time))
    .filter((time) => Temporal.Instant.compare(time, from) >= 0 && Temporal.Instant.compare(time, to) <= 0);
}

function expand(
  rule: string,
  parts: ReadonlyMap<string, string>,
  start: Temporal.PlainDateTime,
  from: Temporal.PlainDateTime,
  to: Temporal.PlainDateTime,
): Temporal.PlainDateTime[] | undefined {
  const count = Number(parts.get('COUNT') ?? 0);
  // node-ical counts to 10,000 only; a series that cannot end by then needs no count
  const days = to.since(start, { largestUnit: 'day' }).days + 2;
  const isEndless = count > MAX_COUNT && count > days * timesADay(parts);
  if (count > MAX_COUNT && !isEndless) return undefined;
  const text = [...parts]
    .filter(([name]) => name !== 'UNTIL' && !(isEndless && name === 'COUNT'))
    .map(([name, value]) => `${name}=${value}`)
    .join(';');
  try {
    return ruleTimes(text, start, from, to);
  } catch {
    throw badRule(rule);
  }
}

/** `day`: the day of the month on which the series starts. */
function readRule(rule: string, day: number): Map<string, string> {
  const parts = new Map<string, string>();
  for (const part of rule
    .toUpperCase()
    .replace(/^RRULE:/, '')
    .split(';')) {
    const [name = '', value = ''] = part.split('=', 2).map((side) => side.trim());
    if (name === '' && value === '') continue;
    if (!PARTS.has(name) || value === '') throw badRule(rule);
    parts.set(name, value.replaceAll(/\s*,\s*/g, ','));
  }
  if (!isGregorian(parts, day)) throw badRule(rule);
  return new Map([...parts].filter(([name]) => name !== 'RSCALE' && name !== 'SKIP'));
}

/** RFC 7529 4: accepts the Gregorian calendar, and rules in which a day that does not exist is left out or never comes. */
const isGregorian = (parts: ReadonlyMap<string, string>, day: number): boolean =>
  ['GREGORIAN', undefined].includes(parts.get('RSCALE')) &&
  (['OMIT', undefined].includes(parts.get('SKIP')) || everyDayExists(parts, day));

/** Each month has 28 days. Only rules of months and years name days that some months lack (RFC 7529 4.1). */
function everyDayExists(parts: ReadonlyMap<string, string>, day: number): boolean {
  if (!['MONTHLY', 'YEARLY'].includes(parts.get('FREQ') ?? '')) return true;
  if (parts.has('BYYEARDAY') || parts.has('BYWEEKNO')) return false;
  const days = parts.get('BYMONTHDAY')?.split(',').map(Number);
  return (days ?? (parts.has('BYDAY') ? [] : [day])).every((one) => Math.abs(one) <= 28);
}

function checkRule(rule: string, parts: ReadonlyMap<string, string>): void {
  const frequency = parts.get('FREQ') ?? '';
  if (frequency === 'SECONDLY' || frequency === 'MINUTELY')
    throw new EventError(
      'TOO_FREQUENT',
      'The event repeats every minute or second, which is no booking. Let it repeat by the hour at most.',
    );
  if (!FREQUENCIES.has(frequency)) throw badRule(rule);
  for (const name of ['INTERVAL', 'COUNT'])
    if (!/^[1-9]\d{0,8}$/.test(parts.get(name) ?? '1')) throw badRule(rule);
  if (!hasGoodValues(parts)) throw badRule(rule);
  if (timesADay(parts) > MAX_TIMES_A_DAY) throw tooMany();
}

function hasGoodValues(parts: ReadonlyMap<string, string>): boolean {
  const values = (name: string): string[] => parts.get(name)?.split(',') ?? [];
  const isGood = (text: string, least: number, most: number, isSigned: boolean): boolean =>
    (isSigned ? /^[+-]?\d{1,3}$/ : /^\d{1,2}$/).test(text) &&
    Math.abs(Number(text)) >= least &&
    Math.abs(Number(text)) <= most;
  return (
    values('BYDAY').every((day) => DAY.test(day)) &&
    RANGES.every(([name, ...range]) => values(name).every((text) => isGood(text, ...range)))
  );
}

/** The most instances in one day. */
function timesADay(parts: ReadonlyMap<string, string>): number {
  const values = (name: string): number => parts.get(name)?.split(',').length ?? 1;
  const hours = parts.get('FREQ') === 'HOURLY' && !parts.has('BYHOUR') ? 24 : values('BYHOUR');
  return hours * values('BYMINUTE') * values('BYSECOND');
}

/** UNTIL as an instant, from UTC or from the series' wall-clock time. A date includes that whole day. */
function readUntil(until: string | undefined, start: Moment): Temporal.Instant | undefined {
  if (until === undefined) return undefined;
  const match = /^(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})?(Z)?)?$/.exec(until);
  if (match === null) throw badRule(`UNTIL=${until}`);
  const [, year, month, day, hour, minute, second, utc] = match;
  const time =
    hour === undefined || start.dateOnly ? 'T23:59:59' : `T${hour}:${minute ?? '00'}:${second ?? '00'}`;
  try {
    const wall = Temporal.PlainDateTime.from(`${year ?? ''}-${month ?? ''}-${day ?? ''}${time}`, {
      overflow: 'reject',
    });
    return (utc === undefined || start.dateOnly ? start.zone : UTC).instantAt(wall);
  } catch {
    throw badRule(`UNTIL=${until}`);
  }
}

const badRule = (rule: string): EventError =>
  new EventError(
    'BAD_RULE',
    `The repetition ${JSON.stringify(rule.slice(0, 80))} cannot be read. Set the repetition again in the calendar.`,
  );

const tooMany = (): EventError =>
  new EventError('TOO_MANY', 'The event repeats too often to be bookings. Make one event per booking.');

/** Texts that cannot stand in a TZID, and names for which node-ical guesses the host's zone. */
const NO_NAME = /[\r\n"]|^$|^Customized Time Zone|^tzone:/i;

/**
 * The wall-clock times that `rule` (the value of an RRULE, UNTIL as UTC) gives for a series that starts at `start`,
 * between `from` and `to` inclusive. Throws for a text that is no rule.
 */
function ruleTimes(
  rule: string,
  start: Temporal.PlainDateTime,
  from: Temporal.PlainDateTime,
  to: Temporal.PlainDateTime,
): Temporal.PlainDateTime[] {
  const calendar = parse([
    ['UID:series', `DTSTART:${asUtc(start)}`, `RRULE:${rule}`],
    ['UID:from', `DTSTART:${asUtc(from)}`],
    ['UID:to', `DTSTART:${asUtc(to)}`],
  ]);
  const rrule = calendar('series')?.rrule;
  const [first, last] = [calendar('from')?.start, calendar('to')?.start];
  if (rrule === undefined || first === undefined || last === undefined) throw new Error('no rule was read');
  return rrule
    .between(first, last, true)
    .map((time) => Temporal.PlainDateTime.from(time.toISOString().slice(0, 19)));
}

/** The IANA zone of a Windows zone name (`W. Europe Standard Time`), by node-ical's table. */
export function windowsZone(name: string): string | undefined {
  if (NO_NAME.test(name)) return undefined;
  try {
    const event = parse([['UID:zone', `DTSTART;TZID="${name}":20240101T120000`]])('zone');
    // the type promises a start, but an unreadable name leaves none
    const start: { tz?: string } | undefined = event?.start;
    return start?.tz;
  } catch {
    // the table knows abbreviations (JST, PST) that Temporal does not
    return undefined;
  }
}

/** A wall-clock time in the form of a UTC one, `20261122T090000Z`. */
function asUtc(time: Temporal.PlainDateTime): string {
  return `${time.toString({ smallestUnit: 'second' }).replaceAll(/[-:]/g, '')}Z`;
}

function parse(events: readonly (readonly string[])[]): (uid: string) => VEvent | undefined {
  const blocks = events.flatMap((lines) => ['BEGIN:VEVENT', ...lines, 'END:VEVENT']);
  const calendar = nodeIcal.sync.parseICS(['BEGIN:VCALENDAR', ...blocks, 'END:VCALENDAR', ''].join('\r\n'));
  return (uid) => {
    const component = calendar[uid];
    return component?.type === 'VEVENT' ? component : undefined;
  };
}
