/** The bytes of a feed as unfolded content lines (RFC 5545 3.1). */

const LF = 0x0a;
const CR = 0x0d;

/**
 * Decodes a feed and undoes its folding. Folds are taken out of the bytes and only then are characters decoded: a
 * fold may stand inside a character of several bytes. Takes UTF-8 with or without BOM, UTF-16 with BOM, and what is
 * not UTF-8 as Windows-1252; lines may end in CR LF, LF, CR CR LF or, where there is no LF at all, CR.
 */
export function readLines(bytes: Uint8Array): string[] {
  const text = decode(unfold(toUtf8(bytes)));
  return text.split('\n').filter((line) => line.length > 0);
}

function toUtf8(bytes: Uint8Array): Buffer {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return Buffer.from(new TextDecoder('utf-16le').decode(bytes));
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return Buffer.from(new TextDecoder('utf-16be').decode(bytes));
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return buffer.subarray(3);
  return buffer;
}

/** Ends every line in LF and joins folded ones. One character of latin1 is one byte: nothing is decoded here. */
function unfold(bytes: Buffer): Buffer {
  let raw = bytes.toString('latin1');
  if (bytes.includes(CR)) raw = bytes.includes(LF) ? raw.replace(/\r+\n/g, '\n') : raw.replaceAll('\r', '\n');
  return Buffer.from(raw.replace(/\n[ \t]/g, ''), 'latin1');
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}
