/** Whether a text is a value of its VR (PS3.5 table 6.2-1): for reports, since what is read is read as it is. */
import { limitOf } from './fit.ts';
import { normalDateTime, normalTime } from './match-range.ts';

type Test = (value: string) => boolean;

const TESTS: Readonly<Record<string, Test>> = {
  AE: (value) => /^[\x20-\x5b\x5d-\x7e]*$/.test(value),
  AS: (value) => /^\d{3}[DWMY]$/.test(value),
  CS: (value) => /^[A-Z0-9 _]*$/.test(value),
  DA: isDay,
  DS: (value) => /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/.test(value),
  DT: (value) => normalDateTime(value, 'first') !== undefined,
  IS: (value) => /^\s*[+-]?\d+\s*$/.test(value),
  TM: (value) => /^[\d.]*$/.test(value) && normalTime(value) !== undefined,
  UI: (value) => /^(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*))*$/.test(value),
};

/** Whether one value, without its padding, is of this VR. An empty one is. */
export function isValidText(vr: string, value: string): boolean {
  if (value === '') return true;
  const limit = limitOf(vr);
  const isShort = (part: string): boolean =>
    limit === undefined || part.length <= limit || Array.from(part).length <= limit;
  const fits = vr === 'PN' ? value.split('=').every(isShort) : isShort(value);
  return fits && (TESTS[vr]?.(value) ?? true);
}

/** Eight digits of a day that the calendar has: February has no 30th. */
function isDay(value: string): boolean {
  const [, year, month, day] = /^(\d{4})(\d\d)(\d\d)$/.exec(value) ?? [];
  if (year === undefined || Number(month) < 1 || Number(month) > 12 || Number(day) < 1) return false;
  return (
    Number(day) <= Temporal.PlainYearMonth.from({ year: Number(year), month: Number(month) }).daysInMonth
  );
}
