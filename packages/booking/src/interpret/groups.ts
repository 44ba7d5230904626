/** What the named groups of patterns take by themselves, wherever it stands. */
import type { Labels } from '../booking.ts';
import { compilePattern, type Matcher } from '../pattern/pattern.ts';

export type LabelName = keyof Labels;
export type PartialLabels = Readonly<Partial<Record<LabelName, string>>>;

export const LABELS: readonly LabelName[] = ['project', 'subject', 'session'];

/** One group as a pattern of its own. */
export interface Group {
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

export type Groups = ReadonlyMap<LabelName, readonly Group[]>;

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
