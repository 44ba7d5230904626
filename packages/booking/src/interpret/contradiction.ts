/** The sentence for two places that name a label differently. It stands in files that others read: no names in it. */
import { reject, type Verdict } from './codes.ts';
import { lineWith } from './example.ts';
import type { Contradiction, LabelName, Place } from './labels.ts';
import { isQuotable } from './quote.ts';
import { isOpen } from './words.ts';
import type { BookingRules } from './rules.ts';

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
