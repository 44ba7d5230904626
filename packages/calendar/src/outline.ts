/**
 * Reads the days of a VEVENT from its bare text, to drop the many events far from the window without parsing them. Rules of
 * plain days, weeks and hours are expanded by arithmetic (RFC 5545 3.3.10), without counting from the series' start.
 */
import type { Moment } from './moment.ts';

/** Outer bounds of the days that an event and its repetitions touch, as numbers, without time zones. */
export interface Span {
  readonly uid: () => string;
  readonly first: number;
  readonly last: number;
}

const PLAIN_TIME =
  /^DT(START|END)(?:;[^:"\r]*)?:(\d{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))(?:T\d{6}Z?)?\r*$/;
const PLAIN_RULE =
  /^RRULE:FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)((?:;(?:INTERVAL=[1-9]\d{0,2}|COUNT=[1-9]\d{0,5}|UNTIL=\d{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:T[01]\d[0-5]\d[0-5]\dZ?)?|BYDAY=[A-Z,]+|WKST=(?:MO|TU|WE|TH|FR|SA|SU)))*)\r*$/;
const PLAIN_UID = /^UID:([\x21-\x7e]+(?: +[\x21-\x7e]+)*)[ \r]*$/;
/** Properties that require a full parse of the event, whatever its days. */
const NEEDS_READING = /^(?:RDATE|EXDATE|EXRULE|RECURRENCE-ID|DURATION|STATUS[;:])/i;
const HARMLESS = /^STATUS:(?:CONFIRMED|TENTATIVE)\r*$/;
/** A fold in a line this short could hide the name. */
const SHORTEST_FOLDED = 24;

/** Collects the outline of one event from its folded, undecoded lines. */
export class Outline {
  #uid: string | undefined;
  #start: string | undefined;
  #end: string | undefined;
  #rule: string | undefined;
  #unclear = false;
  /** Whether a continuation of the previous line would change the outline. */
  #whole = false;

  /** Takes the line of `text` from `at` to `end`. */
  take(text: string, at: number, end: number): void {
    const code = text.charCodeAt(at);
    if (code === 0x20 || code === 0x09) this.#unclear ||= this.#whole;
    else if (this.#isTold(text, at)) this.#read(text.slice(at, end));
    else this.#whole = end - at < SHORTEST_FOLDED;
  }

  /** Undefined if the text alone cannot decide. */
  span(): Span | undefined {
    const [uid, start, end = start] = [this.#uid, this.#start, this.#end];
    if (this.#unclear || uid === undefined || start === undefined || end === undefined) return undefined;
    const [first, last] = [dayOf(start), dayOf(end)];
    if (last < first) return undefined;
    const more = this.#rule === undefined ? 0 : daysOfRule(this.#rule, first, Number(start.slice(6)));
    if (more === undefined) return undefined;
    // a copy, because a substring keeps the whole string in memory
    return { uid: () => Buffer.from(uid, 'latin1').toString('latin1'), first, last: last + more };
  }

  /** Whether the line can matter, by its first two characters: UID, DT…, DU…, R…, EX…, ST…, X-…. */
  #isTold(text: string, at: number): boolean {
    const [first, second] = [text.charCodeAt(at) & 0xdf, text.charCodeAt(at + 1) & 0xdf];
    // every event has DTSTAMP, and it does not matter
    if (first === 0x44) return second === 0x55 || (second === 0x54 && !text.startsWith('DTSTAMP', at));
    if (first === 0x53) return second === 0x54;
    if (first === 0x55) return second === 0x49;
    return first === 0x52 || first === 0x45 || first === 0x58;
  }

  #read(line: string): void {
    this.#whole = true;
    if (NEEDS_READING.test(line)) this.#unclear ||= !HARMLESS.test(line);
    else if (/^UID/i.test(line)) this.#uid = this.#once(this.#uid, PLAIN_UID.exec(line)?.[1]);
    else if (/^RRULE/i.test(line)) this.#rule = this.#once(this.#rule, PLAIN_RULE.exec(line)?.[0]);
    else if (/^DT(START|END)/i.test(line)) this.#time(line);
    else this.#whole = line.length < SHORTEST_FOLDED;
  }

  #time(line: string): void {
    const [, name, date] = PLAIN_TIME.exec(line) ?? [];
    if (name === 'START') this.#start = this.#once(this.#start, date);
    else this.#end = this.#once(this.#end, date);
  }

  /** A repeated property, or one in an unexpected form, requires a full parse. */
  #once(before: string | undefined, value: string | undefined): string | undefined {
    this.#unclear ||= before !== undefined || value === undefined;
    return value;
  }
}

/**
 * The number of days between the first and the last start of a rule of the form above. Undefined for a rule that needs
 * a full parse, infinite for a rule without an end.
 */
function daysOfRule(rule: string, first: number, dayOfMonth: number): number | undefined {
  const part = (name: string): string | undefined => new RegExp(`;${name}=([^;\r]+)`).exec(rule)?.[1];
  const days = part('BYDAY')?.split(',').map(weekday);
  // if the rule does not give the start, the start is not its first instance
  if (days?.includes(weekdayOf(first)) === false || days?.includes(undefined) === true) return undefined;
  const [until, count] = [part('UNTIL'), part('COUNT')];
  if (until !== undefined) {
    const left = dayOf(until) - first;
    return count !== undefined || left < 1 ? undefined : left;
  }
  if (count === undefined) return Number.POSITIVE_INFINITY;
  // a day that some months or years lack takes longer to reach COUNT
  const isRegular = days === undefined && dayOfMonth <= 28;
  return Number(part('INTERVAL') ?? 1) * Number(count) * longest(rule, isRegular);
}

/** The most days in one period of a rule. A week counts whole, whichever days the rule names. */
function longest(rule: string, isRegular: boolean): number {
  const [, frequency] = /FREQ=([A-Z]+)/.exec(rule) ?? [];
  if (frequency === 'WEEKLY') return 7;
  if (!isRegular) return Number.POSITIVE_INFINITY;
  return frequency === 'DAILY' ? 1 : frequency === 'MONTHLY' ? 31 : 366;
}

/** Every `every` days from `first`; with `days`, those days of each period of weeks. */
interface Plan {
  /** The day that periods count from: the start, or the first day of its week. */
  readonly base: number;
  /** Length of a period in days. */
  readonly period: number;
  /** The days of each period that count, from its first day, in order. */
  readonly offsets: readonly number[];
  /** The number of counting days in the first period before the start. */
  readonly skipped: number;
  readonly count: number;
}

const PLAIN = new Set(['FREQ', 'INTERVAL', 'COUNT', 'UNTIL', 'WKST']);

/**
 * Wall-clock starts between `from` and `to`, a few more than `limit` at most. The caller applies UNTIL.
 * Undefined for a rule with other parts than days and weeks.
 */
export function dailyStarts(
  parts: ReadonlyMap<string, string>,
  start: Temporal.PlainDateTime,
  from: Temporal.PlainDateTime,
  to: Temporal.PlainDateTime,
  limit: number,
): Temporal.PlainDateTime[] | undefined {
  const plan = planOf(parts, numberOf(start));
  if (plan === undefined) return undefined;
  const { base, period, offsets, skipped, count } = plan;
  const time = start.toPlainTime();
  const starts: Temporal.PlainDateTime[] = [];
  const wanted = Math.max(numberOf(from), numberOf(start));
  for (let index = Math.max(0, Math.floor((wanted - base) / period)); starts.length <= limit; index += 1) {
    if (base + index * period > numberOf(to)) break;
    for (const [place, offset] of offsets.entries()) {
      const nth = index * offsets.length + place - skipped;
      if (nth < 0 || nth >= count) continue;
      const wall = dateOf(base + index * period + offset).toPlainDateTime(time);
      if (compare(wall, from) >= 0 && compare(wall, to) <= 0) starts.push(wall);
    }
  }
  return starts;
}

function planOf(parts: ReadonlyMap<string, string>, start: number): Plan | undefined {
  const isWeekly = parts.get('FREQ') === 'WEEKLY';
  const interval = Number(parts.get('INTERVAL') ?? 1);
  const names = [...parts.keys()].filter((name) => !PLAIN.has(name));
  const count = Number(parts.get('COUNT') ?? Number.POSITIVE_INFINITY);
  if (parts.get('FREQ') !== 'DAILY' && !isWeekly) return undefined;
  if (names.length === 0) {
    const period = isWeekly ? 7 * interval : interval;
    return { base: start, period, offsets: [0], skipped: 0, count };
  }
  // a daily rule with BYDAY means the same as a weekly rule on those days
  if (names.join() !== 'BYDAY' || (!isWeekly && interval > 1)) return undefined;
  const days = parts.get('BYDAY')?.split(',').map(weekday) ?? [];
  const monday = weekday(parts.get('WKST') ?? 'MO');
  if (monday === undefined || days.includes(undefined)) return undefined;
  const base = start - ((weekdayOf(start) - monday + 7) % 7);
  const offsets = [...new Set(days.map((day) => ((day ?? 0) - monday + 7) % 7))].sort((a, b) => a - b);
  const skipped = offsets.filter((offset) => base + offset < start).length;
  return { base, period: 7 * interval, offsets, skipped, count };
}

const EPOCH = new Temporal.PlainDate(1970, 1, 1);
const dateOf = (day: number): Temporal.PlainDate => EPOCH.add({ days: day });
const numberOf = (time: Temporal.PlainDateTime): number =>
  dayOf(time.toPlainDate().toString({ calendarName: 'never' }).replaceAll('-', ''));
const compare = (a: Temporal.PlainDateTime, b: Temporal.PlainDateTime): number =>
  Temporal.PlainDateTime.compare(a, b);

type Filter = (time: Temporal.PlainDateTime) => boolean;

/** The filters by the clock that these rules support. */
const FILTERS = new Set(['BYHOUR', 'BYDAY', 'BYMONTHDAY', 'BYMONTH']);
const COUNTED = new Set(['FREQ', 'INTERVAL', 'COUNT', 'UNTIL', 'WKST']);
const HOUR_MS = 3_600_000;
/** Limit of steps from the start of a filtered, counted series: eleven years of hours. */
const MAX_STEPS = 100_000;

/**
 * Starts between `from` and `to`, inclusive. The caller applies UNTIL. Undefined for a rule that is not hourly, has parts
 * other than filters by hour and day, or is too long to be counted. Hours are counted as they pass, not as the clock shows
 * them: in the autumn fold an hourly series has both hours between two and three, in spring it has none.
 */
export function hourlyStarts(
  parts: ReadonlyMap<string, string>,
  { wall, zone }: Moment,
  from: Temporal.Instant,
  to: Temporal.Instant,
): Temporal.Instant[] | undefined {
  const filters = parts.get('FREQ') === 'HOURLY' ? readFilters(parts) : undefined;
  if (filters === undefined) return undefined;
  const start = zone.instantAt(wall).epochMilliseconds;
  const step = Number(parts.get('INTERVAL') ?? 1) * HOUR_MS;
  const count = Number(parts.get('COUNT') ?? Number.POSITIVE_INFINITY);
  const needsCounting = filters.length > 0 && count < Number.POSITIVE_INFINITY;
  const [first, last] = [from.epochMilliseconds, to.epochMilliseconds];
  const skipped = needsCounting ? 0 : Math.max(0, Math.ceil((first - start) / step));
  if ((last - start) / step - skipped > MAX_STEPS) return undefined;
  const starts: Temporal.Instant[] = [];
  let nth = skipped;
  for (let at = start + skipped * step; at <= last && nth < count; at += step) {
    const time = Temporal.Instant.fromEpochMilliseconds(at);
    if (filters.length > 0 && !isGiven(zone.wallAt(time), filters)) continue;
    nth += 1;
    if (at >= first) starts.push(time);
  }
  return starts;
}

const isGiven = (time: Temporal.PlainDateTime, filters: readonly Filter[]): boolean =>
  filters.every((filter) => filter(time));

function readFilters(parts: ReadonlyMap<string, string>): Filter[] | undefined {
  const filters: Filter[] = [];
  for (const [name, value] of parts) {
    if (COUNTED.has(name)) continue;
    const filter = FILTERS.has(name) ? readFilter(name, value.split(',')) : undefined;
    if (filter === undefined) return undefined;
    filters.push(filter);
  }
  return filters;
}

function readFilter(name: string, values: readonly string[]): Filter | undefined {
  const numbers = name === 'BYDAY' ? values.map((code) => weekday(code) ?? NaN) : values.map(Number);
  if (!numbers.every(Number.isInteger)) return undefined;
  switch (name) {
    case 'BYHOUR':
      return ({ hour }) => numbers.includes(hour);
    case 'BYDAY':
      return ({ dayOfWeek }) => numbers.includes(dayOfWeek % 7);
    case 'BYMONTHDAY':
      return ({ day, daysInMonth }) => numbers.includes(day) || numbers.includes(day - daysInMonth - 1);
    default:
      return ({ month }) => numbers.includes(month);
  }
}

const CODES = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'];

/** The number of a day given as `20261122`; day 0 is 1970-01-01, a Thursday. It does not check that the date exists. */
export function dayOf(date: string): number {
  const number = Number(date);
  const [year, month, day] = [Math.floor(number / 10_000), Math.floor(number / 100) % 100, number % 100];
  // days since 0000-03-01 with years that begin in March, so that a leap day comes last
  const shifted = month > 2 ? year : year - 1;
  const inYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const leaps = Math.floor(shifted / 4) - Math.floor(shifted / 100) + Math.floor(shifted / 400);
  return shifted * 365 + leaps + inYear - 719_468;
}

/** 0 for Sunday to 6 for Saturday. */
export const weekdayOf = (day: number): number => (((day + 4) % 7) + 7) % 7;

/** `MO` → 1; undefined for other texts, ordinal weekdays (`2MO`) included. */
export function weekday(code: string): number | undefined {
  const index = CODES.indexOf(code);
  return index < 0 ? undefined : index;
}
