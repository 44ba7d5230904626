/**
 * Character sets by the defined terms of (0008,0005), PS3.3 C.12.1.1.2: which there are, their characters, and the term
 * that is meant where somebody spelt it in another way that has one meaning only.
 */
import { decodeBytes, latin1 } from '#platform';

/** One byte a character: ASCII below 0x80 (but for ISO_IR 13), and what stands above. */
interface SingleByte {
  readonly kind: 'single';
  /** 128 characters for the bytes from 0x80; U+FFFD where there is none. */
  readonly high: string;
  /** The byte of a UTF-16 code unit from U+0080. */
  readonly bytes: ReadonlyMap<number, number>;
  /** JIS X 0201: 0x5C is a yen sign and 0x7E an overline (PS3.3 table C.12-2). */
  readonly japanese: boolean;
}
interface Utf8 {
  readonly kind: 'utf8';
}
/** GBK and GB18030, whose second bytes may be ASCII's. */
interface MultiByte {
  readonly kind: 'multi';
  readonly encoding: string;
}
/** Several sets, between which escape sequences switch (PS3.5 6.1.2.5). */
export interface Extended {
  readonly kind: 'extended';
  /** Whether the bytes below 0x80 are those of JIS X 0201 (ISO 2022 IR 13 as the first set). */
  readonly japanese: boolean;
  /** The set of the bytes from 0x80 at the start of a value; undefined where there is none. */
  readonly initial: Designated | undefined;
  /** In the order of (0008,0005), the initial one among them. */
  readonly sets: readonly Designated[];
}
/** A set that an escape sequence calls into G0 (bytes 21-7E) or G1 (bytes A1-FE). */
export interface Designated {
  readonly half: 'G0' | 'G1';
  /** What designates it (PS3.3 tables C.12-3 and C.12-4). */
  readonly escape: Uint8Array;
  /** The bytes of a UTF-16 code unit; undefined where the set lacks it. */
  readonly bytesOf: (code: number) => readonly number[] | undefined;
}
/** What one defined term names. */
export type PlainSet = SingleByte | Utf8 | MultiByte;
export type CharacterSet = PlainSet | Extended;

/** The number of ISO_IR nnn and of ISO 2022 IR nnn, with iconv's name (PS3.3 tables C.12-2 and C.12-3). */
const SINGLE: Readonly<Record<string, string>> = {
  101: 'iso-8859-2',
  109: 'iso-8859-3',
  110: 'iso-8859-4',
  144: 'iso-8859-5',
  127: 'iso-8859-6',
  126: 'iso-8859-7',
  138: 'iso-8859-8',
  148: 'iso-8859-9',
  203: 'iso-8859-15',
  166: 'tis620',
};
/** The sets of one byte a character that are called into G1, by what follows ESC (PS3.3 table C.12-3). */
export const G1_ESCAPES: Readonly<Record<string, string>> = {
  '-A': '100',
  '-B': '101',
  '-C': '109',
  '-D': '110',
  '-L': '144',
  '-G': '127',
  '-F': '126',
  '-H': '138',
  '-M': '148',
  '-T': '166',
  '-b': '203',
};

/**
 * Control characters and the delimiters of values, components and groups: before these, and at the end of a value, the
 * initial sets are active again (PS3.5 6.1.2.5.3).
 */
export const DELIMITERS: ReadonlySet<number> = new Set([0x09, 0x0a, 0x0c, 0x0d, 0x3d, 0x5c, 0x5e]);

const sets = new Map<string, PlainSet>();

export const YEN = 0xa5;
export const OVERLINE = 0x203e;

/** The default repertoire, ISO_IR 6: ASCII. */
export const DEFAULT_CHARACTER_SET = 'ISO_IR 6';

/**
 * The character set of a defined term of (0008,0005), without code extensions; undefined for a term that is not
 * known. The empty term is the default repertoire. `ISO 2022 IR nnn` gives the set of `ISO_IR nnn`.
 */
export function characterSet(term: string): PlainSet | undefined {
  const known = sets.get(term);
  if (known !== undefined) return known;
  const made = make(term);
  if (made !== undefined) sets.set(term, made);
  return made;
}

function make(term: string): PlainSet | undefined {
  if (term === 'ISO_IR 192') return { kind: 'utf8' };
  if (term === 'GB18030' || term === 'GBK') return { kind: 'multi', encoding: term.toLowerCase() };
  const number = /^ISO(?:_| 2022 )IR (\d+)$/.exec(term)?.[1];
  if (term === '' || number === '6') return single('\ufffd'.repeat(128), false);
  if (number === '13') return japanese();
  if (number === '100') return single(latin1(upperHalf()), false);
  const encoding = number === undefined ? undefined : SINGLE[number];
  return encoding === undefined ? undefined : single(decodeBytes(upperHalf(), encoding), false);
}

function upperHalf(): Uint8Array {
  return Uint8Array.from({ length: 128 }, (_, index) => index + 128);
}

function single(high: string, isJapanese: boolean): SingleByte {
  const bytes = new Map<number, number>();
  for (let index = 0; index < 128; index++) {
    const code = high.charCodeAt(index);
    if (code !== 0xfffd) bytes.set(code, index + 128);
  }
  return { kind: 'single', high, bytes, japanese: isJapanese };
}

/** JIS X 0201: half-width katakana; on writing, full-width ones become half-width, with their voiced marks apart. */
function japanese(): SingleByte {
  const katakana = Array.from({ length: 63 }, (_, index) => String.fromCharCode(0xff61 + index));
  const { high, bytes } = single('\ufffd'.repeat(33) + katakana.join('') + '\ufffd'.repeat(32), true);
  const wide = katakana.map((half, index): [number, number] => [
    half.normalize('NFKC').charCodeAt(0),
    0xa1 + index,
  ]);
  return { kind: 'single', high, bytes: new Map([...wide, ...bytes, [OVERLINE, 0x7e]]), japanese: true };
}

/** Numbers of ISO registration of the sets of one byte a character, with the part of ISO 8859 that each is. */
const PARTS: Readonly<Record<string, string>> = {
  1: '100',
  2: '101',
  3: '109',
  4: '110',
  5: '144',
  6: '127',
  7: '126',
  8: '138',
  9: '148',
  11: '166',
  15: '203',
};
/** Latin alphabets are counted in another way than the parts. */
const LATINS: Readonly<Record<string, string>> = { 1: '1', 2: '2', 3: '3', 4: '4', 5: '9', 9: '15' };

/** These stand alone: no escape sequence leads to another set. */
const ALONE = new Set(['ISO_IR 192', 'GB18030', 'GBK']);
/** Sets of two bytes a character, which exist with code extensions only (PS3.3 table C.12-4). */
export const EXTENSIONS_ONLY: ReadonlySet<string> = new Set([
  'ISO 2022 IR 87',
  'ISO 2022 IR 159',
  'ISO 2022 IR 149',
  'ISO 2022 IR 58',
]);

/** Each way to write a set, and the defined term that is meant. */
const SPELLINGS: readonly (readonly [RegExp, (found: string) => string | undefined])[] = [
  [/^ISO[-_ ]*2022[-_ ]*IR[-_ ]*(\d+)$/, (number) => `ISO 2022 IR ${number}`],
  [/^(?:ISO[-_ ]*)?IR[-_ ]*(\d+)$/, (number) => `ISO_IR ${number}`],
  [/^(?:ISO[-_ ]*)?8859[-_ ]*(\d+)$/, (part) => partOf(part)],
  [/^LATIN[-_ ]*(\d+)$/, (latin) => partOf(LATINS[latin])],
  [/^(UTF)[-_ ]?8$/, () => 'ISO_IR 192'],
  [/^(GB)[-_ ]?18030$/, () => 'GB18030'],
  // what these hold beyond the term that is meant, no text of DICOM has
  [/^(?:WINDOWS|CP)[-_ ]?(1252)$/, () => 'ISO_IR 100'],
  [/^(GBK|GB[-_ ]?2312)$/, () => 'GBK'],
  [/^(?:US[-_ ]?)?(ASCII)$/, () => 'ISO_IR 6'],
  [/^(TIS)[-_ ]?620$/, () => 'ISO_IR 166'],
];

function partOf(part: string | undefined): string | undefined {
  const number = PARTS[part ?? ''];
  return number === undefined ? undefined : `ISO_IR ${number}`;
}

/** The defined term that is meant; what has no plain meaning stays as it is. */
function standardTerm(term: string): string {
  const plain = term.replace(/^[\s"']+|[\s"';,]+$/g, '').toUpperCase();
  for (const [spelling, meant] of SPELLINGS) {
    const [, found] = spelling.exec(plain) ?? [];
    if (found !== undefined) return meant(found) ?? term;
  }
  return term;
}

/**
 * The values of (0008,0005) as the standard writes them: `iso_ir 100`, `ISO-IR 100`, `ISO IR100` and `latin1` are `ISO_IR 100`.
 * Beside others, a set is `ISO 2022 IR nnn`; one that allows no others stands alone.
 */
export function standardTerms(terms: readonly string[]): readonly string[] {
  const meant = terms.map(standardTerm);
  if (meant.length < 2) return meant;
  const alone = meant.find((term) => ALONE.has(term));
  if (alone === undefined) return meant.map((term) => term.replace(/^ISO_IR /, 'ISO 2022 IR '));
  const isOnly = meant.every((term) => ['', 'ISO_IR 6', 'ISO 2022 IR 6', alone].includes(term));
  return isOnly || meant[0] === alone ? [alone] : meant;
}

/**
 * The same as it is written: a single set of one byte a character needs no code extensions, and one of two bytes a character
 * has ASCII beside it (PS3.3 C.12.1.1.2).
 */
export function termsToWrite(terms: readonly string[]): readonly string[] {
  const meant = standardTerms(terms);
  const [only] = meant;
  if (meant.length !== 1 || only === undefined) return meant;
  return EXTENSIONS_ONLY.has(only) ? ['', only] : [only.replace(/^ISO 2022 IR /, 'ISO_IR ')];
}
