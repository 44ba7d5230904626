/** Whether two texts are one code, spelled in two ways. */

/**
 * Consoles and people change capitals, zeros in front, and what stands between letters and digits: `SUB 1` and `sub-001`
 * are one code. Between two numbers something has to stand, so that `1_1` is not `11`.
 */
export const sameCode = (a: string, b: string): boolean => a === b || plain(a) === plain(b);

/** The same for labels, which may lack the prefix that BIDS gives them: `001` and `sub-001`. */
export const sameLabel = (a: string, b: string): boolean =>
  sameCode(a, b) || sameCode(withoutPrefix(a), withoutPrefix(b));

const withoutPrefix = (label: string): string => label.replace(/^(?:sub|ses)[-_ ]?(?=\p{N})/iu, '');

/** In a form that all spellings of one code share. */
export const plain = (text: string): string =>
  text
    .slice(0, LONGEST)
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/\p{Nd}+/gu, (digits) => digits.replace(/^0+(?=.)/u, ''))
    .replaceAll(/[\s._^-]+/gu, '.')
    .replaceAll(/(?<!\p{Nd})\.|\.(?!\p{Nd})/gu, '');

/** PS3.5 6.2: LO has 64 characters, PN 64 in each of its groups; what is longer is no code. */
const LONGEST = 256;

/** The first group of a name that says something, without empty components at its end (PS3.5 6.2.1.1). */
export const nameText = (name: string): string =>
  name
    .split('=')
    .map((group) => group.replace(/[\s^]+$/u, '').trim())
    .find((group) => group !== '') ?? '';
