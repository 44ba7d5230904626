/** Correct examples for sentences to bookers. */
import type { Labels } from '../booking.ts';
import { fromTitle, LABELS, type LabelName } from './labels.ts';
import type { BookingRules } from './rules.ts';

const TITLES = ['3010000.01 sub-001 ses-mri01', '3010000.01_sub-001_ses-mri01'];
const EXAMPLES: Labels = { project: '3010000.01', subject: 'sub-001', session: 'ses-mri01' };

type Words = Pick<BookingRules, 'keys' | 'patterns' | 'defaults'>;

/** A title that the facility's patterns read; undefined where none of ours is one. */
export const titleExample = ({ patterns, defaults }: Words): string | undefined =>
  TITLES.find((title) => {
    const found = fromTitle(title, patterns);
    return LABELS.every((name) => found[name] !== undefined || defaults[name] !== undefined);
  });

/** `“Subject: sub-001”` in the facility's word for it. */
export const lineExample = (name: LabelName, words: Pick<Words, 'keys'>): string =>
  lineWith(name, EXAMPLES[name], words);

/** The same with a value of the booking. */
export function lineWith(name: LabelName, value: string, { keys }: Pick<Words, 'keys'>): string {
  const key = keys[name][0] ?? name;
  return `“${key.charAt(0).toUpperCase()}${key.slice(1)}: ${value}”`;
}

/** How to write a booking: the title as an example only where the facility's patterns read it. */
export function howTo(words: Words): string {
  const needed = LABELS.filter((name) => words.defaults[name] === undefined);
  const lines = needed.map((name) => lineExample(name, words)).join(', ');
  const count = ['', 'the line', 'the two lines', 'the three lines'][needed.length] ?? '';
  const title = titleExample(words);
  const described = needed.length === 0 ? 'a title' : `in the description ${count} ${lines}`;
  return title === undefined
    ? `Write ${described}.`
    : `Write the title like “${title}”, or write ${described}.`;
}

/** `“project”, “subject” and “session”` as English. */
export const listed = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`;
