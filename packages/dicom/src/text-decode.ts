/** Bytes of text → text, by the character sets of (0008,0005) (PS3.5 6.1.2), with their code extensions (6.1.2.4, 6.1.2.5). */
import { decodeBytes, latin1 } from '#platform';
import {
  characterSet,
  OVERLINE,
  YEN,
  type PlainSet,
  EXTENSIONS_ONLY,
  standardTerms,
  DELIMITERS,
  G1_ESCAPES,
} from './character-sets.ts';

/** Decodes the bytes of one element; undefined where the character set does not define them. */
type Decode = (bytes: Uint8Array, multiple: boolean) => string | undefined;

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
function ascii(bytes: Uint8Array): string | undefined {
  for (const byte of bytes) if (byte >= 0x80 || byte === 0x1b) return undefined;
  return latin1(bytes);
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decoder(set: PlainSet): Decode {
  switch (set.kind) {
    case 'utf8':
      return decodeUtf8;
    case 'multi':
      return (bytes) => complete(decodeBytes(bytes, set.encoding));
    case 'single':
      return (bytes, multiple) => decodeSingle(bytes, set.high, set.japanese, multiple);
  }
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** `decodeBytes` writes U+FFFD for what it cannot decode. */
const complete = (text: string): string | undefined => (text.includes('\ufffd') ? undefined : text);

function decodeSingle(
  bytes: Uint8Array,
  high: string,
  japanese: boolean,
  multiple: boolean,
): string | undefined {
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

/** A set that an escape sequence calls into G0 (bytes 21-7E) or G1 (bytes A1-FE). */
interface Designation {
  readonly half: 'G0' | 'G1';
  /** Bytes of one character. */
  readonly width: 1 | 2;
  /** Decodes one character whose bytes have their high bits cleared. */
  readonly decode: (first: number, second: number) => string;
}

const low = (first: number): string => String.fromCharCode(first);
const lowJapanese = (first: number): string => (first === 0x7e ? '\u203e' : String.fromCharCode(first));
/** Each character is looked up once: a megabyte of them would take half a second, and a set has 16,384 at most. */
const wide = (encoding: string, ...prefix: number[]) => {
  const known = new Map<number, string>();
  return (first: number, second: number): string => {
    const code = (first << 7) | second;
    const found = known.get(code);
    if (found !== undefined) return found;
    const character = decodeBytes(Uint8Array.of(...prefix, first | 0x80, second | 0x80), encoding);
    known.set(code, character);
    return character;
  };
};
const high =
  (term: string) =>
  (first: number): string => {
    const set = characterSet(term);
    return set?.kind === 'single' ? set.high.charAt(first & 0x7f) : '\ufffd';
  };

/** What follows ESC (PS3.3 tables C.12-3 and C.12-4). */
const escapes = new Map<string, Designation>([
  ['(B', { half: 'G0', width: 1, decode: low }],
  ['(J', { half: 'G0', width: 1, decode: lowJapanese }],
  [')I', { half: 'G1', width: 1, decode: high('ISO_IR 13') }],
  ['$B', { half: 'G0', width: 2, decode: wide('eucjp') }],
  ['$(D', { half: 'G0', width: 2, decode: wide('eucjp', 0x8f) }],
  ['$)C', { half: 'G1', width: 2, decode: wide('euckr') }],
  ['$)A', { half: 'G1', width: 2, decode: wide('gb2312') }],
]);
for (const [escape, number] of Object.entries(G1_ESCAPES)) {
  escapes.set(escape, { half: 'G1', width: 1, decode: high(`ISO_IR ${number}`) });
}

interface State {
  G0: Designation | undefined;
  G1: Designation | undefined;
}

/**
 * A decoder for these values of (0008,0005), of which the first is active at the start and again after each
 * delimiter. It gives undefined for an escape sequence that is not known, and for bytes that no set defines.
 */
function iso2022(terms: readonly string[]): (bytes: Uint8Array) => string | undefined {
  const initial = initialState(terms[0] ?? '');
  return (bytes) => decode(bytes, initial);
}

function initialState(term: string): State {
  const japanese = / 13$/.test(term);
  const set = characterSet(term);
  return {
    G0: escapes.get(japanese ? '(J' : '(B'),
    G1: set?.kind === 'single' ? { half: 'G1', width: 1, decode: high(term) } : undefined,
  };
}

const ESCAPE = 0x1b;
const SPACE = 0x20;

function decode(bytes: Uint8Array, initial: State): string | undefined {
  const state = { ...initial };
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const byte = bytes[at] ?? 0;
    if (byte === ESCAPE) {
      const escape = escapeAt(bytes, at + 1);
      const designation = escapes.get(escape);
      if (designation === undefined) return undefined;
      state[designation.half] = designation;
      at += 1 + escape.length;
      continue;
    }
    const active = byte >= 0x80 ? state.G1 : state.G0;
    const character = byte <= SPACE ? String.fromCharCode(byte) : decodeOne(active, bytes, at);
    if (character.includes('\ufffd')) return undefined;
    text += character;
    const width = byte <= SPACE ? 1 : (active?.width ?? 1);
    // `=` and `^` reset in text that is no name too: harmless, since conforming text escapes again.
    if (width === 1 && DELIMITERS.has(byte)) Object.assign(state, initial);
    at += width;
  }
  return text;
}

function decodeOne(active: Designation | undefined, bytes: Uint8Array, at: number): string {
  if (active === undefined) return '\ufffd';
  const first = (bytes[at] ?? 0) & 0x7f;
  if (active.width === 1) return active.decode(first, 0);
  const second = bytes[at + 1];
  return second === undefined ? '\ufffd' : active.decode(first, second & 0x7f);
}

/** The two or three characters of an escape sequence: those with an intermediate `$` may have three. */
function escapeAt(bytes: Uint8Array, at: number): string {
  const two = String.fromCharCode(bytes[at] ?? 0, bytes[at + 1] ?? 0);
  return two === '$(' || two === '$)' ? two + String.fromCharCode(bytes[at + 2] ?? 0) : two;
}
