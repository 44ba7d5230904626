/** What a title that no pattern reads was probably meant to be; for the sentence to its booker, never for labels. */
import { LABELS, fromTitle, type LabelName } from './labels.ts';
import type { BookingRules } from './rules.ts';

export interface Hints {
  /** Labels that stand somewhere in the title. */
  readonly seen: readonly LabelName[];
  /** Different subjects that stand in the title. */
  readonly subjects: number;
  /** With zeros for the letter O, a pattern would read it. */
  readonly letterO: boolean;
}

/** A group that takes words like these takes any word, and tells nothing. */
const ANY_WORDS = ['meeting', 'Scan2', 'x'];
/** Words in which a title may well hold a digit beside an O: only where a pattern then reads it, it is told. */
const BESIDE_DIGIT = /(?<=\d)[Oo]|[Oo](?=\d)/gu;

const known = new WeakMap<readonly RegExp[], ReadonlyMap<LabelName, readonly RegExp[]>>();

export function hintsOf(title: string, rules: Pick<BookingRules, 'patterns'>): Hints {
  const { patterns } = rules;
  const groups = known.get(patterns) ?? groupsOf(patterns);
  known.set(patterns, groups);
  const short = title.slice(0, 500);
  const seen = LABELS.filter((name) =>
    (groups.get(name) ?? []).some((pattern) => short.search(pattern) >= 0),
  );
  const matches = (groups.get('subject') ?? []).flatMap((pattern) =>
    Array.from(short.matchAll(pattern), ([text]) => text.toLowerCase()),
  );
  const subjects = new Set(matches.filter((text) => /\d/u.test(text))).size;
  return { seen, subjects, letterO: isLetterO(short, patterns) };
}

function isLetterO(title: string, patterns: readonly RegExp[]): boolean {
  let repaired = title;
  for (let turn = 0; turn < 4; turn += 1) repaired = repaired.replaceAll(BESIDE_DIGIT, '0');
  const reads = (text: string): boolean => Object.keys(fromTitle(text, patterns)).length > 0;
  return repaired !== title && reads(repaired) && !reads(title);
}

/** What the named groups of the patterns take, as patterns of their own that stand for themselves in a text. */
function groupsOf(patterns: readonly RegExp[]): ReadonlyMap<LabelName, readonly RegExp[]> {
  return new Map(
    LABELS.map((name) => [
      name,
      patterns.flatMap((pattern) => {
        const source = groupSource(pattern.source, name);
        return source === undefined ? [] : alone(source, pattern.flags);
      }),
    ]),
  );
}

function alone(source: string, flags: string): RegExp[] {
  try {
    const whole = new RegExp(`^(?:${source})$`, flags.replaceAll(/[gy]/gu, ''));
    if (ANY_WORDS.some((word) => whole.test(word))) return [];
    const found = `(?<![\\p{L}\\p{N}])(?:${source})(?![\\p{L}\\p{N}])`;
    return [new RegExp(found, [...new Set(`${flags.replace('v', 'u')}gu`)].join('').replace('y', ''))];
  } catch {
    // a group that leans on its surroundings, such as a back reference
    return [];
  }
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
