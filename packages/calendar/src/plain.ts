/** Brings the bytes of a feed into the form that the reader expects: LF line ends, no byte order marks, no indent. */
import { knownLine } from './text.ts';
import { note, type FeedNote } from './event.ts';

const LF = 0x0a;
const CR = 0x0d;
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

interface PlainFeed {
  readonly bytes: Buffer;
  readonly notes: readonly FeedNote[];
}

/**
 * Accepts UTF-8 with or without byte order marks, UTF-16 and UTF-32, lines that end in CR alone, NULs between lines, and
 * lines that are all indented. It does not copy a feed in the usual form.
 */
export function toPlain(bytes: Uint8Array): PlainFeed {
  const notes: FeedNote[] = [];
  let plain = withoutMarks(toUtf8(bytes), notes);
  if (plain.includes(0)) plain = Buffer.from(plain.filter((byte) => byte !== 0));
  plain = withLineFeeds(plain);
  if (isIndented(plain)) {
    notes.push(note('FEED_INDENTED'));
    plain = withoutIndent(plain);
  }
  return { bytes: plain, notes };
}

function toUtf8(bytes: Uint8Array): Buffer {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [a, b, c, d] = buffer;
  if (a === 0xff && b === 0xfe && c === 0 && d === 0) return fromUtf32(buffer, true);
  if (a === 0 && b === 0 && c === 0xfe && d === 0xff) return fromUtf32(buffer, false);
  if ((a === 0xff && b === 0xfe) || isWide(buffer, 1)) return fromUtf16(buffer, 'utf-16le');
  if ((a === 0xfe && b === 0xff) || isWide(buffer, 0)) return fromUtf16(buffer, 'utf-16be');
  return buffer;
}

/** UTF-16 without a mark: the high bytes of `BEGIN:VCALENDAR` are NUL, at even (0) or odd (1) places. */
function isWide(buffer: Buffer, high: 0 | 1): boolean {
  const head = buffer.subarray(0, 64);
  const pairs = Math.floor(head.length / 2);
  if (pairs < 8) return false;
  for (let pair = 0; pair < pairs; pair += 1)
    if (head[2 * pair + high] !== 0 || head[2 * pair + 1 - high] === 0) return false;
  return true;
}

const fromUtf16 = (bytes: Uint8Array, charset: string): Buffer =>
  Buffer.from(new TextDecoder(charset).decode(bytes));

function fromUtf32(buffer: Buffer, isLittle: boolean): Buffer {
  const parts: string[] = [];
  for (let at = 4; at + 4 <= buffer.length; at += 4) {
    const code = isLittle ? buffer.readUInt32LE(at) : buffer.readUInt32BE(at);
    parts.push(code <= 0x10ffff ? String.fromCodePoint(code).toWellFormed() : '\ufffd');
  }
  return Buffer.from(parts.join(''));
}

/** Programs that join files leave a mark before each of them. */
function withoutMarks(bytes: Buffer, notes: FeedNote[]): Buffer {
  const first = bytes.subarray(0, 3).equals(BOM) ? bytes.subarray(3) : bytes;
  if (!first.includes(BOM)) return first;
  const text = first.toString('latin1');
  const plain = text.replace(/(^|[\r\n])(?:\xef\xbb\xbf)+/g, '$1');
  if (plain.length === text.length) return first;
  notes.push(note('FEED_SECOND_BOM'));
  return Buffer.from(plain, 'latin1');
}

/** Lines that end in CR alone: in the whole file, or in the part that one program wrote. */
function withLineFeeds(bytes: Buffer): Buffer {
  if (!bytes.includes(CR)) return bytes;
  const isOld = !bytes.includes(LF);
  if (!isOld && !hasLoneReturn(bytes)) return bytes;
  const text = bytes.toString('latin1');
  if (isOld) return Buffer.from(text.replaceAll('\r', '\n'), 'latin1');
  const lines = text.split(/\r(?![\r\n])/);
  const joined = lines.reduce((all, line) => `${all}${knownLine(line) ? '\n' : '\r'}${line}`);
  return Buffer.from(joined, 'latin1');
}

function hasLoneReturn(bytes: Buffer): boolean {
  for (let at = bytes.indexOf(CR); at >= 0; at = bytes.indexOf(CR, at + 2)) {
    const next = bytes[at + 1];
    if (next !== LF && next !== CR && next !== undefined) return true;
    if (next === CR) at -= 1;
  }
  return false;
}

const BEGIN = /^([ \t]+)BEGIN:(?:VCALENDAR|VEVENT)\s*$/im;
const FLUSH = /^BEGIN:VEVENT\s*$/im;
/** How many characters the check covers: the first component decides. */
const HEAD = 65_536;

/** Whether components begin after blanks. All their lines would then count as folded (RFC 5545 3.1). */
function isIndented(bytes: Buffer): boolean {
  const head = bytes.toString('latin1', 0, HEAD);
  return BEGIN.test(head) && !FLUSH.test(head);
}

/**
 * The lines of a component share the indent of its first line. A line with more blanks is folded, and keeps the
 * additional blanks.
 */
function withoutIndent(bytes: Buffer): Buffer {
  const lines: string[] = [];
  let depth = 0;
  let isFirst = true;
  for (const line of bytes.toString('latin1').split('\n')) {
    const blanks = /^[ \t]*/.exec(line)?.[0].length ?? 0;
    const text = line.slice(blanks);
    const [, mark] = /^(BEGIN|END):[A-Z0-9-]+\s*$/i.exec(text) ?? [];
    if (isFirst && mark === undefined) depth = blanks;
    lines.push(mark !== undefined || blanks <= depth ? text : line.slice(depth));
    isFirst = mark !== undefined;
  }
  return Buffer.from(lines.join('\n'), 'latin1');
}
