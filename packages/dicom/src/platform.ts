/**
 * What Node.js does for this package, by its own means and iconv-lite. In browsers `platform-browser.ts` does the same:
 * the import `#platform` of package.json chooses.
 */
import { createRequire } from 'node:module';
import type * as Zlib from 'node:zlib';
import type Iconv from 'iconv-lite';

const require = createRequire(import.meta.url);
let loaded: typeof Iconv | undefined;

/** iconv-lite, loaded by the first text that needs it: ASCII, Latin-1 and UTF-8, nearly all there is, do without. */
export const iconv = (): typeof Iconv => (loaded ??= require('iconv-lite') as typeof Iconv);

/** Text of bytes in an encoding that is no UTF-8, by iconv's name; U+FFFD for what it does not define. */
export const decodeBytes = (bytes: Uint8Array, encoding: string): string =>
  iconv().decode(viewOf(bytes), encoding);

/** The lines of the dictionary. */
export const dictionaryLines = (): readonly string[] =>
  require('./dictionary-data.json') as readonly string[];

/** The same bytes, of which `latin1` reads text fast. */
export const viewOf = (bytes: Uint8Array): Uint8Array =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Bytes as ISO 8859-1 text. */
export const latin1 = (bytes: Uint8Array, start = 0, end: number = bytes.length): string =>
  (viewOf(bytes) as Buffer).toString('latin1', start, end);

/** RFC 4648 4. */
export const toBase64 = (bytes: Uint8Array): string => (viewOf(bytes) as Buffer).toString('base64');
export const fromBase64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));

export const isSameBytes = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0;
export const joined = (parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts);

/** Turns the byte order of each `unit` bytes around, in place; the length is a multiple of `unit`. */
export function swapUnits(bytes: Uint8Array, unit: number): void {
  const buffer = viewOf(bytes) as Buffer;
  if (unit === 2) buffer.swap16();
  else if (unit === 4) buffer.swap32();
  else if (unit === 8) buffer.swap64();
}

/** What the first bytes of a raw deflate stream (RFC 1951) gave. */
export interface Inflated {
  readonly bytes: Uint8Array;
  /** That is all of it. */
  readonly ended: boolean;
}

/** Loaded with the first deflated file: there are few. */
export const zlib = (): typeof Zlib => process.getBuiltinModule('node:zlib');

/** Whether an error is zlib's, by the start of its code. */
export const isZlib = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && String(error.code).startsWith(code);

/** 'too much' where it is more than `limit` bytes, 'broken' for what is no deflate stream. */
export function inflate(stream: Uint8Array, limit: number): Inflated | 'too much' | 'broken' {
  const { constants, inflateRawSync } = zlib();
  try {
    return { bytes: inflateRawSync(stream, { maxOutputLength: limit }), ended: true };
  } catch (error) {
    if (!isZlib(error, 'Z_BUF_ERROR')) return failed(error);
  }
  try {
    const finishFlush = constants.Z_SYNC_FLUSH;
    return { bytes: inflateRawSync(stream, { maxOutputLength: limit, finishFlush }), ended: false };
  } catch (error) {
    return failed(error);
  }
}

function failed(error: unknown): 'too much' | 'broken' {
  if (isZlib(error, 'ERR_BUFFER_TOO_LARGE')) return 'too much';
  if (isZlib(error, 'Z_')) return 'broken';
  throw error;
}
