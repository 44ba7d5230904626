/** Expands rules of plain days and weeks by arithmetic (RFC 5545 3.3.10), without counting from the series' start. */
import { dayOf, weekday, weekdayOf } from './day.ts';

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
