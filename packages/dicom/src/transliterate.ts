/** Writing a text in a smaller character set: the nearest letters instead of `?`. */

const LETTERS: Readonly<Record<string, string>> = {
  ß: 'ss',
  ẞ: 'SS',
  ø: 'o',
  Ø: 'O',
  æ: 'ae',
  Æ: 'AE',
  œ: 'oe',
  Œ: 'OE',
  đ: 'd',
  Đ: 'D',
  ð: 'd',
  Ð: 'D',
  þ: 'th',
  Þ: 'Th',
  ł: 'l',
  Ł: 'L',
  ħ: 'h',
  Ħ: 'H',
  ı: 'i',
  ŋ: 'n',
  Ŋ: 'N',
  ŧ: 't',
  Ŧ: 'T',
  ĸ: 'k',
  ə: 'e',
  Ə: 'E',
  ƒ: 'f',
  '€': 'EUR',
  '£': 'GBP',
  '¥': 'Y',
  '×': 'x',
  '÷': '/',
  '©': '(c)',
  '®': '(r)',
  '¢': 'c',
  µ: 'u',
  '°': 'deg',
  '‐': '-',
  '‑': '-',
  '‒': '-',
  '–': '-',
  '—': '-',
  '―': '-',
  '−': '-',
  '•': '-',
  '·': '.',
  '¬': '-',
  '¦': '|',
  '‘': "'",
  '’': "'",
  '‚': "'",
  '‛': "'",
  '′': "'",
  '´': "'",
  ʼ: "'",
  '“': '"',
  '”': '"',
  '„': '"',
  '‟': '"',
  '″': '"',
  '«': '"',
  '»': '"',
  '‹': "'",
  '›': "'",
  '⁄': '/',
  '→': '->',
  '←': '<-',
  '¡': '!',
  '¿': '_',
  '§': 'S',
  '¶': 'P',
  '‾': '~',
  '~': '-',
  '\\': '/',
};
const CYRILLIC =
  'а:a б:b в:v г:g д:d е:e ж:zh з:z и:i й:i к:k л:l м:m н:n о:o п:p р:r с:s т:t у:u ф:f х:kh ц:ts ч:ch ш:sh ' +
  'щ:shch ъ:ie ы:y ь: э:e ю:iu я:ia ѐ:e ё:e ђ:d ѓ:g є:ie ѕ:s і:i ї:i ј:j љ:lj њ:nj ћ:c ќ:k ѝ:i ў:u џ:dz ґ:g';
const GREEK =
  'α:a β:v γ:g δ:d ε:e ζ:z η:i θ:th ι:i κ:k λ:l μ:m ν:n ξ:x ο:o π:p ρ:r σ:s ς:s τ:t υ:y φ:f χ:ch ψ:ps ω:o';

const nearest = new Map(Object.entries(LETTERS));
for (const pair of `${CYRILLIC} ${GREEK}`.split(' ')) {
  const [letter = '', latin = ''] = pair.split(':');
  nearest.set(letter, latin);
  nearest.set(letter.toUpperCase(), latin.charAt(0).toUpperCase() + latin.slice(1));
}
// Final sigma's capital is the capital of sigma, and stays an S.

const MARK = /^[\p{M}\p{Cf}]$/u;
/** They would change what the text means: separators of values and components, and the wildcards of a query. */
const STRUCTURE = /[\\^=*?]/g;
const UNKNOWN = '_';

/**
 * The text with every character that `canEncode` refuses written in the nearest ones that it takes: without its
 * marks (é → e), as other letters (ß → ss, ж → zh), a plain quote or dash; `_` where nothing is near.
 */
export function transliterate(text: string, canEncode: (character: string) => boolean): string {
  if (everyCharacter(text, canEncode)) return text;
  let written = '';
  for (const character of text.normalize('NFC')) {
    written += canEncode(character) ? character : substitute(character, canEncode);
  }
  return written;
}

function substitute(character: string, canEncode: (character: string) => boolean): string {
  const direct = nearest.get(character);
  if (direct !== undefined && everyCharacter(direct, canEncode)) return direct;
  let written = '';
  for (const part of character.normalize('NFKD')) written += substitutePart(part, character, canEncode);
  return written;
}

function substitutePart(part: string, whole: string, canEncode: (character: string) => boolean): string {
  if (canEncode(part)) return part === whole ? part : part.replace(STRUCTURE, UNKNOWN);
  if (MARK.test(part)) return '';
  const other = nearest.get(part);
  return other !== undefined && everyCharacter(other, canEncode) ? other : UNKNOWN;
}

function everyCharacter(text: string, accepts: (character: string) => boolean): boolean {
  for (const character of text) if (!accepts(character)) return false;
  return true;
}
