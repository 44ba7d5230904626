/** Text → bytes in one character set, without ever writing a `?` for what is not in it. */
import type { ByteWriter } from './byte-writer.ts';
import {
  characterSet,
  DELIMITERS,
  G1_ESCAPES,
  OVERLINE,
  termsToWrite,
  YEN,
  type CharacterSet,
  type Designated,
  type Extended,
} from './character-sets.ts';
import { iconv } from './platform.ts';
import { transliterate } from './transliterate.ts';

/**
 * The character set of a defined term that can be written, or of several with a backslash between them, as
 * `ISO 2022 IR 6\\ISO 2022 IR 100`; throws on any other.
 */
export function writableCharacterSet(term: string): CharacterSet {
  const set = writable(term);
  if (set !== undefined) return set;
  throw new Error(
    `Text cannot be written in the character set '${term}': use one such as ISO_IR 100 or ISO_IR 192.`,
  );
}

/** Whether a text can be written in the character set of this defined term, or of these. */
export const isWritableCharacterSet = (term: string): boolean => writable(term) !== undefined;

/**
 * The defined terms that (0008,0005) has to declare for texts in these character sets.
 *
 * @param term one defined term, or several with backslashes between them
 */
export const declaredTerms = (term: string): readonly string[] => termsToWrite(term.split('\\'));

const made = new Map<string, CharacterSet | undefined>();

function writable(term: string): CharacterSet | undefined {
  if (!made.has(term)) {
    // what a peer declares is kept; what it may declare is without bound
    if (made.size >= 100) made.clear();
    made.set(term, make(declaredTerms(term)));
  }
  return made.get(term);
}

const make = (terms: readonly string[]): CharacterSet | undefined =>
  terms.length === 1 ? characterSet(terms[0] ?? '') : extendedSet(terms);

const ESCAPE = 0x1b;
const BACKSLASH = 0x5c;
const TILDE = 0x7e;

/** ASCII that is written as it is, 1 for each: all but what has a meaning of its own. */
const plainCharacters = (...special: number[]): Uint8Array =>
  Uint8Array.from({ length: 128 }, (_, code) => (special.includes(code) ? 0 : 1));
const PLAIN = plainCharacters(ESCAPE, BACKSLASH);
const PLAIN_JAPANESE = plainCharacters(ESCAPE, BACKSLASH, TILDE);

/**
 * Writes one value. `\` becomes `/` where it would separate values, and what the set lacks is transliterated.
 * @param multiple whether the VR takes several values
 */
export function writeText(writer: ByteWriter, text: string, set: CharacterSet, multiple: boolean): void {
  if (writer.ascii(text, isJapanese(set) ? PLAIN_JAPANESE : PLAIN)) return;
  const plain = toEncodable(text, set, multiple);
  if (set.kind === 'utf8') writer.utf8(plain);
  else if (set.kind === 'multi') writer.bytes(iconv().encode(plain, set.encoding));
  else if (set.kind === 'extended') writeExtended(writer, plain, set);
  else writeSingle(writer, plain, set.bytes);
}

const isJapanese = (set: CharacterSet): boolean =>
  (set.kind === 'single' || set.kind === 'extended') && set.japanese;

/** The text with everything written otherwise that the set cannot hold. */
export function toEncodable(text: string, set: CharacterSet, multiple: boolean): string {
  return transliterate(text.toWellFormed(), (character) => canEncode(character, set, multiple));
}

function canEncode(character: string, set: CharacterSet, multiple: boolean): boolean {
  const code = character.charCodeAt(0);
  if (code === ESCAPE) return false;
  if (code === BACKSLASH) return !multiple && !isJapanese(set);
  if (code === TILDE) return !isJapanese(set);
  if (code < 0x80) return true;
  if (set.kind === 'utf8') return true;
  if (set.kind === 'multi')
    return iconv().decode(iconv().encode(character, set.encoding), set.encoding) === character;
  if (set.kind === 'extended') return character.length === 1 && inExtended(set, code, multiple);
  if (code === YEN && set.japanese) return !multiple;
  return character.length === 1 && set.bytes.has(code);
}

function writeSingle(writer: ByteWriter, text: string, bytes: ReadonlyMap<number, number>): void {
  writer.reserve(text.length);
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    writer.reserved(
      code === YEN && !bytes.has(code) ? BACKSLASH : code < 0x80 ? code : (bytes.get(code) ?? 0x5f),
    );
  }
}

/** An escape sequence of ISO 2022 (PS3.5 6.1.2.4 and 6.1.2.5). */
const escapeOf = (characters: string): Buffer => Buffer.from(`\u001b${characters}`, 'latin1');

/** The escape sequence that designates `ISO 2022 IR nnn` as G1, by nnn. */
const escapes = new Map(Object.entries(G1_ESCAPES).map(([escape, number]) => [number, escapeOf(escape)]));

/** A set of two bytes a character, as iconv knows it: which of its bytes belong to the set itself. */
interface Wide {
  readonly half: 'G0' | 'G1';
  readonly escape: string;
  readonly encoding: string;
  /** A byte that stands before each character there. */
  readonly prefix?: number;
  /** First bytes of the set's rows: encodings of today hold more than the set. */
  readonly rows: readonly (readonly [low: number, high: number])[];
}
const WIDE: Readonly<Record<string, Wide>> = {
  87: {
    half: 'G0',
    escape: '$B',
    encoding: 'eucjp',
    rows: [
      [0xa1, 0xa8],
      [0xb0, 0xf4],
    ],
  },
  159: { half: 'G0', escape: '$(D', encoding: 'eucjp', prefix: 0x8f, rows: [[0xa2, 0xed]] },
  149: { half: 'G1', escape: '$)C', encoding: 'euckr', rows: [[0xa1, 0xfe]] },
  58: {
    half: 'G1',
    escape: '$)A',
    encoding: 'gb2312',
    rows: [
      [0xa1, 0xa9],
      [0xb0, 0xf7],
    ],
  },
};

/**
 * The sets that a multi-valued (0008,0005) names; undefined where one of them is not known. ISO 2022 IR 13 is JIS X 0201 as
 * the first set, and its katakana anywhere else.
 */
function extendedSet(terms: readonly string[]): Extended | undefined {
  const numbers = terms.map((term, index) =>
    term === '' && index === 0 ? '6' : /^ISO 2022 IR (\d+)$/.exec(term)?.[1],
  );
  const designated = numbers.map((number) => (number === undefined ? undefined : designate(number)));
  const [initial] = designated;
  // what takes ASCII's place at the start of a value is no first set (PS3.3 C.12.1.1.2)
  if (designated.includes(undefined) || (initial !== 'ASCII' && initial?.half === 'G0')) return undefined;
  return {
    kind: 'extended',
    japanese: numbers[0] === '13',
    initial: initial === 'ASCII' ? undefined : initial,
    sets: designated.filter((one) => one !== undefined && one !== 'ASCII'),
  };
}

function designate(number: string): Designated | 'ASCII' | undefined {
  if (number === '6') return 'ASCII';
  const wide = WIDE[number];
  if (wide !== undefined) return designateWide(wide);
  const escape = number === '13' ? escapeOf(')I') : escapes.get(number);
  const set = characterSet(`ISO_IR ${number}`);
  if (escape === undefined || set?.kind !== 'single') return undefined;
  const bytesOf = (code: number): readonly number[] | undefined => {
    const byte = set.bytes.get(code);
    return byte === undefined || byte < 0x80 ? undefined : [byte];
  };
  return { half: 'G1', escape, bytesOf };
}

function designateWide({ half, escape, encoding, prefix, rows }: Wide): Designated {
  const known = new Map<number, readonly number[] | undefined>();
  const look = (code: number): readonly number[] | undefined => {
    const character = String.fromCharCode(code);
    const bytes = [...iconv().encode(character, encoding)];
    if (iconv().decode(Buffer.from(bytes), encoding) !== character) return undefined;
    const [first = 0, second = 0, more] = prefix === undefined ? bytes : bytes.slice(1);
    const isOfSet =
      (prefix === undefined || bytes[0] === prefix) &&
      more === undefined &&
      rows.some(([low, high]) => first >= low && first <= high) &&
      second >= 0xa1;
    if (!isOfSet) return undefined;
    return half === 'G0' ? [first & 0x7f, second & 0x7f] : [first, second];
  };
  const bytesOf = (code: number): readonly number[] | undefined => {
    // no more than there are code units: each is looked up once
    if (!known.has(code)) known.set(code, look(code));
    return known.get(code);
  };
  return { half, escape: escapeOf(escape), bytesOf };
}

/** Bytes of JIS X 0201 that are another character in ASCII (PS3.3 table C.12-2). */
const japaneseByte = (code: number): number | undefined =>
  code === YEN ? 0x5c : code === OVERLINE ? 0x7e : undefined;

/** Whether a UTF-16 code unit from U+0080 can be written. @param multiple whether the VR takes several values */
const inExtended = ({ sets, japanese }: Extended, code: number, multiple: boolean): boolean =>
  sets.some(({ bytesOf }) => bytesOf(code) !== undefined) ||
  (japanese && (code === OVERLINE || (code === YEN && !multiple)));

const ASCII = escapeOf('(B');
const JAPANESE = escapeOf('(J');

/** Writes text that holds only ASCII and characters of the sets; whatever else there is becomes `_`. */
function writeExtended(writer: ByteWriter, text: string, extended: Extended): void {
  const { initial, japanese, sets } = extended;
  const bytes: number[] = [];
  let low: Designated | undefined;
  let high = initial;
  const toInitialLow = (): void => {
    if (low !== undefined) bytes.push(...(japanese ? JAPANESE : ASCII));
    low = undefined;
  };
  const toInitial = (): void => {
    toInitialLow();
    if (initial !== undefined && high !== initial) bytes.push(...initial.escape);
    high = initial;
  };
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    const plain = code < 0x80 ? code : japanese ? japaneseByte(code) : undefined;
    if (plain !== undefined) {
      if (DELIMITERS.has(code)) toInitial();
      else toInitialLow();
      bytes.push(plain);
      continue;
    }
    const needed = [low, high, ...sets].find((one) => one?.bytesOf(code) !== undefined);
    if (needed === undefined) toInitialLow();
    else if (needed !== low && needed !== high) bytes.push(...needed.escape);
    if (needed?.half === 'G0') low = needed;
    else if (needed?.half === 'G1') high = needed;
    bytes.push(...(needed?.bytesOf(code) ?? [0x5f]));
  }
  toInitial();
  writer.bytes(Uint8Array.from(bytes));
}
