/** The bytes of a feed as text, and parts of that text as unfolded content lines (RFC 5545 3.1). */

const LF = 0x0a;
const CR = 0x0d;

/**
 * A feed's bytes with lines that end in LF or CR LF, in UTF-8 or, unmarked, in Windows-1252. Takes UTF-8 with or
 * without BOM, UTF-16 with BOM, and lines that end in CR alone. What is as usual is not copied.
 */
export function toPlainBytes(bytes: Uint8Array): Buffer {
  const plain = toUtf8(bytes);
  if (!plain.includes(CR) || plain.includes(LF)) return plain;
  return Buffer.from(plain.toString('latin1').replaceAll('\r', '\n'), 'latin1');
}

/** One stretch of whole lines as a string of one character per byte, and where it stands. */
export interface Stretch {
  readonly text: string;
  readonly offset: number;
}

const STRETCH = 1 << 20;

/**
 * The bytes as stretches of lines. Characters are not decoded yet: a fold may stand inside a character of several
 * bytes, and only the events that matter need be decoded. A feed of 200,000 events is never held as one string.
 */
export function* stretchesOf(bytes: Buffer): Generator<Stretch> {
  for (let offset = 0; offset < bytes.length;) {
    const end = offset + STRETCH < bytes.length ? bytes.indexOf(LF, offset + STRETCH) : -1;
    const next = end < 0 ? bytes.length : end + 1;
    yield { text: bytes.toString('latin1', offset, next), offset };
    offset = next;
  }
}

/** Unfolded and decoded lines of a part of a feed; a line that is not UTF-8 is read as Windows-1252. */
export function contentLines(bytes: Buffer): string[] {
  return bytes
    .toString('latin1')
    .replace(/\r*\n[ \t]/g, '')
    .split(/\r*\n/)
    .filter((line) => line.length > 0)
    .map(decode);
}

function toUtf8(bytes: Uint8Array): Buffer {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return Buffer.from(new TextDecoder('utf-16le').decode(bytes));
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return Buffer.from(new TextDecoder('utf-16be').decode(bytes));
  let from = 0;
  // programs that put files together leave more than one
  while (buffer[from] === 0xef && buffer[from + 1] === 0xbb && buffer[from + 2] === 0xbf) from += 3;
  return from === 0 ? buffer : buffer.subarray(from);
}

function decode(text: string): string {
  if (/^[\0-\x7f]*$/.test(text)) return text;
  const bytes = Buffer.from(text, 'latin1');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}
