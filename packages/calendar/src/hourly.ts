/**
 * Rules of hours (RFC 5545 3.3.10). Hours are counted as they pass, not as the clock shows them: in the autumn fold an
 * hourly series has both hours between two and three, in spring it has none.
 */
import { weekday } from './day.ts';
import type { Moment } from './moment.ts';

type Filter = (time: Temporal.PlainDateTime) => boolean;

/** The filters by the clock that these rules support. */
const FILTERS = new Set(['BYHOUR', 'BYDAY', 'BYMONTHDAY', 'BYMONTH']);
const COUNTED = new Set(['FREQ', 'INTERVAL', 'COUNT', 'UNTIL', 'WKST']);
const HOUR_MS = 3_600_000;
/** Limit of steps from the start of a filtered, counted series: eleven years of hours. */
const MAX_STEPS = 100_000;

/**
 * Starts between `from` and `to`, inclusive. The caller applies UNTIL. Undefined for a rule that is not hourly, has parts
 * other than filters by hour and day, or is too long to be counted.
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
