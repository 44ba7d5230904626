/** A recurrence rule, checked and brought into the form that the engine reads rightly (RFC 5545 3.3.10). */
import { asUtc, ruleTimes } from './engine.ts';
import type { Moment } from './moment.ts';
import { instantOf } from './moment.ts';
import { EventError } from './problem.ts';

/** More than this in one window is no booking of a scanner. */
export const MAX_OCCURRENCES = 1000;
/** Times a day that BYHOUR × BYMINUTE × BYSECOND may give; more costs seconds of work and means nothing here. */
const MAX_TIMES_A_DAY = 96;

const FREQUENCIES = new Set(['HOURLY', 'DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY']);
const PARTS = new Set(
  'FREQ UNTIL COUNT INTERVAL BYSECOND BYMINUTE BYHOUR BYDAY BYMONTHDAY BYYEARDAY BYWEEKNO BYMONTH BYSETPOS WKST'.split(
    ' ',
  ),
);

/** Wall-clock starts in the zone of `start` that the rule gives between `from` and `to`, inclusive. Throws EventError. */
export function ruleStarts(
  rule: string,
  start: Moment,
  from: Temporal.PlainDateTime,
  to: Temporal.PlainDateTime,
): Temporal.PlainDateTime[] {
  const parts = readRule(rule);
  checkRule(rule, parts);
  const until = parts.get('UNTIL');
  if (until !== undefined) parts.set('UNTIL', wallUntil(until, start));
  const text = [...parts].map(([name, value]) => `${name}=${value}`).join(';');
  const starts = expand(rule, text, start, from, to);
  if (starts.length > MAX_OCCURRENCES) throw tooMany();
  return starts;
}

function expand(
  rule: string,
  text: string,
  start: Moment,
  from: Temporal.PlainDateTime,
  to: Temporal.PlainDateTime,
): Temporal.PlainDateTime[] {
  try {
    return ruleTimes(text, start.wall, from, to);
  } catch {
    throw badRule(rule);
  }
}

function readRule(rule: string): Map<string, string> {
  const parts = new Map<string, string>();
  for (const part of rule
    .toUpperCase()
    .replace(/^RRULE:/, '')
    .split(';')) {
    const [name = '', value = ''] = part.split('=', 2).map((side) => side.trim());
    if (name === '' && value === '') continue;
    if (!PARTS.has(name) || value === '') throw badRule(rule);
    parts.set(name, value);
  }
  return parts;
}

function checkRule(rule: string, parts: ReadonlyMap<string, string>): void {
  const frequency = parts.get('FREQ') ?? '';
  if (frequency === 'SECONDLY' || frequency === 'MINUTELY')
    throw new EventError(
      'TOO_FREQUENT',
      'The event repeats every minute or second, which is no booking. Let it repeat by the hour at most.',
    );
  if (!FREQUENCIES.has(frequency)) throw badRule(rule);
  const times = ['BYHOUR', 'BYMINUTE', 'BYSECOND'].reduce(
    (product, name) => product * (parts.get(name)?.split(',').length ?? 1),
    1,
  );
  if (times > MAX_TIMES_A_DAY) throw tooMany();
}

/** UNTIL as wall-clock time of the series, marked as UTC. A date means the whole of that day. */
function wallUntil(until: string, start: Moment): string {
  const match = /^(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})?(Z)?)?$/.exec(until);
  if (match === null) throw badRule(`UNTIL=${until}`);
  const [, year, month, day, hour, minute, second, utc] = match;
  const time = hour === undefined ? 'T23:59:59' : `T${hour}:${minute ?? '00'}:${second ?? '00'}`;
  try {
    const wall = Temporal.PlainDateTime.from(`${year ?? ''}-${month ?? ''}-${day ?? ''}${time}`, {
      overflow: 'reject',
    });
    if (utc === undefined || start.dateOnly) return asUtc(wall);
    return asUtc(
      instantOf({ wall, zone: 'UTC', dateOnly: false }).toZonedDateTimeISO(start.zone).toPlainDateTime(),
    );
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
