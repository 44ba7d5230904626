/**
 * C-FIND: attribute matching (PS3.4 C.2.2.2) against worklist items, and the identifier of a response, which has the
 * requested keys of an item that matches (PS3.4 K.2.2.1.2, K.4.1.1.3.2).
 */
import type { DataSet, Element, Tag, TextElement } from './dataset.ts';
import { tagOf, vrOf } from './dictionary.ts';
import {
  inRange,
  isTemporal,
  normal,
  normalDate,
  normalTime,
  parseRange,
  parseTimes,
  textTest,
  type Range,
} from './match-value.ts';
import { requireVr } from './layout.ts';
import { conditionalSequences, isOfLevel, levelIn, type Level } from './worklist.ts';

export interface MatchOptions {
  /** PN without regard to case (PS3.4 C.2.2.2.1 leaves it to the SCP). */
  readonly caseInsensitivePn: boolean;
}

/** Whether an item, or an item of a sequence, matches. */
type Matcher = (item: DataSet) => boolean;
type ElementTest = (element: Element | undefined) => boolean;

/** Never matched: they say how the identifier is written (PS3.4 C.2.2.2), Timezone Offset likewise. */
const CONTEXT: ReadonlySet<Tag> = new Set([tagOf('SpecificCharacterSet'), tagOf('TimezoneOffsetFromUTC')]);
const START_DATE = tagOf('ScheduledProcedureStepStartDate');
const START_TIME = tagOf('ScheduledProcedureStepStartTime');
const SENSITIVE: MatchOptions = { caseInsensitivePn: false };

/** Whether an attribute of an identifier is a key at all: no group length, not its character set. */
function isKey(tag: Tag): boolean {
  return (tag & 0xffff) !== 0 && !CONTEXT.has(tag);
}

/**
 * Whether the item matches all keys of the identifier. For many items, `matcher` is faster.
 *
 * @example
 * ```ts
 * import { dataSet, matches } from '@scanflow/dicom';
 *
 * const item = dataSet({ PatientName: 'Doe^Jane', AccessionNumber: '4K2M7Q9X' });
 * matches(dataSet({ PatientName: 'Doe*' }), item); // → true
 * matches(dataSet({ PatientName: 'Doe*', AccessionNumber: 'OTHER' }), item); // → false
 * ```
 */
export function matches(
  identifier: DataSet,
  item: DataSet,
  options: MatchOptions = SENSITIVE,
  level: Level = 'identifier',
): boolean {
  return matcher(identifier, options, level)(item);
}

/**
 * Compiles an identifier, for testing many items with it. All keys must match:
 *
 * - empty or `*`: universal, matches everything, the unknown value too (C.2.2.2.3, K.2.2.1.1.1 note 1);
 * - an item's empty value matches no other key (K.2.2.1.1.1);
 * - several values: one of the key's equals one of the item's. That is list of UID matching (C.2.2.2.2), and lenient
 *   for the rest, since scanners do send several AE titles;
 * - DA, TM, DT: values and ranges (C.2.2.2.5); start date and start time as ranges both are one period (table
 *   K.6-1, remark on Scheduled Procedure Step Start Time);
 * - sequences item by item, at any depth (C.2.2.2.6).
 *
 * A key that cannot be matched selects nothing away (K.2.2.1.1.2): see `isMatchable` and `unsupportedKeys`. One that is
 * not valid matches nothing: see `invalidKeys`.
 */
export function matcher(
  identifier: DataSet,
  options: MatchOptions = SENSITIVE,
  level: Level = 'identifier',
): Matcher {
  const tests: Matcher[] = [];
  const period = startPeriod(identifier, level);
  if (period !== undefined) tests.push(periodTest(period));
  for (const [tag, key] of identifier) {
    const combined = period !== undefined && isOfStart(tag);
    if (combined || !selects(tag, key, level)) continue;
    const test = elementTest(tag, key, options, level);
    tests.push((item) => test(item.get(tag)));
  }
  return (item) => tests.every((test) => test(item));
}

/** Whether a key has a value that can be matched. */
function selects(tag: Tag, key: Element, level: Level): boolean {
  if (!isKey(tag) || isUniversal(key) || !isMatchable(tag, key, level)) return false;
  return (
    key.kind !== 'sequence' || hasInner(key.items, (inner, one) => selects(inner, one, levelIn(tag, level)))
  );
}

/**
 * Whether the worklist matches by this key: table K.6-1 has the attribute at this level, and the value is of its kind. A
 * number in binary is none that we match, and 0 or words for a weight are what consoles send where nobody typed one.
 */
function isMatchable(tag: Tag, key: Element, level: Level): boolean {
  const vr = vrOf(tag);
  if (!isOfLevel(tag, level) || key.kind === 'binary' || key.kind !== requireVr(vr).kind) return false;
  return key.kind !== 'text' || !isNumber(vr) || given(key).some((value) => Math.abs(Number(value)) > 0);
}

const isNumber = (vr: string): boolean => vr === 'DS' || vr === 'IS';

const hasInner = (keys: readonly DataSet[], has: (tag: Tag, key: Element) => boolean): boolean =>
  keys.some((item) => [...item].some(([tag, key]) => has(tag, key)));

const isUnknown = (element: Element | undefined): boolean =>
  element === undefined || (element.kind === 'sequence' && element.items.length === 0);

/** Keys that were given a value and cannot be matched against this item: the answer's status is 0xFF01 then. */
export function unsupportedKeys(identifier: DataSet, item: DataSet, level: Level = 'identifier'): Tag[] {
  const unsupported: Tag[] = [];
  for (const [tag, key] of identifier) {
    if (!isKey(tag) || isUniversal(key)) continue;
    if (!isMatchable(tag, key, level)) unsupported.push(tag);
    else if (key.kind === 'sequence')
      unsupported.push(...below(levelIn(tag, level), key.items, item.get(tag)));
  }
  return unsupported;
}

const NOTHING: readonly DataSet[] = [new Map()];

function below(level: Level, keys: readonly DataSet[], element: Element | undefined): Tag[] {
  const items = element?.kind === 'sequence' && !isUnknown(element) ? element.items : NOTHING;
  const perItem = keys.flatMap((key) => items.map((item) => unsupportedKeys(key, item, level)));
  return [...new Set(perItem.flat())];
}

/** Keys, at any depth, whose value is no date, time or range where one must stand: the query fails with 0xA900. */
export function invalidKeys(identifier: DataSet, level: Level = 'identifier'): Tag[] {
  const period = startPeriod(identifier, level);
  const { low, high } = period ?? {};
  if (low !== undefined && high !== undefined && low > high) return [START_TIME];
  return [...identifier].flatMap(([tag, key]) => {
    if (!selects(tag, key, level) || (period !== undefined && isOfStart(tag))) return [];
    if (key.kind === 'sequence') return key.items.flatMap((item) => invalidKeys(item, levelIn(tag, level)));
    const vr = vrOf(tag);
    if (key.kind !== 'text' || !isTemporal(vr)) return [];
    return given(key).every((value) => parseRange(vr, value) !== undefined) ? [] : [tag];
  });
}

/** Empty, or nothing but `*`; a range without an end on either side; a sequence without items, or whose items have universal keys only. */
function isUniversal(key: Element): boolean {
  switch (key.kind) {
    case 'text':
      return key.values.every(
        (value) => value === '' || (isTemporal(key.vr) ? /^ *- *$/ : /^\*+$/).test(value),
      );
    case 'binary':
      return key.bytes.length === 0;
    case 'sequence':
      return key.items.every((item) => [...item].every(([tag, inner]) => !isKey(tag) || isUniversal(inner)));
  }
}

const given = (key: TextElement): readonly string[] => key.values.filter((value) => value !== '');

function elementTest(tag: Tag, key: Element, options: MatchOptions, level: Level): ElementTest {
  switch (key.kind) {
    case 'text':
      return textElementTest(vrOf(tag), key, options);
    case 'binary':
      return () => true;
    case 'sequence': {
      const matchers = key.items.map((item) => matcher(item, options, levelIn(tag, level)));
      return (element) =>
        element?.kind === 'sequence' && element.items.some((item) => matchers.some((match) => match(item)));
    }
  }
}

/** By the VR that the attribute has, whichever one the query wrote. */
function textElementTest(vr: string, key: TextElement, { caseInsensitivePn }: MatchOptions): ElementTest {
  const values = new Set(given(key));
  // a list of UIDs may be long (C.2.2.2.2); no other key has many values
  if (vr === 'UI')
    return (element) => element?.kind === 'text' && element.values.some((value) => values.has(value));
  const tests = [...values].map((value) =>
    isTemporal(vr) ? temporalTest(vr, value) : textTest(vr, value, caseInsensitivePn),
  );
  return (element) =>
    element?.kind === 'text' &&
    element.values.some((value) => value !== '' && tests.some((test) => test(value)));
}

function temporalTest(vr: string, key: string): (value: string) => boolean {
  const range = parseRange(vr, key);
  return (value) => {
    const moment = normal(vr, value);
    return range !== undefined && moment !== undefined && inRange(range, moment);
  };
}

const isOfStart = (tag: Tag): boolean => tag === START_DATE || tag === START_TIME;

/**
 * Table K.6-1: July 5 to 7 and 10 to 18 h is from July 5, 10 h to July 7, 18 h, and not 10 to 18 h of each day. Its times
 * may run backwards, its dates may not.
 */
function startPeriod(identifier: DataSet, level: Level): Range | undefined {
  if (!isOfLevel(START_DATE, level)) return undefined;
  const dates = rangeOf(identifier.get(START_DATE), (key) => parseRange('DA', key));
  const times = rangeOf(identifier.get(START_TIME), parseTimes);
  if (dates === undefined || times === undefined) return undefined;
  return {
    low: dates.low === undefined ? undefined : dates.low + (times.low ?? '000000.000000'),
    high: dates.high === undefined ? undefined : dates.high + (times.high ?? '240000.000000'),
    isRange: true,
  };
}

function periodTest(period: Range): Matcher {
  return (item) => {
    const date = normalDate(firstText(item.get(START_DATE)));
    const time = normalTime(firstText(item.get(START_TIME)));
    return date !== undefined && time !== undefined && inRange(period, date + time);
  };
}

function rangeOf(key: Element | undefined, parse: (value: string) => Range | undefined): Range | undefined {
  if (key?.kind !== 'text' || key.values.length !== 1) return undefined;
  const range = parse(key.values[0] ?? '');
  return range?.isRange === true ? range : undefined;
}

const firstText = (element: Element | undefined): string =>
  element?.kind === 'text' ? (element.values[0] ?? '') : '';

/** What an item answers; made once for a query and used for every item. */
type Answerer = (item: DataSet) => DataSet;

/**
 * What one matching item answers to a query: `answerer` for a single item.
 *
 * @param identifier the keys of the query
 * @param item an item that `matcher` has let through
 */
export function answer(identifier: DataSet, item: DataSet, options?: MatchOptions): DataSet {
  return answerer(identifier, options)(item);
}

/**
 * Compiles an identifier to what it asks of each item: the attributes that it has as keys, at every depth. What the
 * item does not know is there with zero length, except for sequences of type 1C, which are absent. A sequence key
 * without item, or with an empty one, asks for everything in the item's sequence (PS3.4 C.2.2.2.6); one with keys for
 * the items that match these. Specific Character Set is left to the encoder; Timezone Offset From UTC is there only where
 * the item states it.
 */
export function answerer(identifier: DataSet, options?: MatchOptions): Answerer {
  const parts = [...identifier].flatMap(([tag, key]) => {
    if (tag === TIMEZONE) return [{ tag, answerOf: (element: Element | undefined) => element }];
    return isKey(tag) ? [{ tag, answerOf: elementAnswerer(tag, key, options) }] : [];
  });
  return (item) => {
    const answered = new Map<Tag, Element>();
    for (const { tag, answerOf } of parts) {
      const element = answerOf(item.get(tag));
      if (element !== undefined) answered.set(tag, element);
    }
    return answered;
  };
}

/** Says how the item's times are meant. Returned if the query requests it and the item states it, and never matched. */
const TIMEZONE = tagOf('TimezoneOffsetFromUTC');

type ElementAnswerer = (element: Element | undefined) => Element | undefined;

function elementAnswerer(tag: Tag, key: Element, options: MatchOptions | undefined): ElementAnswerer {
  const conditional = conditionalSequences.has(tag);
  const nothing = unknown(tag, key);
  const keys = key.kind === 'sequence' ? key.items.filter((item) => item.size > 0) : [];
  const parts = keys.map((item) => ({
    match: matcher(item, options, levelIn(tag, 'identifier')),
    answerOf: answerer(item, options),
  }));
  return (element) => {
    if (element === undefined || isEmptySequence(element))
      return conditional ? undefined : (element ?? nothing);
    if (parts.length === 0 || element.kind !== 'sequence') return element;
    const items = element.items.flatMap((item) => {
      const found = parts.find(({ match }) => match(item));
      return found === undefined ? [] : [found.answerOf(item)];
    });
    return { vr: 'SQ', kind: 'sequence', items };
  };
}

const isEmptySequence = (element: Element): boolean =>
  element.kind === 'sequence' && element.items.length === 0;

/** Zero length, in the VR that the query used unless that was UN. */
function unknown(tag: Tag, key: Element): Element {
  const vr = key.vr === 'UN' ? vrOf(tag) : key.vr;
  const { kind } = requireVr(vr);
  if (kind === 'sequence') return { vr: 'SQ', kind, items: [] };
  return kind === 'text' ? { vr, kind, values: [] } : { vr, kind, bytes: new Uint8Array(0) };
}
