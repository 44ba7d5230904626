/** Days as numbers, for the arithmetic of thousands of events; day 0 is 1970-01-01, a Thursday. */

const CODES = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'];

/** The number of a day given as `20261122`. It does not check that the date exists. */
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
