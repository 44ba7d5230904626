/** The bytes of a feed as text, and parts of that text as unfolded content lines (RFC 5545 3.1). */

const LF = 0x0a;

/**
 * A feed's bytes as a string of one character per byte, its lines ended by LF or CR LF. Characters are decoded later,
 * and only for the events that matter: a fold may stand inside a character of several bytes, and a feed of 200,000
 * events need not be held twice. Takes UTF-8 with or without BOM, UTF-16 with BOM, and lines that end in CR alone.
 */
export function readText(bytes: Uint8Array): string {
  const text = toUtf8(bytes).toString('latin1');
  return text.includes('\r') && !bytes.includes(LF) ? text.replaceAll('\r', '\n') : text;
}

/** Unfolded and decoded lines of a part of such a text; what is not UTF-8 is read as Windows-1252. */
export function contentLines(text: string): string[] {
  const unfolded = text.replace(/\r*\n[ \t]/g, '');
  return decode(unfolded)
    .split(/\r*\n/)
    .filter((line) => line.length > 0);
}

function toUtf8(bytes: Uint8Array): Buffer {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return Buffer.from(new TextDecoder('utf-16le').decode(bytes));
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return Buffer.from(new TextDecoder('utf-16be').decode(bytes));
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return buffer.subarray(3);
  return buffer;
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
