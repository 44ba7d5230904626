/** Project, subject and session out of what a booker wrote: X-DICOM properties, description lines, the title. */
import { defined } from '../defined.ts';
import type { Matcher } from '../pattern/pattern.ts';
import type { BookableEvent } from './event.ts';
import { groupsOf, isRecognised, LABELS, type LabelName, type PartialLabels } from './groups.ts';
import { readLines, type Line } from './lines.ts';
import { normalise, type NormaliseRules } from './normalise.ts';
import { cleanText } from './text.ts';
import { lowered, singleLine, tidied } from './tidy.ts';
import { runAfter, wholeLabels, type TitleLabels } from './whole.ts';

export { LABELS, type LabelName, type PartialLabels } from './groups.ts';
/** Where a label stands, in the order in which they count; also how a booker is told. */
export const SOURCES = ['the X-DICOM property', 'the description', 'the title'] as const;
export type Source = (typeof SOURCES)[number];

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

export interface Vocabulary {
  /** Over SUMMARY, with the named groups project, subject and session; the first that matches counts. */
  readonly patterns: readonly Matcher[];
  /** The words before the colon in lines of the description; case does not matter. */
  readonly keys: Readonly<Record<LabelName, readonly string[]>>;
  readonly normalise: NormaliseRules;
  /** DICOM modality by key of the scanner; its key may stand in front of a title. */
  readonly modalities: Readonly<Record<string, string>>;
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

/** Longest text that patterns are tried on: a title is a line. */
const LONGEST = 2000;

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
  const isCommented = code !== '' && name !== 'session' && isRecognised(name, code, patterns);
  const groups = groupsOf(patterns).get(name) ?? [];
  if (isCommented && groups.every((group) => group.places(value).length < 2)) return code;
  return name !== 'project' || isRecognised(name, uncommented, patterns) ? uncommented : value;
}

/** One word, and words or a bracket behind it: `sub-001 age 24`, but not `sub-001 and 002`. */
const COMMENTED =
  /^(?<code>\S*[\p{L}\p{N}])[,;]?\s+(?!(?:and|en|und|et|or|of|oder|ou|og|och|y|e|i|a)\s)(?:[([]|(?:-\s+)?(?:age\s|\p{L}{2}|\d+\s*(?:y|j|a|l|år|years?|jaar|jahre?)(?!\p{L})))/iu;

/** Labels of the first pattern that matches; none where no pattern does. */
export const fromTitle = (title: string, patterns: readonly Matcher[]): PartialLabels =>
  readTitle(title, patterns).labels;

/** `neutral`: words that may stand around labels and say nothing. */
export function readTitle(
  title: string,
  patterns: readonly Matcher[],
  neutral: readonly string[] = [],
): TitleLabels {
  const line = title.slice(0, LONGEST);
  const asTyped = firstOf(line, patterns);
  if (asTyped !== undefined) return asTyped;
  const tried = new Set([line]);
  for (const { text, bare } of tidied(line, neutral)) {
    if (tried.has(text)) continue;
    tried.add(text);
    const found = firstOf(text, patterns);
    if (found !== undefined && (!bare || looksCoded(found.labels))) return inOriginal(line, found);
  }
  return { labels: {}, rest: '' };
}

function firstOf(text: string, patterns: readonly Matcher[]): TitleLabels | undefined {
  for (const pattern of patterns) {
    const found = wholeLabels(text, pattern);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Numbers alone, such as those of a date or a time, are no labels because a tidied title has them in a row. */
const looksCoded = (labels: PartialLabels): boolean =>
  Object.values(labels).filter((label) => /\p{L}.*\p{N}|\p{N}{5}/u.test(label)).length > 1;

/** What a tidied title says, with its last label and what follows as they were typed. */
function inOriginal(title: string, { labels, rest }: TitleLabels): TitleLabels {
  const text = singleLine(title);
  const inOrder = LABELS.flatMap((name) => {
    const label = labels[name];
    const from = label === undefined ? -1 : text.toLowerCase().indexOf(label.toLowerCase());
    return label === undefined || from < 0 ? [] : [{ name, label, to: from + label.length }];
  }).toSorted((a, b) => a.to - b.to);
  const last = inOrder.at(-1);
  if (last === undefined) return { labels, rest };
  const behind = text.slice(last.to);
  const run = runAfter(behind);
  return { labels: { ...labels, [last.name]: last.label + run }, rest: behind.slice(run.length) };
}
