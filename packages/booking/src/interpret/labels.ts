/** Project, subject and session out of what a booker wrote: X-DICOM properties, description lines, the title. */
import type { Labels } from '../booking.ts';
import type { Matcher } from '../pattern/pattern.ts';
import type { BookableEvent } from './event.ts';
import { normalise, type NormaliseRules } from './normalise.ts';
import { readLines } from './lines.ts';
import { cleanText } from './text.ts';
import { tidied } from './tidy.ts';
import { wholeLabels, type TitleLabels } from './whole.ts';

export type LabelName = keyof Labels;
export type PartialLabels = Readonly<Partial<Record<LabelName, string>>>;

export const LABELS: readonly LabelName[] = ['project', 'subject', 'session'];

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
  const { labels: title, former, rest } = readTitle(cleanText(event.summary), vocabulary.patterns);
  const found = [
    ...entries(event.labels ?? {}, 'the X-DICOM property'),
    ...fromLines(event.description, vocabulary.keys),
    ...entries(title, 'the title'),
  ];
  const kept: Partial<Record<LabelName, Place>> = {};
  const rewritten: Partial<Record<LabelName, string>> = {};
  for (const [label, { value: typed, source, former: was }] of found) {
    const value = normalise(typed, vocabulary.normalise[label]);
    const other = kept[label];
    if (other !== undefined && other.value !== value)
      return { ok: false, contradiction: { label, places: [other, { value, source }] } };
    kept[label] ??= { value, source, ...(was === undefined ? {} : { former: was }) };
    if (value !== typed) rewritten[label] ??= typed;
  }
  const labels = Object.fromEntries(LABELS.flatMap((name) => pair(name, kept[name]?.value)));
  const isOther = former !== undefined || LABELS.some((name) => kept[name]?.former !== undefined);
  const before = isOther ? { former: asBefore(labels, kept, former ?? {}, vocabulary.normalise) } : {};
  return { ok: true, labels, rewritten, titled: Object.keys(title).length > 0, rest, ...before };
}

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

/** Lines like `Subject: sub-001`, in plain text or in the HTML that some calendars make of it. */
function fromLines(description: string, keys: Vocabulary['keys']): Entry[] {
  const names = new Map(
    LABELS.flatMap((label) => keys[label].map((key) => [key.toLowerCase(), label] as const)),
  );
  return readLines(description, names).map(({ name, value, former }) => [
    name,
    { value, source: 'the description', ...(former === undefined ? {} : { former }) },
  ]);
}

/** Labels of the first pattern that matches; none where no pattern does. */
export const fromTitle = (title: string, patterns: readonly Matcher[]): PartialLabels =>
  readTitle(title, patterns).labels;

export function readTitle(title: string, patterns: readonly Matcher[]): TitleLabels {
  const line = title.slice(0, LONGEST);
  const tried = new Set<string>();
  for (const text of [line, ...tidied(line)]) {
    if (tried.has(text)) continue;
    tried.add(text);
    for (const pattern of patterns) {
      const found = wholeLabels(text, pattern);
      if (found === undefined) continue;
      if (text === line) return found;
      const { labels, rest } = found;
      return { labels, rest };
    }
  }
  return { labels: {}, rest: '' };
}
