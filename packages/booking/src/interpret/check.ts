/**
 * What keeps labels from being a booking, their form or what a title names beside them, and the sentences that say so.
 * The sentences stand in files that others read, so they name nobody.
 */
import { type Labels, LABELS, type LabelName, type PartialLabels } from '../booking.ts';
import { PatternTooSlow } from '../pattern/pattern.ts';
import { reject, type Verdict } from './outcome.ts';
import { groupsOf, hintsOf } from './hints.ts';
import { labelProblem, type BookingRules } from './rules.ts';
import { isPersonal, quotable, quoted, isOpen, saysOpen, isQuotable } from './words.ts';
import { fromTitle } from './title.ts';
import type { Contradiction, Place } from './labels.ts';

/** `sub-001, sub-002`, `sub-001 + sub-002`, `sub-001 and sub-002`, each part with a digit. */
const SEPARATOR = /\s*[,;&/|]\s*|\s+\+\s+|\s+(?:and|en|und|et|or|of)\s+/iu;
/** An O after a digit where a number goes on or ends, and one before a digit where no word ends. */
const LETTER_O = /\d[Oo](?![\p{L}])|\dO|(?<!\p{L})[Oo]+(?=\d)/u;

/** Sessions are named after days, drugs and tracers too: `ses-12OCT`, `ses-h2o`, `ses-O15water`. */
const O_BESIDE_ZERO = /0[Oo](?!\p{L})|(?<!\p{L})[Oo]+0/u;

type Words = Pick<BookingRules, 'keys' | 'patterns' | 'defaults' | 'labels'>;

/**
 * What is wrong with the labels of a booking, with the sentence for the booker; undefined if nothing is.
 *
 * @param rules the facility's words for the examples, and what labels may be
 */
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

/** The sentence has no example title: to find one, the slow pattern would have to run. */
export const tooSlow = (rules: Pick<BookingRules, 'keys'>): Verdict =>
  reject(
    'PATTERN_SLOW',
    `The facility's pattern takes too long to read this event. Write a short title, and in the description ${listed(LABELS.map((name) => lineExample(name, rules)))}. The facility should rewrite the pattern: scanflow check shows how.`,
  );

/** `words`: the words that hold the letter. */
export function letterO(words: readonly string[], rules: Words): Verdict {
  const said = quotable(words);
  const where =
    said.length === 0
      ? 'The title has'
      : `In the title, ${listed(said)} ${said.length === 1 ? 'has' : 'have'}`;
  return reject('LETTER_O', `${where} the letter O where a zero is meant. Type the digit 0. ${howTo(rules)}`);
}

/** `found`: the different subjects, as the booker typed them. */
export const twoSubjects = (found: readonly string[], rules: Words): Verdict =>
  reject(
    'TWO_SUBJECTS',
    `The booking names more than one subject${behind(found)}. Make one booking for each subject, each with its own time, like ${lineOf('subject', found[0], rules)}.`,
  );

const twoLabels = (name: LabelName, found: readonly string[], rules: Words): Verdict =>
  reject(
    'TWO_LABELS',
    `The booking names more than one ${name}${behind(found)}. Make one booking for each, like ${lineOf(name, found[0], rules)}, and take the other one out of this one.`,
  );

/** `: “sub-001” and “sub-002”`: only words that a message may repeat. */
export function behind(found: readonly string[]): string {
  const said = quotable(found);
  return said.length === 0 ? '' : `: ${listed(said)}`;
}

/** A number before one of these words counts something, and is no session: `2 hours`, `30 min`, `2 RAs`. */
const COUNTED =
  '(?!\\s+(?:h|hrs?|hours?|min\\p{L}*|uur|uren|std|stunden?|heures?|timer?|timmar|tim|horas?|ore|ora|godz\\p{L}*|hod\\p{L}*|' +
  "days?|weeks?|people|persons?|pers|ra['’]?s?|runs?|coils?|blocks?)(?!\\p{L}))";
/** `+ 02`, `and mri02`, behind the labels. */
const AND_CODE = new RegExp(
  '^\\s*(?:[,;&+/|]|(?:and|en|und|et|y|e|og|och|i|a|or|of|oder|ou)\\s)\\s*' +
    `(?<code>\\p{L}*[-_]?\\d{1,3})(?![\\p{L}\\p{N}:.])${COUNTED}`,
  'iu',
);
/** `t/m 03`, `-> mri03` behind the labels: a number alone may be an hour, so it counts with a zero in front. */
const TO_CODE =
  /^\s*(?:(?:t\/m|tot|to|till?|until|through|bis|[àa]|jusqu['’][àa]|hasta|do|až|och|–|[-=]?>|→)\s*)(?<code>\p{L}+[-_]?\d{1,3}|0\d{1,2})(?![\p{L}\p{N}:.])/iu;
/** `?`, `(?)` right behind the labels. */
const DOUBT = /^\s*[([]?\s*\?/u;
/** A word with a digit right after the labels may be a label too, and so may one letter; a time or a length is none. */
const TRAILING_CODE =
  /^(?:[\s,;:|([-]+|\s+(?:and|en|und|et)\s+)(?!\d{1,2}[:.h]\d{2}|\d+\s?(?:T|ch|min|u|h|am|pm|uur|hrs?|st|nd|rd|th)\b)#?(?<code>[\p{L}._-]*\d[\p{L}\d._-]*|\p{L})(?=$|[\s,;)\]])/u;

/** Why a title is refused beside its labels: it names several of one kind, or says that the booker is not sure. */
export function besides(
  title: string,
  { labels: { session = '' }, rest }: { readonly labels: PartialLabels; readonly rest: string },
  rules: BookingRules,
): Verdict | undefined {
  const { subjects, several } = hintsOf(title, rules);
  if (subjects.length > 1) return twoSubjects(subjects, rules);
  if (several !== undefined) return twoLabels(several.name, several.found, rules);
  if (DOUBT.test(rest)) return uncertain(session, rules);
  const { code = '' } = (AND_CODE.exec(rest) ?? TO_CODE.exec(rest))?.groups ?? {};
  const isSession = code !== '' && (/^\d+$/u.test(code) || stem(session).endsWith(stem(code)));
  return isSession ? twoLabels('session', [session, code], rules) : undefined;
}

/** `part 2`, `visite 2`: an occasion with a number. */
const OCCASION =
  /^[\s,;:|([-]+(?:part|deel|teil|partie|del|parte|część|část|session|sessie|sitzung|séance|sesión|sessione|sesja|visit|visite|besuch|bezoek|day|dag|tag|jour|day|week|run|scan)[\s-]*#?(?<code>\d{1,3})(?=$|[\s,;)\]])/iu;

/** A code that follows the labels and counts for nothing. */
export const codeAfter = (rest: string): string | undefined =>
  (TRAILING_CODE.exec(rest) ?? OCCASION.exec(rest))?.groups?.['code'];

const stem = (code: string): string => code.replace(/[\d.]+$/u, '').toLowerCase();

function uncertain(session: string, rules: BookingRules): Verdict {
  const what = quoted(session) ?? 'the labels';
  return reject(
    'SUBJECT_OPEN',
    `The “?” after ${what} in the title says that something is not decided yet. Take it out when it is, before the scan. Write it like ${lineOf('session', session, rules)}.`,
  );
}

const EXAMPLES: Labels = { project: '3010000.01', subject: 'sub-001', session: 'ses-mri01' };

type Phrasing = Pick<BookingRules, 'keys' | 'patterns' | 'defaults'>;

/** A title of these labels that the facility's patterns read; undefined if they read none of our two. */
function titleWith({ project, subject, session }: Labels, words: Phrasing): string | undefined {
  const titles = [`${project} ${subject} ${session}`, `${project}_${subject}_${session}`];
  return titles.find((title) => {
    const found = fromTitle(title, words.patterns);
    return LABELS.every((name) => found[name] !== undefined || words.defaults[name] !== undefined);
  });
}

/** `“Subject: sub-001”` in the facility's word for it. */
export const lineExample = (name: LabelName, words: Pick<Phrasing, 'keys'>): string =>
  lineWith(name, EXAMPLES[name], words);

/** The same with a value of the booking, if a message may repeat it. */
export const lineOf = (name: LabelName, value: string | undefined, words: Pick<Phrasing, 'keys'>): string =>
  lineWith(name, value !== undefined && isQuotable(value) ? value : EXAMPLES[name], words);

/** The same with any value. */
function lineWith(name: LabelName, value: string, { keys }: Pick<Phrasing, 'keys'>): string {
  const key = keys[name][0] ?? name;
  return `“${key.charAt(0).toUpperCase()}${key.slice(1)}: ${value}”`;
}

/** How to write a booking: the title as an example only where the facility's patterns read it. */
export function howTo(words: Phrasing, labels: Labels = EXAMPLES): string {
  const needed = LABELS.filter((name) => words.defaults[name] === undefined);
  const lines = needed.map((name) => lineWith(name, labels[name], words)).join(', ');
  const count = ['', 'the line', 'the two lines', 'the three lines'][needed.length] ?? '';
  const title = titleWith(labels, words);
  const described = needed.length === 0 ? 'a title' : `in the description ${count} ${lines}`;
  return title === undefined
    ? `Write ${described}.`
    : `Write the title like “${title}”, or write ${described}.`;
}

/** `“project”, “subject” and “session”` as English. */
export const listed = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`;

/** Only an undecided label has a `?`. */
const isCode = (value: string): boolean => /\d/u.test(value) && isQuotable(value);

const shown = ({ value, source }: Place): string =>
  isCode(value) || (isOpen(value) && isQuotable(value)) ? `“${value}” in ${source}` : `one in ${source}`;

export function contradiction(
  { label, places: [first, second] }: Contradiction,
  rules: Pick<BookingRules, 'keys'>,
): Verdict {
  const choices = [first, second].filter(({ value }) => isCode(value));
  const lines = choices.map(({ value }) => lineWith(label, value, rules)).join(' or ');
  const right = lines === '' ? `, in the line “${wordOf(label, rules)}: …” too` : `, ${lines}`;
  return reject(
    'CONTRADICTION',
    `The ${label} is given twice and differently: ${shown(first)} and ${shown(second)}. Make both say the same${right}.`,
  );
}

const wordOf = (label: LabelName, { keys }: Pick<BookingRules, 'keys'>): string => keys[label][0] ?? label;
