/** Matching of one value (PS3.4 C.2.2.2.1): dates, times and their ranges (C.2.2.2.5), texts and wild cards (C.2.2.2.4). */

/** Bounds of a range in a form that sorts as text; undefined where it is open. */
export interface Range {
  readonly low: string | undefined;
  readonly high: string | undefined;
  /** Written with `-`; otherwise one value. */
  readonly isRange: boolean;
}

/** The value as YYYYMMDD; also of the form YYYY.MM.DD that older equipment writes (PS3.5 table 6.2-1, DA). */
export function normalDate(text: string): string | undefined {
  const [, year = '', month = '', day = ''] = /^(\d{4})\.?(\d\d)\.?(\d\d)$/.exec(text.trim()) ?? [];
  return between(month, 1, 12) && between(day, 1, 31) ? year + month + day : undefined;
}

/** The value as HHMMSS.FFFFFF, what is left out as zeros; also with colons, as older equipment writes it. */
export function normalTime(text: string): string | undefined {
  const match = /^(\d\d)(?::?(\d\d)(?::?(\d\d)(?:\.(\d{1,6}))?)?)?$/.exec(text.trim());
  if (match === null) return undefined;
  const [, hour = '', minute = '00', second = '00', fraction = ''] = match;
  if (!between(hour, 0, 23) || !between(minute, 0, 59) || !between(second, 0, 60)) return undefined;
  return `${hour}${minute}${second}.${fraction.padEnd(6, '0')}`;
}

const DATE_TIME = /^(\d{4}(?:\d\d){0,5})(?:\.(\d{1,6}))?([+-]\d{4})?$/;
const FILL = { first: '00000101000000', last: '99991231235959' } as const;

/**
 * A DT as YYYYMMDDHHMMSS.FFFFFF, in UTC where it has an offset; `fill` completes what is left out to the first or
 * the last moment.
 */
export function normalDateTime(text: string, fill: 'first' | 'last'): string | undefined {
  const match = DATE_TIME.exec(text.trim());
  if (match === null) return undefined;
  const [, digits = '', fraction, offset] = match;
  const whole = digits + FILL[fill].slice(digits.length);
  if (normalDate(whole.slice(0, 8)) === undefined || normalTime(whole.slice(8)) === undefined)
    return undefined;
  const micros = (fraction ?? '').padEnd(6, fill === 'last' && fraction === undefined ? '9' : '0');
  return offset === undefined ? `${whole}.${micros}` : toUtc(whole, micros, offset);
}

function toUtc(digits: string, micros: string, offset: string): string | undefined {
  const part = (from: number, to: number): number => Number(digits.slice(from, to));
  // Constrained, for the 31st that a month without one was completed to.
  const local = Temporal.PlainDateTime.from({
    year: part(0, 4),
    month: part(4, 6),
    day: part(6, 8),
    hour: part(8, 10),
    minute: part(10, 12),
    second: part(12, 14),
  });
  if (!between(offset.slice(1, 3), 0, 14) || !between(offset.slice(3), 0, 59)) return undefined;
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(3));
  const utc = offset.startsWith('-') ? local.add({ minutes }) : local.subtract({ minutes });
  return `${utc.toString({ smallestUnit: 'second' }).replace(/[-:T]/g, '')}.${micros}`;
}

type Normal = (text: string, fill: 'first' | 'last') => string | undefined;
const NORMAL: Readonly<Record<string, Normal>> = { DA: normalDate, TM: normalTime, DT: normalDateTime };

/** Whether values of this VR are dates or times, so that a query may give a range of them (PS3.4 C.2.2.2.5). */
export const isTemporal = (vr: string): boolean => NORMAL[vr] !== undefined;

/** A DA, TM or DT in the form that ranges are compared in; undefined if it is none. */
export function normal(vr: string, text: string): string | undefined {
  return NORMAL[vr]?.(text, 'first');
}

/** Two DT of 26 characters and what is between them (PS3.5 table 6.2-1), with room for spaces. */
const LONGEST_RANGE = 64;

/**
 * The range of a key `a-b`, `a-`, `-b` or of one value; undefined if it is none of these or runs backwards. In DT the
 * `-` of an offset from UTC is taken for one where it can be (PS3.4 C.2.2.2.5.3).
 */
export function parseRange(vr: string, key: string): Range | undefined {
  return parseBounds(vr, key, ({ low, high }) => low === undefined || high === undefined || low <= high);
}

/** As `parseRange`, also where it runs backwards: the times of a period do, from 15th noon to 16th nine. */
export function parseTimes(key: string): Range | undefined {
  return parseBounds('TM', key, () => true);
}

function parseBounds(vr: string, key: string, accepts: (range: Range) => boolean): Range | undefined {
  const parse = NORMAL[vr];
  if (parse === undefined || key.length > LONGEST_RANGE) return undefined;
  const single = parse(key, 'first');
  if (single !== undefined)
    return { low: single, high: vr === 'DT' ? parse(key, 'last') : single, isRange: false };
  for (let at = key.indexOf('-'); at >= 0; at = key.indexOf('-', at + 1)) {
    const range = bounds(parse, key.slice(0, at).trim(), key.slice(at + 1).trim());
    if (range !== undefined && accepts(range)) return range;
  }
  return undefined;
}

function bounds(parse: Normal, from: string, to: string): Range | undefined {
  const low = parse(from, 'first');
  const high = parse(to, 'last');
  if ((from !== '' && low === undefined) || (to !== '' && high === undefined)) return undefined;
  if (low === undefined && high === undefined) return undefined;
  return { low, high, isRange: true };
}

/** Whether a value in normal form lies in the range, bounds included. */
export function inRange({ low, high }: Range, value: string): boolean {
  return (low === undefined || value >= low) && (high === undefined || value <= high);
}

const between = (digits: string, low: number, high: number): boolean =>
  digits !== '' && Number(digits) >= low && Number(digits) <= high;

type TextTest = (value: string) => boolean;

/** VRs that `*` and `?` are wild cards in (PS3.4 C.2.2.2.4). */
const WILD = new Set(['AE', 'CS', 'LO', 'LT', 'PN', 'SH', 'ST', 'UC', 'UR', 'UT']);

/** A test for one value of a key that is no date, time or empty. */
export function textTest(vr: string, key: string, caseInsensitivePn: boolean): TextTest {
  if (vr === 'PN') return nameTest(key, caseInsensitivePn);
  if (vr === 'IS' || vr === 'DS') return numberTest(key);
  // a code has no lower case (PS3.5 table 6.2-1): `mr` means MR
  if (vr === 'CS') return wildTest(key.toUpperCase());
  return WILD.has(vr) ? wildTest(composed(key)) : (value) => value === key;
}

/** Numbers as texts: 70 and 70.0 are one weight. */
function numberTest(key: string): TextTest {
  const number = Number(key);
  return (value) => value === key || (value !== '' && Number(value) === number);
}

/**
 * By component groups (PS3.5 6.2.1.1): each group of the key that is not empty matches that of the value. A key of
 * one group may match any group: whoever asks in kana does not know where the item has them. Empty components at the
 * end mean nothing.
 */
function nameTest(key: string, ignoreCase: boolean): TextTest {
  const fold = (text: string): string => {
    const plain = composed(text).replace(/[\^ ]+$/, '');
    return ignoreCase ? plain.toLowerCase() : plain;
  };
  const groups = key.split('=');
  const tests = groups.map((group) => (fold(group) === '' ? undefined : wildTest(fold(group))));
  const [only] = tests;
  if (tests.length === 1 && only !== undefined)
    return (value) => value.split('=').some((group) => only(fold(group)));
  return (value) => {
    const folded = value.split('=').map(fold);
    return tests.every((test, index) => test === undefined || test(folded[index] ?? ''));
  };
}

/** `*` is any characters or none, `?` one character: a code point, not a byte. */
function wildTest(pattern: string): TextTest {
  if (!/[*?]/.test(pattern)) return (value) => value === pattern || composed(value) === pattern;
  const wanted = Array.from(pattern);
  return (value) => glob(wanted, Array.from(composed(value)));
}

/** In time of pattern × value at most: after a mismatch it goes back to the last `*` only. */
function glob(pattern: readonly string[], value: readonly string[]): boolean {
  let at = 0;
  let star = -1;
  let retry = 0;
  for (let index = 0; index < value.length;) {
    const wanted = pattern[at];
    if (wanted === '*') {
      star = at;
      at += 1;
      retry = index;
    } else if (wanted === '?' || wanted === value[index]) {
      at += 1;
      index += 1;
    } else if (star >= 0) {
      at = star + 1;
      retry += 1;
      index = retry;
    } else return false;
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}

/** One form for é as one character and as e with its mark; plain ASCII has only one. */
const composed = (text: string): string => (/^[ -~]*$/.test(text) ? text : text.normalize('NFC'));
