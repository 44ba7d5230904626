/** Whether labels are what they should be: codes, of characters that folders and DICOM have in common. */
import type { Labels } from '../booking.ts';
import { PatternTooSlow } from '../pattern/backtracking.ts';
import { reject, type Verdict } from './codes.ts';
import { lineExample, listed } from './example.ts';
import { labelProblem } from './label-rules.ts';
import { LABELS, type LabelName } from './labels.ts';
import type { BookingRules } from './rules.ts';
import { isOpen } from './words.ts';

/** `sub-001, sub-002`, `sub-001 + sub-002`, `sub-001 and sub-002`, each part with a digit. */
const SEPARATOR = /\s*[,;&/|]\s*|\s+\+\s+|\s+(?:and|en|und|et|or|of)\s+/iu;
/** An O after a digit where a number goes on or ends, and one before a digit where no word ends. */
const LETTER_O = /\d[Oo](?![\p{L}])|\dO|(?<!\p{L})[Oo]+(?=\d)/u;

/** Sessions are named after days, drugs and tracers too: `ses-12OCT`, `ses-h2o`, `ses-O15water`. */
const O_BESIDE_ZERO = /0[Oo](?!\p{L})|[Oo]0/u;

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
  if (name === 'subject') {
    const parts = value.split(SEPARATOR).filter((part) => /\p{N}/u.test(part));
    if (parts.length > 1) return twoSubjects(rules);
  }
  if (isOpen(value))
    return reject(
      'SUBJECT_OPEN',
      `The ${name} is not decided yet. Write it in when it is known, before the scan. ${example}`,
    );
  // a subject in words may be a person's name, which must not reach images
  if (name === 'subject' && (/\s/u.test(value) || !/\p{N}/u.test(value)))
    return reject(
      'SUBJECT_NO_CODE',
      `The subject must be a code with a digit and without spaces, never a person's name. ${example}`,
    );
  if ((name === 'session' ? O_BESIDE_ZERO : LETTER_O).test(value))
    return reject(
      'LETTER_O',
      `The ${name} has the letter O beside a digit, where a zero is meant. Type the digit 0. ${example}`,
    );
  const problem = problemOf(name, value, rules);
  if (problem === 'too slow') return tooSlow(rules);
  return problem === undefined ? undefined : reject(problem.code, `${problem.message} ${example}`);
}

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

export const twoSubjects = (rules: Words): Verdict =>
  reject(
    'TWO_SUBJECTS',
    `The booking names more than one subject. Make one booking for each subject, each with its own time, like ${lineExample('subject', rules)}.`,
  );

export const twoLabels = (name: LabelName, rules: Words): Verdict =>
  reject(
    'TWO_LABELS',
    `The title names more than one ${name}. Make one booking for each, like ${lineExample(name, rules)}, and take the other one out of the title.`,
  );
