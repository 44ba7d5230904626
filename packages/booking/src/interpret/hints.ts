/** What the facility's patterns know of a text: labels wherever they stand, and what a title was probably meant to be. */
import { type Matcher, compilePattern } from '../pattern/pattern.ts';
import { fromTitle } from './title.ts';
import { isQuotable } from './words.ts';
import type { BookingRules } from './rules.ts';
import { lowered, singleLine, runAfter } from './title.ts';
import { LABELS, type LabelName, type PartialLabels } from '../booking.ts';

/** A word of the title that is a label, or holds one. */
interface Seen {
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

/** Words in which a title may well hold a digit beside an O: reported only if a pattern then reads it. */
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

/** One group as a pattern of its own. */
interface Group {
  /** Takes a whole text. */
  readonly whole: Matcher;
  /** Takes bare numbers too, and so part of any other label. */
  readonly takesNumbers: boolean;
  /** Where it stands in a text, as words of their own. */
  places(text: string): readonly Place[];
}

interface Place {
  readonly from: number;
  readonly to: number;
}

type Groups = ReadonlyMap<LabelName, readonly Group[]>;

/** A group that takes words like these takes any word, and tells nothing. */
const ANY_WORDS = ['meeting', 'Scan2', 'x'];
const NUMBERS = ['2', '12', '001', '2026', '3010000'];
/** More than a title is meant to name. */
const MOST_PLACES = 100;

const known = new WeakMap<readonly Matcher[], Groups>();

/** By label, those groups that know their label when they see it. */
export function groupsOf(patterns: readonly Matcher[]): Groups {
  const found = known.get(patterns) ?? readGroups(patterns);
  known.set(patterns, found);
  return found;
}

/** Whether the text is this label in the writing of the facility, and no other label could be written so. */
export const isRecognised = (name: LabelName, text: string, patterns: readonly Matcher[]): boolean =>
  (groupsOf(patterns).get(name) ?? []).some((group) => !group.takesNumbers && takes(group.whole, text));

const readGroups = (patterns: readonly Matcher[]): Groups =>
  new Map(
    LABELS.map((name) => [
      name,
      patterns.flatMap((pattern) => {
        const source = groupSource(pattern.source, name);
        return source === undefined ? [] : alone(source);
      }),
    ]),
  );

/** Named otherwise than any group of a configuration. */
const FOUND = 'scanflow_found';

function alone(source: string): Group[] {
  try {
    const whole = compilePattern(`^(?:${source})$`);
    if (ANY_WORDS.some((word) => takes(whole, word))) return [];
    const inside = compilePattern(`(?:^|[^\\p{L}\\p{N}])(?<${FOUND}>${source})(?:$|[^\\p{L}\\p{N}])`);
    const takesNumbers = NUMBERS.some((text) => takes(whole, text));
    return [{ whole, takesNumbers, places: (text) => placesOf(inside, text) }];
  } catch {
    // a group that leans on its surroundings, such as a back reference
    return [];
  }
}

const takes = (pattern: Matcher, text: string): boolean => pattern.exec(text) !== null;

function placesOf(pattern: Matcher, text: string): Place[] {
  const found: Place[] = [];
  for (let begin = 0; found.length < MOST_PLACES;) {
    const rest = text.slice(begin);
    const match = pattern.exec(rest);
    const word = match?.groups?.[FOUND] ?? '';
    if (match === null || word === '') return found;
    const from = begin + rest.indexOf(word, match.index);
    found.push({ from, to: from + word.length });
    // what stands after it may stand before the next
    begin = from + word.length;
  }
  return found;
}

/** The inside of `(?<name>…)`. */
function groupSource(source: string, name: string): string | undefined {
  const open = `(?<${name}>`;
  const begin = source.indexOf(open);
  if (begin < 0) return undefined;
  let depth = 1;
  let inClass = false;
  for (let index = begin + open.length; index < source.length; index += 1) {
    const character = source[index];
    if (character === '\\') index += 1;
    else if (inClass) inClass = character !== ']';
    else if (character === '[') inClass = true;
    else if (character === '(') depth += 1;
    else if (character === ')' && (depth -= 1) === 0) return source.slice(begin + open.length, index);
  }
  return undefined;
}
