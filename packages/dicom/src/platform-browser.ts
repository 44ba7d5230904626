/** What `platform.ts` does in Node.js, by means that browsers have: TextDecoder, and fflate for deflate streams. */
import { Inflate } from 'fflate';
import lines from './dictionary-data.json' with { type: 'json' };

/** Names of encodings that browsers spell in another way than iconv (WHATWG Encoding 4.2). */
const NAMES: Readonly<Record<string, string>> = { tis620: 'windows-874', eucjp: 'euc-jp', euckr: 'euc-kr' };

const decoders = new Map<string, TextDecoder>();

/**
 * Text of bytes in an encoding that is no UTF-8, by iconv's name; U+FFFD for what it does not define. Browsers take ISO 8859-9
 * and TIS 620 for what Windows made of them, with other characters below A0 (TIS 620: A1): those are set right here.
 */
export function decodeBytes(bytes: Uint8Array, encoding: string): string {
  const decoder = decoders.get(encoding) ?? new TextDecoder(NAMES[encoding] ?? encoding);
  decoders.set(encoding, decoder);
  const text = decoder.decode(bytes);
  if (encoding === 'iso-8859-9') return withControls(text, bytes, 0xa0, String.fromCharCode);
  return encoding === 'tis620' ? withControls(text, bytes, 0xa1, () => '\ufffd') : text;
}

/** One byte a character: those from 80 to `end` become what `character` says. */
const withControls = (
  text: string,
  bytes: Uint8Array,
  end: number,
  character: (byte: number) => string,
): string =>
  Array.from(bytes, (byte, at) => (byte >= 0x80 && byte < end ? character(byte) : text.charAt(at))).join('');

/** The lines of the dictionary. */
export const dictionaryLines = (): readonly string[] => lines;

/** Node.js has bytes of which text is read faster; browsers do not. */
export const viewOf = (bytes: Uint8Array): Uint8Array => bytes;

/** A call takes so many arguments in every browser. */
const MOST = 8192;

/** Bytes as ISO 8859-1 text. */
export function latin1(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  if (end - start <= MOST) return String.fromCharCode(...bytes.subarray(start, end));
  let text = '';
  for (let at = start; at < end; at += MOST) text += latin1(bytes, at, Math.min(at + MOST, end));
  return text;
}

/** RFC 4648 4. */
export const toBase64 = (bytes: Uint8Array): string => btoa(latin1(bytes));
export const fromBase64 = (text: string): Uint8Array =>
  Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

export const isSameBytes = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && one.every((byte, at) => byte === other[at]);

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Turns the byte order of each `unit` bytes around, in place; the length is a multiple of `unit`. */
export function swapUnits(bytes: Uint8Array, unit: number): void {
  for (let at = 0; at + unit <= bytes.length; at += unit) bytes.subarray(at, at + unit).reverse();
}

/** What the first bytes of a raw deflate stream (RFC 1951) gave. */
export interface Inflated {
  readonly bytes: Uint8Array;
  /** That is all of it. */
  readonly ended: boolean;
}

/** Bytes that the engine takes at a time: it gives a thousand times as many at most. */
const STEP = 16_384;

/** Whether the last block of the stream is through: fflate keeps it to itself, so its version is pinned and a test looks. */
function hasEnded(engine: Inflate): boolean {
  const { s } = engine as unknown as { readonly s: { readonly f?: number; readonly l?: unknown } };
  return s.f === 1 && (s.l === undefined || s.l === null);
}

/** 'too much' where it is more than `limit` bytes, 'broken' for what is no deflate stream. */
export function inflate(stream: Uint8Array, limit: number): Inflated | 'too much' | 'broken' {
  const parts: Uint8Array[] = [];
  let size = 0;
  const engine = new Inflate((part) => {
    parts.push(part);
    size += part.length;
  });
  try {
    for (let at = 0; at < stream.length && !hasEnded(engine); at += STEP) {
      engine.push(stream.subarray(at, at + STEP));
      if (size > limit) return 'too much';
    }
  } catch {
    return 'broken';
  }
  return { bytes: joined(parts), ended: hasEnded(engine) };
}
