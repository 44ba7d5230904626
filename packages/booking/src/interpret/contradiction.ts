/** The sentence for two places that name a label differently. It stands in files that others read: no names in it. */
import { reject, type Verdict } from './codes.ts';
import { lineWith } from './example.ts';
import type { Contradiction, LabelName, Place } from './labels.ts';
import type { BookingRules } from './rules.ts';

/** Words of codes. Any other word of three letters or more may be a name: `Jansen1980`, `jan2`. */
const CODE_WORDS = new Set(
  'sub subj subject sbj ses sess session proj project patient pat con control pilot mri fmri pet eeg meg anat day run visit scan week base'.split(
    ' ',
  ),
);

const isCode = (value: string): boolean =>
  /^(?=.*\d)[A-Za-z0-9._+()-]{1,64}$/u.test(value) &&
  (value.match(/[A-Za-z]{3,}/gu) ?? []).every((word) => CODE_WORDS.has(word.toLowerCase()));

const shown = ({ value, source }: Place): string =>
  isCode(value) ? `“${value}” in ${source}` : `one in ${source}`;

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
