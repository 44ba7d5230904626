/** Which words of a booker may be repeated to others: codes, and never what may be a name or a date of birth. */

/** Words of codes. Any other word of two letters or more may be a name: `Jansen1980`, `Li2`. */
const CODE_WORDS = new Set(
  (
    'sub subj subject sbj ses sess session proj project pat patient pt con ctrl control pilot mr mri fmri ' +
    'pet eeg meg ct us anat func day run visit scan wk week base pre post oct test phantom ' +
    'tba tbd tbc todo unknown none xx yy nn'
  ).split(' '),
);
/** Numbers as long as those of people, and dates. */
const PERSONAL = /\d{8}|(?<!\d)\d{6}(?!\d)|\d{4}[-_.]\d{1,2}[-_.]\d{1,2}|\d{1,2}[-_.]\d{1,2}[-_.]\d{4}/u;

const isCodeWord = (word: string): boolean => {
  const lower = word.toLowerCase();
  return CODE_WORDS.has(lower) || /^(?:x+|y+|n+|o+)$/u.test(lower);
};

/** Whether a word may stand in a sentence that others read. */
export const isQuotable = (word: string): boolean =>
  /^[A-Za-z0-9._+()?#*=&@/-]{1,64}$/u.test(word) &&
  !PERSONAL.test(word) &&
  (word.replace(/X{2,}$/u, '').match(/[A-Za-z]{2,}/gu) ?? []).every(isCodeWord);

/** `“sub-001”`, or nothing. */
export const quoted = (word: string): string | undefined => (isQuotable(word) ? `“${word}”` : undefined);

/** Those that may be repeated, each once, in their order; at most three. */
export const quotable = (words: readonly string[]): string[] =>
  [...new Set(words)].flatMap((word) => quoted(word) ?? []).slice(0, 3);
