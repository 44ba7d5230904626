/** Project, subject and session out of what a booker wrote: X-DICOM properties, description lines, the title. */
import { defined } from '@scanflow/failure/defined';
import type { Matcher } from '../pattern/pattern.ts';
import type { BookableEvent, BookingRules, NormaliseRule, NormaliseRules, Vocabulary } from './rules.ts';
import { LABELS, type LabelName, type PartialLabels } from '../booking.ts';
import { groupsOf, isRecognised, hintsOf } from './hints.ts';
import { readLines, type Line } from './lines.ts';
import { cleanText, plainText } from './text.ts';
import { lowered, readTitle, wholeLabels } from './title.ts';

/** Where a label stands, in the order in which they count; messages to a booker use these words. */
type Source = 'the X-DICOM property' | 'the description' | 'the title';

export interface Place {
  readonly value: string;
  readonly source: Source;
  /** What 0.1.0 took, where it is something else. */
  readonly former?: string;
}

/** Where two places name one label differently. */
export interface Contradiction {
  readonly label: LabelName;
  readonly places: readonly [Place, Place];
}

export type FoundLabels =
  | {
      readonly ok: true;
      readonly labels: PartialLabels;
      /** Labels that were rewritten by the configured rules, as they were typed. */
      readonly rewritten: PartialLabels;
      /** Whether a pattern matched the title. */
      readonly titled: boolean;
      /** The labels as 0.1.0 read them, where it cut one. */
      readonly former?: PartialLabels;
      /** What stands in the title after its labels. */
      readonly rest: string;
    }
  | { readonly ok: false; readonly contradiction: Contradiction };

/** All places must agree on what they name; what one lacks, the next one fills in. */
export function findLabels(event: BookableEvent, vocabulary: Vocabulary): FoundLabels {
  const { patterns, modalities, keys } = vocabulary;
  const summary = cleanText(event.summary);
  const neutral = [...Object.keys(modalities), ...LABELS.flatMap((name) => keys[name])];
  const { labels: title, former, rest } = readTitle(summary, patterns, neutral);
  const lines = fromLines(event.description, 'the description', vocabulary);
  const titled = Object.keys(title).length > 0;
  const keyed = titled ? [] : fromLines(summary, 'the title', vocabulary);
  const strong = [
    ...entries(event.labels ?? {}, 'the X-DICOM property'),
    ...lines.filter(({ weak }) => !weak).map(({ entry }) => entry),
    ...entries(title, 'the title'),
  ];
  const named = new Set(strong.map(([name]) => name));
  const weak = [...lines.filter((line) => line.weak), ...keyed].map(({ entry }) => entry);
  const found = [...strong, ...weak.filter(([name]) => !named.has(name))];
  const kept: Partial<Record<LabelName, Place>> = {};
  const rewritten: Partial<Record<LabelName, string>> = {};
  for (const [label, { value: typed, source, former: was }] of found) {
    const value = normalise(typed, vocabulary.normalise[label]);
    const other = kept[label];
    if (other !== undefined && other.value !== value) {
      // capitals of a line count for nothing where the title has the label as the facility writes it
      if (source === 'the title' && isSame(other.value, value)) kept[label] = { value, source };
      else return { ok: false, contradiction: { label, places: [other, { value, source }] } };
    }
    kept[label] ??= { value, source, ...defined({ former: was }) };
    if (value !== typed) rewritten[label] ??= typed;
  }
  const labels = Object.fromEntries(LABELS.flatMap((name) => pair(name, kept[name]?.value)));
  const isOther = former !== undefined || LABELS.some((name) => kept[name]?.former !== undefined);
  const before = isOther ? { former: asBefore(labels, kept, former ?? {}, vocabulary.normalise) } : {};
  return { ok: true, labels, rewritten, titled, rest, ...before };
}

const isSame = (a: string, b: string): boolean => lowered(a) === lowered(b);

/** The labels as 0.1.0 took them from the same places. */
function asBefore(
  labels: PartialLabels,
  kept: Readonly<Partial<Record<LabelName, Place>>>,
  former: PartialLabels,
  rules: NormaliseRules,
): PartialLabels {
  const changed = LABELS.flatMap((name) => {
    const place = kept[name];
    const typed = place?.source === 'the title' ? former[name] : place?.former;
    return pair(name, typed === undefined ? undefined : normalise(typed, rules[name]));
  });
  return { ...labels, ...Object.fromEntries(changed) };
}

type Entry = readonly [LabelName, Place];

const pair = (name: LabelName, value: string | undefined): [LabelName, string][] =>
  value === undefined ? [] : [[name, value]];

function entries(labels: PartialLabels, source: Source): Entry[] {
  return LABELS.flatMap((name): Entry[] => {
    const value = cleanText(labels[name] ?? '').trim();
    return value === '' ? [] : [[name, { value, source }]];
  });
}

interface Read {
  readonly entry: Entry;
  readonly weak: boolean;
}

/** Lines like `Subject: sub-001`, in plain text or in the HTML that some calendars make of it. */
function fromLines(text: string, source: Source, { keys, patterns }: Vocabulary): Read[] {
  const names = new Map(
    LABELS.flatMap((label) => keys[label].map((key) => [key.toLowerCase(), label] as const)),
  );
  return readLines(text, names).flatMap((line): Read[] => {
    const { name, former, weak = false, loose = false } = line;
    if (loose && !isRecognised(name, line.value, patterns)) return [];
    // a mail's subject may be a whole title
    const labels = /\s/u.test(line.value) ? severalIn(line.value, name, patterns) : {};
    const whole = entries(labels, source);
    if (whole.length > 1) return whole.map((entry) => ({ entry, weak }));
    const value = valueOf(line, patterns);
    const was = former ?? (value === line.value ? undefined : line.value);
    return [{ entry: [name, { value, source, ...defined({ former: was }) }], weak }];
  });
}

/** A line's value that is a whole title, or nothing but several labels: `Subject: sub-001 / ses-mri01`. */
function severalIn(value: string, name: LabelName, patterns: readonly Matcher[]): PartialLabels {
  const { labels } = readTitle(value, patterns);
  if (LABELS.every((one) => labels[one] !== undefined)) return labels;
  const words = value.split(/[\s,;|/]+/u).filter((word) => word !== '');
  const found = words.flatMap((word): [LabelName, string][] =>
    pair(LABELS.find((one) => isRecognised(one, word, patterns)) ?? name, word),
  );
  const all: PartialLabels = Object.fromEntries(found);
  const areAll = Object.keys(all).length === words.length && isRecognised(name, all[name] ?? '', patterns);
  return areAll ? all : {};
}

/** Without its comment, where what is left is a label as the facility writes it. Projects may be called `P1 (2024)`. */
function valueOf(
  { name, value, uncommented = value }: Line<LabelName>,
  patterns: readonly Matcher[],
): string {
  const { code = '' } = COMMENTED.exec(value)?.groups ?? {};
  // a number behind a project or session may be part of its name
  const isLong = name !== 'subject' && /\d/u.test(value.slice(code.length));
  const isCommented = code !== '' && !isLong && isRecognised(name, code, patterns);
  const groups = groupsOf(patterns).get(name) ?? [];
  if (isCommented && groups.every((group) => group.places(value).length < 2)) return code;
  return name !== 'project' || isRecognised(name, uncommented, patterns) ? uncommented : value;
}

/** One word, and words or a bracket behind it: `sub-001 age 24`, but not `sub-001 and 002`. */
const COMMENTED =
  /^(?<code>\S*[\p{L}\p{N}])[,;]?\s+(?!(?:and|en|und|et|or|of|oder|ou|og|och|y|e|i|a)\s)(?:[([]|(?:-\s+)?(?:age\s|\p{L}{2}|\d+\s*(?:y|j|a|l|år|years?|jaar|jahre?)(?!\p{L})))/iu;

/** More lines are no note to a booking. */
const MOST_LINES = 200;

/**
 * What places lack, from a title that is not of the facility's form, and from lines that are nothing but a label. All
 * must agree, also with what is given. A title alone is judged by its form, not completed from itself.
 */
export function completed(event: BookableEvent, given: PartialLabels, rules: BookingRules): PartialLabels {
  const lacks = LABELS.filter((name) => given[name] === undefined);
  if (lacks.length === 0) return {};
  const { single, subjects } = hintsOf(cleanText(event.summary), rules);
  const lines = bareLines(event.description, rules);
  if (Object.keys(given).length === 0 && !lacks.some((name) => lines.has(name))) return {};
  const all = LABELS.map((name) => {
    const found = [given[name], single[name], ...(lines.get(name) ?? [])];
    return [name, new Set(found.filter((value) => value !== undefined))] as const;
  });
  if (subjects.length > 1 || all.some(([, values]) => values.size > 1)) return {};
  return Object.fromEntries(all.flatMap(([name, [value]]) => (value === undefined ? [] : [[name, value]])));
}

/** By label, lines that hold it, or a whole title, and nothing else. */
function bareLines(
  description: string,
  { patterns }: Pick<BookingRules, 'patterns'>,
): ReadonlyMap<LabelName, readonly string[]> {
  if (description === '') return new Map();
  const lines = cleanText(plainText(description)).split('\n', MOST_LINES);
  const found = lines.flatMap((line) => {
    const text = line.trim();
    if (text === '' || text.length > 200) return [];
    const name = LABELS.find((one) => isRecognised(one, text, patterns));
    return name === undefined ? titleIn(text, patterns) : [{ name, text }];
  });
  return new Map(
    [...Map.groupBy(found, ({ name }) => name)].map(([name, all]) => [name, all.map(({ text }) => text)]),
  );
}

/** A line that is a title of the facility, and nothing else. */
function titleIn(line: string, patterns: readonly Matcher[]): { name: LabelName; text: string }[] {
  const found = patterns.map((pattern) => wholeLabels(line, pattern)).find((one) => one !== undefined);
  const all = LABELS.flatMap((name) => {
    const text = found?.labels[name];
    return text === undefined ? [] : [{ name, text }];
  });
  const length = all.reduce((sum, { text }) => sum + text.length, 0);
  return all.length === LABELS.length && length + LABELS.length - 1 === line.length ? all : [];
}

/** The label by the rule: case first, then prefix, then zeros. Without a rule, as it is. */
function normalise(label: string, rule: NormaliseRule | undefined): string {
  if (rule === undefined) return label;
  const { prefix = '', pad = 0 } = rule;
  const cased =
    rule.case === 'lower' ? label.toLowerCase() : rule.case === 'upper' ? label.toUpperCase() : label;
  const prefixed = cased.startsWith(prefix) ? cased : prefix + cased;
  return prefixed.replace(/\d+$/u, (digits) => digits.padStart(pad, '0'));
}
