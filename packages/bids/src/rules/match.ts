/** Whether the conditions of a rule hold for an image, and what the groups of its patterns found. */
import type { Pattern } from '@scanflow/booking';
import type { Candidate } from './types.ts';
import type { When } from './schema.ts';

/** What named groups found. */
export type Found = Readonly<Record<string, string>>;

type Conditions = Omit<When, 'not'>;
type Key = keyof Conditions;
type Test = (candidate: Candidate) => Found | undefined;

/** Longer than any text of DICOM that a rule looks at. */
const LONGEST_TEXT = 1024;

/** The texts in which the patterns of a key search: one of them has to match. */
const TEXTS: Readonly<Partial<Record<Key, (candidate: Candidate) => readonly string[]>>> = {
  name: ({ series }) => [series.protocolName, series.seriesDescription],
  protocolName: ({ series }) => [series.protocolName],
  seriesDescription: ({ series }) => [series.seriesDescription],
  sequenceName: ({ series }) => [series.sequenceName],
  modality: ({ series }) => [series.modality],
  manufacturer: ({ series }) => [series.manufacturer],
  model: ({ series }) => [series.model],
  scanner: ({ series }) => [series.scanner],
  output: ({ output }) => (output === undefined ? [] : [output.name]),
  subject: ({ session }) => [session.subject],
  session: ({ session }) => [session.session ?? ''],
};

const NUMBERS: Readonly<Partial<Record<Key, (candidate: Candidate) => number | undefined>>> = {
  echo: ({ output }) => output?.echo,
  echoes: ({ series }) => echoesOf(series.outputs),
  echoTime: ({ output }) => output?.echoTime,
  inversionTime: ({ output }) => output?.inversionTime,
  highestBValue: ({ series }) => series.bValues.at(-1) ?? 0,
  volumes: ({ series }) => series.volumes,
  images: ({ series }) => series.images,
  seriesNumber: ({ series }) => series.seriesNumber,
};

const WORDS: Readonly<Partial<Record<Key, (candidate: Candidate) => string | undefined>>> = {
  mrAcquisitionType: ({ series }) => series.mrAcquisitionType,
  part: ({ output }) => (output === undefined ? undefined : (output.part ?? 'mag')),
  phaseEncodingDirection: ({ output }) => output?.phaseEncodingDirection,
};

const echoesOf = (outputs: Candidate['series']['outputs']): number =>
  Math.max(1, new Set(outputs.map(({ echo }) => echo ?? 1)).size);

/** Undefined where a condition does not hold. */
export function matcher({ not, ...conditions }: When): Test {
  const all = testsOf(conditions, 'all');
  const none = not === undefined ? [] : testsOf(not, 'any');
  return (candidate) => {
    let found: Found = {};
    for (const test of all) {
      const more = test(candidate);
      if (more === undefined) return undefined;
      found = { ...more, ...found };
    }
    return none.some((test) => test(candidate) !== undefined) ? undefined : found;
  };
}

function testsOf(conditions: Conditions, imageType: 'all' | 'any'): Test[] {
  return (Object.entries(conditions) as [Key, unknown][]).flatMap(([key, value]) =>
    value === undefined ? [] : [testOf(key, value, imageType)],
  );
}

const HOLDS: Found = {};

function testOf(key: Key, value: unknown, imageType: 'all' | 'any'): Test {
  const texts = TEXTS[key];
  if (texts !== undefined) return textTest(asList(value as Pattern | readonly Pattern[]), texts);
  const number = NUMBERS[key];
  if (number !== undefined) return rangeTest(value as Range, number);
  const word = WORDS[key];
  if (word !== undefined) return (candidate) => (word(candidate) === value ? HOLDS : undefined);
  const wanted = asList(value as string | readonly string[]).map((one) => one.toUpperCase());
  return ({ output }) => {
    const there = new Set((output?.imageType ?? []).map((one) => one.toUpperCase()));
    const has = (one: string): boolean => there.has(one);
    return (imageType === 'all' ? wanted.every(has) : wanted.some(has)) ? HOLDS : undefined;
  };
}

function textTest(patterns: readonly Pattern[], texts: (candidate: Candidate) => readonly string[]): Test {
  return (candidate) => {
    for (const text of texts(candidate))
      for (const pattern of patterns) {
        const match = pattern.exec(text.slice(0, LONGEST_TEXT));
        if (match !== null) return given(match.groups ?? {});
      }
    return undefined;
  };
}

/** Groups that took part in the match. */
const given = (groups: Readonly<Record<string, string | undefined>>): Found =>
  Object.fromEntries(
    Object.entries(groups).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );

type Range = number | { readonly min?: number | undefined; readonly max?: number | undefined };

function rangeTest(range: Range, number: (candidate: Candidate) => number | undefined): Test {
  const { min = -Infinity, max = Infinity } = typeof range === 'number' ? { min: range, max: range } : range;
  return (candidate) => {
    const value = number(candidate);
    return value !== undefined && value >= min && value <= max ? HOLDS : undefined;
  };
}

const asList = <T>(value: T | readonly T[]): readonly T[] =>
  Array.isArray(value) ? (value as readonly T[]) : [value as T];
