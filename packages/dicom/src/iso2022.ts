/** Text with code extensions: ISO 2022 escape sequences (PS3.5 6.1.2.4 and 6.1.2.5), read. */
import { iconv } from './iconv.ts';
import { characterSet } from './character-sets.ts';

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
    const character = iconv().decode(Buffer.from([...prefix, first | 0x80, second | 0x80]), encoding);
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
export function iso2022(terms: readonly string[]): (bytes: Uint8Array) => string | undefined {
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

/** Control characters and the delimiters of values, components and groups set the first set back (PS3.5 6.1.2.5.3). */
const RESETS = new Set([0x09, 0x0a, 0x0c, 0x0d, 0x3d, 0x5c, 0x5e]);

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
    if (width === 1 && RESETS.has(byte)) Object.assign(state, initial);
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
