/** What a title that no pattern reads was probably meant to be; for the sentence to its booker, never for labels. */
import type { Matcher } from '../pattern/pattern.ts';
import { groupsOf, LABELS, type Group, type LabelName } from './groups.ts';
import { fromTitle, type PartialLabels } from './labels.ts';
import { isQuotable } from './quote.ts';
import type { BookingRules } from './rules.ts';
import { lowered, singleLine } from './tidy.ts';
import { runAfter } from './whole.ts';

/** A word of the title that is a label, or holds one. */
export interface Seen {
  readonly name: LabelName;
  /** The part that is read. */
  readonly text: string;
  /** The whole word, which goes on where the two differ. */
  readonly word: string;
  readonly from: number;
}

export interface Hints {
  /** Labels that stand somewhere in the title. */
  readonly seen: readonly LabelName[];
  /** Those that no other label could be written like, in the order in which they were typed. */
  readonly coded: readonly Seen[];
  /** Different subjects that stand in the title. */
  readonly subjects: readonly string[];
  /** A label of which several stand in the title, where its pattern begins with more than a bare number. */
  readonly several: { readonly name: LabelName; readonly found: readonly string[] } | undefined;
  /** Labels of which just one stands in the title, as a word of its own. */
  readonly single: PartialLabels;
  /** Words with the letter O: with zeros, a pattern would read the title. */
  readonly letterO: readonly string[];
}

/** Words in which a title may well hold a digit beside an O: only where a pattern then reads it, it is told. */
const BESIDE_DIGIT = /(?<=\d)[Oo]|[Oo](?=\d)/gu;
/** `session 1`: the word for a label, which is none itself. */
export const WORD_ALONE = /^(?:sub|subj|subject|ses|sess|session|proj|project)$/iu;
const WORDS = /[^\s,;:|()[\]"“”]+/gu;

export function hintsOf(title: string, { patterns }: Pick<BookingRules, 'patterns'>): Hints {
  const groups = groupsOf(patterns);
  const short = lowered(singleLine(title)).slice(0, 500);
  const of = (name: LabelName): readonly Group[] => groups.get(name) ?? [];
  const seen = LABELS.filter((name) =>
    of(name).some((group) =>
      group.places(short).some(({ from, to }) => !WORD_ALONE.test(short.slice(from, to))),
    ),
  );
  const coded = LABELS.flatMap((name) =>
    of(name)
      .filter(({ takesNumbers }) => !takesNumbers)
      .flatMap((group) => seenBy(name, group, short)),
  ).toSorted((a, b) => a.from - b.from);
  const words: readonly string[] = short.match(WORDS) ?? [];
  const single = Object.fromEntries(
    LABELS.flatMap((name) => {
      const [only, ...others] = new Set(coded.filter((one) => one.name === name).map(({ text }) => text));
      return only !== undefined && others.length === 0 && words.includes(only) ? [[name, only]] : [];
    }),
  );
  // `ses-1_ses-2` is one word to most patterns
  const apart = short.replaceAll('_', ' ');
  const different = (name: LabelName, all: readonly Group[]): string[] => [
    ...new Set(all.flatMap((group) => seenBy(name, group, apart)).map((one) => saidOf(one).toLowerCase())),
  ];
  const several = (['session', 'project'] as const)
    .map((name) => ({
      name,
      found: different(
        name,
        of(name).filter(({ takesNumbers }) => !takesNumbers),
      ),
    }))
    .find(({ found }) => found.length > 1);
  const subjects = different('subject', of('subject'));
  return { single, seen, coded, subjects, several, letterO: lettersO(short, patterns) };
}

/** For sentences: part of a word that may not be repeated may not either. */
export const saidOf = ({ text, word }: Seen): string => (isQuotable(word) ? text : word);

const seenBy = (name: LabelName, group: Group, title: string): Seen[] =>
  group
    .places(title)
    .map(({ from, to }) => {
      const text = title.slice(from, to);
      return { name, text, word: text + runAfter(title.slice(to)), from };
    })
    .filter(({ text }) => /\d/u.test(text));

function lettersO(title: string, patterns: readonly Matcher[]): string[] {
  const repair = (text: string): string => {
    let repaired = text;
    for (let turn = 0; turn < 4; turn += 1) repaired = repaired.replaceAll(BESIDE_DIGIT, '0');
    return repaired;
  };
  const repaired = repair(title);
  const reads = (text: string): boolean => Object.keys(fromTitle(text, patterns)).length > 0;
  if (repaired === title || !reads(repaired) || reads(title)) return [];
  return (title.match(WORDS) ?? []).filter((word) => repair(word) !== word);
}
