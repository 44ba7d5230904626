/** What a title that no pattern reads was probably meant to be; for the sentence to its booker, never for labels. */
import { compilePattern, type Matcher } from '../pattern/pattern.ts';
import { LABELS, fromTitle, type LabelName, type PartialLabels } from './labels.ts';
import type { BookingRules } from './rules.ts';

export interface Hints {
  /** Labels that stand somewhere in the title. */
  readonly seen: readonly LabelName[];
  /** Different subjects that stand in the title. */
  readonly subjects: number;
  /** A label of which several stand in the title, where its pattern begins with more than a bare number. */
  readonly several: LabelName | undefined;
  /** Labels of which just one stands in the title, as a word of its own. */
  readonly single: PartialLabels;
  /** With zeros for the letter O, a pattern would read it. */
  readonly letterO: boolean;
}

/** A group that takes words like these takes any word, and tells nothing. */
const ANY_WORDS = ['meeting', 'Scan2', 'x'];
const NUMBERS = ['2', '12', '001', '2026', '3010000'];
/** Words in which a title may well hold a digit beside an O: only where a pattern then reads it, it is told. */
const BESIDE_DIGIT = /(?<=\d)[Oo]|[Oo](?=\d)/gu;

/** More than a title of 500 characters is meant to name. */
const MOST_FOUND = 100;

const known = new WeakMap<readonly Matcher[], ReadonlyMap<LabelName, readonly Matcher[]>>();

export function hintsOf(title: string, rules: Pick<BookingRules, 'patterns'>): Hints {
  const { patterns } = rules;
  const groups = known.get(patterns) ?? groupsOf(patterns);
  known.set(patterns, groups);
  const short = title.slice(0, 500);
  const seen = LABELS.filter((name) =>
    (groups.get(name) ?? []).some((pattern) => pattern.exec(short) !== null),
  );
  const found = (groups.get('subject') ?? []).flatMap((pattern) => allOf(pattern, short));
  const subjects = new Set(found.filter((text) => /\d/u.test(text)).map((text) => text.toLowerCase())).size;
  const coded = (name: LabelName): Set<string> => {
    const own = (groups.get(name) ?? []).filter((pattern) => !takesNumbers(pattern));
    return new Set(own.flatMap((pattern) => allOf(pattern, short)).filter((text) => /\d/u.test(text)));
  };
  const several = (['session', 'project'] as const).find(
    (name) => new Set([...coded(name)].map((text) => text.toLowerCase())).size > 1,
  );
  const words = short.split(/[\s,;:|()[\]"“”]+/u);
  const single = Object.fromEntries(
    LABELS.flatMap((name) => {
      const [only, ...others] = coded(name);
      return only !== undefined && others.length === 0 && words.includes(only) ? [[name, only]] : [];
    }),
  );
  return { single, seen, subjects, several, letterO: isLetterO(short, patterns) };
}

/** Such a group takes part of any other label, so that two of it tell nothing. */
const takesNumbers = (pattern: Matcher): boolean => NUMBERS.some((text) => pattern.exec(text) !== null);

function isLetterO(title: string, patterns: readonly Matcher[]): boolean {
  let repaired = title;
  for (let turn = 0; turn < 4; turn += 1) repaired = repaired.replaceAll(BESIDE_DIGIT, '0');
  const reads = (text: string): boolean => Object.keys(fromTitle(text, patterns)).length > 0;
  return repaired !== title && reads(repaired) && !reads(title);
}

/** What the named groups of the patterns take, as patterns of their own that stand for themselves in a text. */
function groupsOf(patterns: readonly Matcher[]): ReadonlyMap<LabelName, readonly Matcher[]> {
  return new Map(
    LABELS.map((name) => [
      name,
      patterns.flatMap((pattern) => {
        const source = groupSource(pattern.source, name);
        return source === undefined ? [] : alone(source);
      }),
    ]),
  );
}

/** Named otherwise than any group of a configuration. */
const FOUND = 'scanflow_found';

function alone(source: string): Matcher[] {
  try {
    const whole = compilePattern(`^(?:${source})$`);
    if (ANY_WORDS.some((word) => whole.exec(word) !== null)) return [];
    return [compilePattern(`(?:^|[^\\p{L}\\p{N}])(?<${FOUND}>${source})(?:$|[^\\p{L}\\p{N}])`)];
  } catch {
    // a group that leans on its surroundings, such as a back reference
    return [];
  }
}

/** Every place where it stands, as it is written. */
function allOf(pattern: Matcher, text: string): string[] {
  const found: string[] = [];
  for (let rest = text; found.length < MOST_FOUND;) {
    const match = pattern.exec(rest);
    const word = match?.groups?.[FOUND] ?? '';
    if (match === null || word === '') return found;
    found.push(word);
    // what stands after it may stand before the next
    rest = rest.slice(rest.indexOf(word, match.index) + word.length);
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
