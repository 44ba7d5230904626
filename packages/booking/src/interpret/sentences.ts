/** Sentences to bookers. They stand in files that others read, so that they name nobody. */
import { type Labels, LABELS, type LabelName } from '../booking.ts';
import { fromTitle } from './title.ts';
import { type Contradiction, type Place } from './labels.ts';
import { isQuotable, isOpen } from './words.ts';
import type { BookingRules } from './rules.ts';
import { reject, type Verdict } from './outcome.ts';

const EXAMPLES: Labels = { project: '3010000.01', subject: 'sub-001', session: 'ses-mri01' };

type Words = Pick<BookingRules, 'keys' | 'patterns' | 'defaults'>;

/** A title of these labels that the facility's patterns read; undefined where none of ours is one. */
function titleWith({ project, subject, session }: Labels, words: Words): string | undefined {
  const titles = [`${project} ${subject} ${session}`, `${project}_${subject}_${session}`];
  return titles.find((title) => {
    const found = fromTitle(title, words.patterns);
    return LABELS.every((name) => found[name] !== undefined || words.defaults[name] !== undefined);
  });
}

/** `“Subject: sub-001”` in the facility's word for it. */
export const lineExample = (name: LabelName, words: Pick<Words, 'keys'>): string =>
  lineWith(name, EXAMPLES[name], words);

/** The same with a value of the booking, where it is one that may be repeated. */
export const lineOf = (name: LabelName, value: string | undefined, words: Pick<Words, 'keys'>): string =>
  lineWith(name, value !== undefined && isQuotable(value) ? value : EXAMPLES[name], words);

/** The same with any value. */
function lineWith(name: LabelName, value: string, { keys }: Pick<Words, 'keys'>): string {
  const key = keys[name][0] ?? name;
  return `“${key.charAt(0).toUpperCase()}${key.slice(1)}: ${value}”`;
}

/** How to write a booking: the title as an example only where the facility's patterns read it. */
export function howTo(words: Words, labels: Labels = EXAMPLES): string {
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

/** A label has no `?`, but where it is not decided. */
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
