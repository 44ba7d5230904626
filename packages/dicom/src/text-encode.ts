/** Text → bytes in one character set, without ever writing a `?` for what is not in it. */
import { iconv } from './iconv.ts';
import type { ByteWriter } from './byte-writer.ts';
import { characterSet, YEN, type CharacterSet } from './character-sets.ts';
import { termsToWrite } from './character-set-terms.ts';
import { extendedSet, inExtended, writeExtended } from './iso2022-write.ts';
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

/** What (0008,0005) declares of a character set that can be written. */
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
