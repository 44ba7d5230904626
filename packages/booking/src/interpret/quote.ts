/** Which words of a booker may be repeated to others: codes, and never what may be a name or a date of birth. */

/** Words of codes. Any other word of two letters or more may be a name: `Jansen1980`, `Li2`. */
const CODE_WORDS = new Set(
  (
    'sub subj subject sbj ses sess session proj project pat patient pt con ctrl control pilot mr mri fmri ' +
    'pet eeg meg ct us anat func day run visit scan wk week base pre post oct test phantom ' +
    'tba tbd tbc todo unknown none xx yy nn'
  ).split(' '),
);
/** Numbers as long as those of people, and dates: `19800131`, `31-01-80`, `31/1/1980`. */
const PERSONAL =
  /\d{8}|(?<!\d)\d{6}(?!\d)|\d{4}[-_./,:]\d{1,2}[-_./,:]\d{1,2}|(?<!\d)\d{1,2}[-_./,:]\d{1,2}[-_./,:]\d{2}/u;

const isCodeWord = (word: string): boolean => {
  const lower = word.toLowerCase();
  return CODE_WORDS.has(lower) || /^(?:x+|y+|n+|o+)$/u.test(lower);
};

/** Whether a text holds a date, or a number as long as those of people. */
export const isPersonal = (text: string): boolean => PERSONAL.test(text);

/** Whether a word may stand in a sentence that others read. */
export const isQuotable = (word: string): boolean =>
  /^[A-Za-z0-9._+()?#*=&@/,:-]{1,64}$/u.test(word) &&
  !isPersonal(word) &&
  (word.replace(/X{2,}$/u, '').match(/[A-Za-z]{2,}/gu) ?? []).every(isCodeWord);

/** `“sub-001”`, or nothing. */
export const quoted = (word: string): string | undefined => (isQuotable(word) ? `“${word}”` : undefined);

/** Words of a title, repeated or by their place where they may be personal; at most three. */
export function pointedAt(words: readonly string[], title: string): string[] {
  const all = title
    .split(/\s+/u)
    .map((word) => word.replaceAll(/^[^\p{L}\p{N}.#]+|[^\p{L}\p{N}.?#-]+$/gu, ''));
  return [...new Set(words)]
    .flatMap((word) => {
      const index = all.findIndex((one) => one.includes(word));
      return quoted(word) ?? (index < 0 ? [] : [`word ${index + 1}`]);
    })
    .slice(0, 3);
}

/** Those that may be repeated, each once, in their order; at most three. */
export const quotable = (words: readonly string[]): string[] =>
  [...new Set(words)].flatMap((word) => quoted(word) ?? []).slice(0, 3);
