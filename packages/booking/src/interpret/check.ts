/** Whether labels are what they should be: codes, of characters that folders and DICOM have in common. */
import type { Labels } from '../booking.ts';
import { reject, type Verdict } from './codes.ts';
import { lineExample } from './example.ts';
import { LABELS, type LabelName } from './labels.ts';
import type { BookingRules } from './rules.ts';
import { isOpen } from './words.ts';

/** No `\`, `^`, `=`, `/`, `*`, `?` and controls, which mean something to DICOM or to file systems. */
const LABEL = /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}._+()-]| (?! ))*$/u;
const LONGEST = 64;
/** `sub-001, sub-002`, `sub-001 + sub-002`, `sub-001 and sub-002`, each part with a digit. */
const SEPARATOR = /\s*[,;&/|]\s*|\s+\+\s+|\s+(?:and|en|und|et|or|of)\s+/iu;
/** An O after a digit where a number goes on or ends, and one before a digit where no word ends. */
const LETTER_O = /\d[Oo](?![\p{L}])|\dO|(?<!\p{L})[Oo]+(?=\d)/u;

type Words = Pick<BookingRules, 'keys' | 'patterns' | 'defaults' | 'projects'>;

/** What is wrong with the labels of a booking; undefined where nothing is. */
export function checkLabels(labels: Labels, rules: Words): Verdict | undefined {
  for (const name of LABELS) {
    const verdict = labelProblem(name, labels[name], rules);
    if (verdict !== undefined) return verdict;
  }
  return projectProblem(labels.project, rules);
}

function labelProblem(name: LabelName, value: string, rules: Words): Verdict | undefined {
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
  if (LETTER_O.test(value))
    return reject(
      'LETTER_O',
      `The ${name} has the letter O beside a digit, where a zero is meant. Type the digit 0. ${example}`,
    );
  if (value.length > LONGEST)
    return reject('LABEL_TOO_LONG', `The ${name} is longer than ${LONGEST} characters. ${example}`);
  if (!LABEL.test(value))
    return reject(
      'LABEL_CHARACTERS',
      `The ${name} may hold only letters, digits and . _ - + ( ), and begins with a letter or digit. ${example}`,
    );
  return undefined;
}

export const twoSubjects = (rules: Words): Verdict =>
  reject(
    'TWO_SUBJECTS',
    `The booking names more than one subject. Make one booking for each subject, each with its own time, like ${lineExample('subject', rules)}.`,
  );

function projectProblem(project: string, { projects }: Words): Verdict | undefined {
  if (projects === undefined || projects.has(project)) return undefined;
  const [example] = projects;
  const like = example === undefined ? '' : `, like “Project: ${example}”`;
  return reject(
    'PROJECT_UNKNOWN',
    `There is no project of this name in the facility's list. Check its number, or ask the facility to add it; write it as it is there${like}.`,
  );
}
