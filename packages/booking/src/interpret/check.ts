/** Whether labels are what they should be: codes, of characters that folders and DICOM have in common. */
import type { Labels } from '../booking.ts';
import { PatternTooSlow } from '../pattern/backtracking.ts';
import { reject, type Verdict } from './codes.ts';
import { howTo, lineExample, lineOf, listed } from './example.ts';
import { groupsOf } from './groups.ts';
import { labelProblem } from './label-rules.ts';
import { LABELS, type LabelName } from './labels.ts';
import { isPersonal, quotable, quoted } from './quote.ts';
import type { BookingRules } from './rules.ts';
import { isOpen, saysOpen } from './words.ts';

/** `sub-001, sub-002`, `sub-001 + sub-002`, `sub-001 and sub-002`, each part with a digit. */
const SEPARATOR = /\s*[,;&/|]\s*|\s+\+\s+|\s+(?:and|en|und|et|or|of)\s+/iu;
/** An O after a digit where a number goes on or ends, and one before a digit where no word ends. */
const LETTER_O = /\d[Oo](?![\p{L}])|\dO|(?<!\p{L})[Oo]+(?=\d)/u;

/** Sessions are named after days, drugs and tracers too: `ses-12OCT`, `ses-h2o`, `ses-O15water`. */
const O_BESIDE_ZERO = /0[Oo](?!\p{L})|(?<!\p{L})[Oo]+0/u;

type Words = Pick<BookingRules, 'keys' | 'patterns' | 'defaults' | 'labels'>;

/** What is wrong with the labels of a booking; undefined where nothing is. */
export function checkLabels(labels: Labels, rules: Words): Verdict | undefined {
  for (const name of LABELS) {
    const verdict = mistakeIn(name, labels[name], rules);
    if (verdict !== undefined) return verdict;
  }
  return undefined;
}

function mistakeIn(name: LabelName, value: string, rules: Words): Verdict | undefined {
  const example = `Write it like ${lineExample(name, rules)}.`;
  const said = quoted(value);
  const it = said === undefined ? `The ${name}` : `The ${name} ${said}`;
  const parts = partsOf(value);
  const several = name === 'subject' ? subjectsIn(value, rules) : [];
  if (several.length > 1) return twoSubjects(shownOf(value, several), rules);
  if (isUndecided(value))
    return reject(
      'SUBJECT_OPEN',
      `${it} is not decided yet. Write it in when it is known, before the scan. ${example}`,
    );
  // a subject in words may be a person's name, which must not reach images
  if (name === 'subject' && (/\s/u.test(value) || !/\p{N}/u.test(value)))
    return reject(
      'SUBJECT_NO_CODE',
      `The subject must be a code with a digit and without spaces, never a person's name. ${example}`,
    );
  if ((name === 'session' ? O_BESIDE_ZERO : LETTER_O).test(value)) {
    const right = value.replaceAll(/(?<=[\d-])[Oo]+|[Oo]+(?=\d)/gu, (letters) => '0'.repeat(letters.length));
    return reject(
      'LETTER_O',
      `${it} has the letter O beside a digit, where a zero is meant. Type the digit 0. Write it like ${lineOf(name, right, rules)}.`,
    );
  }
  const problem = problemOf(name, value, rules);
  if (problem === 'too slow') return tooSlow(rules);
  if (problem === undefined) return undefined;
  if (parts.length > 1 && areLabels(name, parts) && /[,;\s]/u.test(value))
    return twoLabels(name, shownOf(value, parts), rules);
  return reject(problem.code, `${problem.message.replace(`The ${name}`, it)} ${example}`);
}

/** `3010000,01` is one number. */
const areLabels = (name: LabelName, parts: readonly string[]): boolean =>
  name !== 'project' || parts.every((part) => part.length > 3);

const partsOf = (value: string): string[] => value.split(SEPARATOR).filter((part) => /\p{N}/u.test(part));

/** Parts of a date of birth do not show what they are. */
const shownOf = (value: string, parts: readonly string[]): readonly string[] =>
  isPersonal(value) ? [] : parts;

/** The subjects of a value, by the marks between them or by the facility's patterns: `sub-001 (was sub-002)`. */
function subjectsIn(value: string, { patterns }: Words): string[] {
  const parts = partsOf(value);
  const groups = groupsOf(patterns).get('subject') ?? [];
  const codes = groups
    .filter(({ takesNumbers }) => !takesNumbers)
    .flatMap((group) => group.places(value).map(({ from, to }) => value.slice(from, to)));
  return parts.length > 1 ? parts : [...new Set(codes)];
}

/** `tba`, `sub-xx`, or in words: `to be decided`. */
const isUndecided = (value: string): boolean => isOpen(value) || (saysOpen(value) && !/\p{N}/u.test(value));

function problemOf(
  name: LabelName,
  value: string,
  { labels }: Words,
): ReturnType<typeof labelProblem> | 'too slow' {
  try {
    return labelProblem(name, value, labels);
  } catch (error) {
    if (error instanceof PatternTooSlow) return 'too slow';
    throw error;
  }
}

/** The sentence has no example title: to find one, the pattern would be run. */
export const tooSlow = (rules: Pick<BookingRules, 'keys'>): Verdict =>
  reject(
    'PATTERN_SLOW',
    `The facility's pattern takes too long to read this event. Write a short title, and in the description ${listed(LABELS.map((name) => lineExample(name, rules)))}. The facility should rewrite the pattern: scanflow check shows how.`,
  );

/** `words`: those in which the letter stands. */
export function letterO(words: readonly string[], rules: Words): Verdict {
  const said = quotable(words);
  const where =
    said.length === 0
      ? 'The title has'
      : `In the title, ${listed(said)} ${said.length === 1 ? 'has' : 'have'}`;
  return reject('LETTER_O', `${where} the letter O where a zero is meant. Type the digit 0. ${howTo(rules)}`);
}

/** `found`: the different ones, as they were typed. */
export const twoSubjects = (found: readonly string[], rules: Words): Verdict =>
  reject(
    'TWO_SUBJECTS',
    `The booking names more than one subject${behind(found)}. Make one booking for each subject, each with its own time, like ${lineOf('subject', found[0], rules)}.`,
  );

export const twoLabels = (name: LabelName, found: readonly string[], rules: Words): Verdict =>
  reject(
    'TWO_LABELS',
    `The booking names more than one ${name}${behind(found)}. Make one booking for each, like ${lineOf(name, found[0], rules)}, and take the other one out of this one.`,
  );

/** `: “sub-001” and “sub-002”`, of those that may be repeated. */
export function behind(found: readonly string[]): string {
  const said = quotable(found);
  return said.length === 0 ? '' : `: ${listed(said)}`;
}
