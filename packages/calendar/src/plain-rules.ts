/** Expands rules of plain days, weeks and hours by arithmetic (RFC 5545 3.3.10), without counting from the series' start. */
import type { Moment } from './moment.ts';

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
