/** Parts of a feed as unfolded, decoded content lines (RFC 5545 3.1). */
import { decodeFormerly, isUtf8 } from './charset.ts';
import { isLike, isTextLine, knownLine, otherLine } from './names.ts';
import { decodeLine, joinSoftBreaks, mayBeEncoded } from './quoted.ts';

const LF = 0x0a;
const LINE_END = /\r*\n/;
const FOLD = /\r*\n[ \t]/g;

/** A stretch of whole lines as a string of one character per byte, and its position. */
export interface Stretch {
  readonly text: string;
  readonly offset: number;
}

const STRETCH = 1 << 20;

/**
 * The bytes as stretches of lines, not decoded yet: a fold may split a character of several
 * bytes, and only events that matter need decoding. A feed of 200,000 events never becomes one string.
 */
export function* stretchesOf(bytes: Buffer): Generator<Stretch> {
  for (let offset = 0; offset < bytes.length;) {
    const end = offset + STRETCH < bytes.length ? bytes.indexOf(LF, offset + STRETCH) : -1;
    const next = end < 0 ? bytes.length : end + 1;
    yield { text: bytes.toString('latin1', offset, next), offset };
    offset = next;
  }
}

export interface ContentLines {
  readonly lines: readonly string[];
  /** The lines as Scanflow 0.1.0 read them, if that differs. */
  readonly former: readonly string[] | undefined;
  readonly isUtf8: boolean;
}

/**
 * Unfolded and decoded lines of a part of a feed. `charset` is the declared set of the feed. A text whose line ends a
 * program wrote unescaped is one value.
 */
export function contentLines(bytes: Buffer, charset: string | undefined): ContentLines {
  const text = bytes.toString('latin1');
  const unfolded = linesOf(text);
  const whole = mayBeEncoded(text) ? linesOf(joinSoftBreaks(text.split(LINE_END)).join('\n')) : unfolded;
  const lines = joinTexts(whole).map((line) => decodeLine(line, charset));
  const before = unfolded.map(decodeFormerly);
  const isSame = lines.length === before.length && lines.every((line, index) => line === before[index]);
  return { lines, former: isSame ? undefined : before, isUtf8: isUtf8(unfolded.join('\n')) };
}

const linesOf = (text: string): string[] =>
  text
    .replace(FOLD, '')
    .split(LINE_END)
    .filter((line) => line.length > 0);

/** Lines that are no properties continue the text before them. */
function joinTexts(lines: readonly string[]): string[] {
  const joined: string[] = [];
  let goesOn = false;
  for (const line of lines) {
    const last = joined.at(-1);
    const isOwn: boolean = goesOn
      ? knownLine(line) && isLike(line, last)
      : knownLine(line) || otherLine(line);
    goesOn = !isOwn && last !== undefined && isTextLine(last);
    if (goesOn) joined[joined.length - 1] = `${last ?? ''}\\n${line}`;
    else joined.push(line);
  }
  return joined;
}
