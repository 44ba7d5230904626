/** Bytes of text → text, by the character sets of (0008,0005) (PS3.5 6.1.2). */
import { iconv } from './iconv.ts';
import { characterSet, OVERLINE, YEN, type PlainSet } from './character-sets.ts';
import { EXTENSIONS_ONLY, standardTerms } from './character-set-terms.ts';
import { iso2022 } from './iso2022.ts';

/** Decodes the bytes of one element; undefined where the character set does not define them. */
type Decode = (bytes: Buffer, multiple: boolean) => string | undefined;

export interface TextDecoding {
  /** The terms of (0008,0005), as the standard writes them. */
  readonly terms: readonly string[];
  /** The term that is not known, if any: only plain ASCII can be decoded then. */
  readonly unknown: string | undefined;
  readonly decode: Decode;
}

const decodings = new Map<string, TextDecoding>();

/** How text is decoded under these values of (0008,0005). None, or one empty: the default repertoire. */
export function textDecoding(terms: readonly string[]): TextDecoding {
  const key = terms.join('\\');
  const known = decodings.get(key);
  if (known !== undefined) return known;
  const made = make(terms);
  // What a stranger declares is not kept, or the map would grow without end.
  if (made.unknown === undefined && terms.length < 4) decodings.set(key, made);
  return made;
}

function make(declared: readonly string[]): TextDecoding {
  const terms = standardTerms(declared);
  const unknown = terms.find((term) => !isKnown(term));
  const [first = ''] = terms;
  if (unknown !== undefined) return { terms, unknown, decode: (bytes) => ascii(bytes) };
  if (terms.length > 1 || first.startsWith('ISO 2022')) {
    const decodeExtended = iso2022(terms);
    return { terms, unknown, decode: (bytes) => ascii(bytes) ?? decodeExtended(bytes) };
  }
  const set = characterSet(first);
  if (set === undefined) return { terms, unknown: first, decode: (bytes) => ascii(bytes) };
  const decode = decoder(set);
  const isAscii = set.kind !== 'single' || !set.japanese;
  return {
    terms,
    unknown,
    decode: isAscii ? (bytes, multiple) => ascii(bytes) ?? decode(bytes, multiple) : decode,
  };
}

const isKnown = (term: string): boolean => EXTENSIONS_ONLY.has(term) || characterSet(term) !== undefined;

/** ASCII without escape sequences means the same in nearly every set, and is nearly all there is. */
function ascii(bytes: Buffer): string | undefined {
  for (const byte of bytes) if (byte >= 0x80 || byte === 0x1b) return undefined;
  return bytes.toString('latin1');
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decoder(set: PlainSet): Decode {
  switch (set.kind) {
    case 'utf8':
      return decodeUtf8;
    case 'multi':
      return (bytes) => complete(iconv().decode(bytes, set.encoding));
    case 'single':
      return (bytes, multiple) => decodeSingle(bytes, set.high, set.japanese, multiple);
  }
}

function decodeUtf8(bytes: Buffer): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** iconv writes U+FFFD for what it cannot decode. */
const complete = (text: string): string | undefined => (text.includes('\ufffd') ? undefined : text);

function decodeSingle(bytes: Buffer, high: string, japanese: boolean, multiple: boolean): string | undefined {
  let text = '';
  for (const byte of bytes) {
    if (byte >= 0x80) text += high.charAt(byte - 0x80);
    else if (byte === 0x1b) return undefined;
    else if (japanese && byte === 0x7e) text += String.fromCharCode(OVERLINE);
    else if (japanese && byte === 0x5c && !multiple) text += String.fromCharCode(YEN);
    else text += String.fromCharCode(byte);
  }
  return complete(text);
}
