/** Parts of a feed as unfolded, decoded content lines (RFC 5545 3.1), with the encoded values of vCalendar 1.0. */
import { decodeFormerly, isUtf8, charsetOf, decodeBytes } from './charset.ts';

const LF = 0x0a;
const LINE_END = /\r*\n/;
const FOLD = /\r*\n[ \t]/g;

/** A stretch of whole lines as a string of one character per byte, and its position. */
interface Stretch {
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

const QUOTED = /;\s*(?:ENCODING\s*=\s*)?"?QUOTED-PRINTABLE"?\s*(?=;|$)/i;
const BASE64 = /;\s*ENCODING\s*=\s*"?(?:BASE64|B)"?\s*(?=;|$)/i;
const CHARSET = /;\s*CHARSET\s*=\s*"?([^";:]+)"?/i;
/** A soft line break. */
const SOFT = /=[ \t]*$/;

/** Name and parameters of a line, up to the colon. */
const headOf = (line: string): string => line.slice(0, Math.max(0, line.indexOf(':')));

/** Whether a part of a feed may hold such values. Most parts hold none. */
const mayBeEncoded = (text: string): boolean => /QUOTED-PRINTABLE|BASE64|ENCODING=B/i.test(text);

/** Joins physical lines at the soft line breaks of quoted-printable values, before unfolding. */
function joinSoftBreaks(lines: readonly string[]): string[] {
  const joined: string[] = [];
  let open: string[] | undefined;
  for (const line of lines) {
    if (open !== undefined && (!SOFT.test(open.at(-1) ?? '') || knownLine(line))) {
      joined.push(closed(open));
      open = undefined;
    }
    if (open !== undefined) open.push(line);
    else if (SOFT.test(line) && QUOTED.test(headOf(line))) open = [line];
    else joined.push(line);
  }
  return open === undefined ? joined : [...joined, closed(open)];
}

/** Some programs also fold such values: then each further line begins with a blank that does not count. */
function closed([first = '', ...rest]: readonly string[]): string {
  const isFolded = rest.every((line) => /^[ \t]/.test(line));
  return [first, ...rest.map((line) => (isFolded ? line.slice(1) : line))]
    .map((line) => line.replace(SOFT, ''))
    .join('');
}

/** A line as text, from the character set that it names. Its value is decoded, and escaped as in RFC 5545. */
function decodeLine(line: string, declared: string | undefined): string {
  const head = headOf(line);
  const charset = charsetOf(CHARSET.exec(head)?.[1]) ?? declared;
  const bytes = valueOf(line, head);
  if (bytes === undefined) return decodeBytes(line, charset);
  const bare = head.replace(QUOTED, '').replace(BASE64, '');
  return `${decodeBytes(bare, charset)}:${decodeBytes(bytes, charset).replaceAll(/\r\n?|\n/g, '\\n')}`;
}

/** The value of an encoded line, as one character per byte. */
function valueOf(line: string, head: string): string | undefined {
  const value = line.slice(head.length + 1);
  if (QUOTED.test(head))
    return value.replaceAll(/=([0-9A-F]{2})/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  if (BASE64.test(head) && isTextLine(line)) return Buffer.from(value, 'base64').toString('latin1');
  return undefined;
}

/** Properties of RFC 5545, 7953, 7986, 9073, 9074, 9253, of RFC 2445 and vCalendar 1.0; BEGIN and END. */
const NAMES = new Set(
  `ACKNOWLEDGED ACTION AALARM ATTACH ATTENDEE BEGIN BUSYTYPE CALENDAR-ADDRESS CALSCALE CATEGORIES CLASS COLOR COMMENT
  COMPLETED CONCEPT CONFERENCE CONTACT CREATED DALARM DAYLIGHT DCREATED DESCRIPTION DTEND DTSTAMP DTSTART DUE DURATION
  END EXDATE EXRULE FREEBUSY GEO IMAGE LAST-MODIFIED LINK LOCATION LOCATION-TYPE MALARM METHOD NAME ORGANIZER PALARM
  PARTICIPANT-TYPE PERCENT-COMPLETE PRIORITY PRODID PROXIMITY RDATE RECURRENCE-ID REFID REFRESH-INTERVAL RELATED-TO
  REPEAT REQUEST-STATUS RESOURCE-TYPE RESOURCES RNUM RRULE SEQUENCE SOURCE STATUS STRUCTURED-DATA STYLED-DESCRIPTION
  SUMMARY TRANSP TRIGGER TZ TZID TZNAME TZOFFSETFROM TZOFFSETTO TZURL UID URL VERSION`.split(/\s+/),
);
/** Properties whose values may continue, if a program wrote their line ends unescaped. */
const TEXTS = /^(?:DESCRIPTION|SUMMARY|LOCATION|COMMENT|CONTACT|STYLED-DESCRIPTION|X-[A-Z0-9-]+)\s*[;:]/i;
const NAMED = /^([A-Z][A-Z0-9_-]*)\s*([;:])/i;
const X_NAME = /^X-/i;

/** Whether a line begins with a property name in the form that programs write. */
export function knownLine(line: string): boolean {
  const [whole = '', name = ''] = NAMED.exec(line) ?? [];
  const capitals = name.toUpperCase();
  if (!NAMES.has(capitals) && !X_NAME.test(name)) return false;
  // a person writes `Location: room 3` into a description
  const isMixed = name !== capitals && name !== name.toLowerCase();
  return !isMixed || line.charAt(whole.length) !== ' ';
}

/** An unknown property, in the form that programs write. */
const otherLine = (line: string): boolean => /^[A-Z][A-Z0-9-]*(?:;[^:]*)?:\S/.test(line);

/** Whether two lines name their properties in the same case: `color:red` in an HTML page is no property. */
const isLike = (line: string, other = ''): boolean => isCapital(line) === isCapital(other);

const isCapital = (line: string): boolean => /^[A-Z][A-Z0-9_-]*\s*[;:]/.test(line);

/** Whether the value of a line is a text that may continue in the next line. */
const isTextLine = (line: string): boolean => TEXTS.test(line);
