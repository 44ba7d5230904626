/**
 * Parts of a feed as unfolded content lines (RFC 5545 3.1), with the encoded values of vCalendar 1.0, decoded as UTF-8, as the
 * declared character set, as CESU-8, or as Windows-1252.
 */

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

/** Names that programs use and that the WHATWG Encoding Standard does not list. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['cp932', 'shift_jis'],
  ['cp936', 'gbk'],
  ['cp949', 'euc-kr'],
  ['cp950', 'big5'],
  ['cp65001', 'utf-8'],
  ['utf8mb4', 'utf-8'],
]);
/** Sets whose characters take two bytes or more here, and three or more in UTF-8. */
const EAST_ASIAN = new Set(['gbk', 'gb18030', 'big5', 'euc-jp', 'shift_jis', 'euc-kr']);
/** ASCII bytes with escapes between them mean other characters. */
const ESCAPED = 'iso-2022-jp';
const ASCII = /^[\0-\x7f]*$/;
const ESCAPE = '\x1b';
/** The escapes that begin characters of JIS X 0208. */
const JAPANESE = ['\x1b$@', '\x1b$B'];
/** The least character that takes three bytes in UTF-8. */
const THREE_BYTES = /[\u0800-\uffff]/;

/** The character set that a name means; undefined for an unknown name. */
export function charsetOf(name: string | undefined): string | undefined {
  const plain = name?.replaceAll(/["'\s]/g, '').toLowerCase() ?? '';
  if (plain === '') return undefined;
  try {
    return new TextDecoder(ALIASES.get(plain) ?? plain).encoding;
  } catch {
    return undefined;
  }
}

/** The `charset` of a Content-Type header, as the server wrote it; undefined if there is none. */
export const charsetOfType = (contentType: string | null | undefined): string | undefined =>
  /;\s*charset\s*=\s*["']?([^"';,\s]+)/i.exec(contentType ?? '')?.[1];

/** Whether a line, given as one character per byte, is UTF-8 or ASCII. */
const isUtf8 = (latin1: string): boolean =>
  ASCII.test(latin1) || decoded(Buffer.from(latin1, 'latin1'), 'utf-8') !== undefined;

/** Decodes a value or line, given as one character per byte. `charset` is the declared set, as `charsetOf` names it. */
function decodeBytes(latin1: string, charset: string | undefined): string {
  const isEscaped =
    latin1.includes(ESCAPE) && (charset === ESCAPED || JAPANESE.some((escape) => latin1.includes(escape)));
  if (!isEscaped && ASCII.test(latin1)) return latin1;
  const bytes = Buffer.from(latin1, 'latin1');
  if (isEscaped) return decoded(bytes, ESCAPED) ?? latin1;
  const utf8 = decoded(bytes, 'utf-8');
  if (charset !== undefined && EAST_ASIAN.has(charset) && (utf8 === undefined || !THREE_BYTES.test(utf8)))
    return decoded(bytes, charset) ?? utf8 ?? windows1252(bytes);
  // text of another set is hardly ever valid UTF-8 by accident, and servers declare wrong sets
  return utf8 ?? cesu8(bytes) ?? otherwise(bytes, charset);
}

/** Decodes a line as Scanflow 0.1.0 did. */
function decodeFormerly(latin1: string): string {
  if (ASCII.test(latin1)) return latin1;
  const bytes = Buffer.from(latin1, 'latin1');
  return decoded(bytes, 'utf-8') ?? windows1252(bytes);
}

const otherwise = (bytes: Uint8Array, charset: string | undefined): string =>
  (charset === undefined || charset.startsWith('utf-') ? undefined : decoded(bytes, charset)) ??
  windows1252(bytes);

const windows1252 = (bytes: Uint8Array): string => new TextDecoder('windows-1252').decode(bytes);

function decoded(bytes: Uint8Array, charset: string): string | undefined {
  try {
    return new TextDecoder(charset, { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * CESU-8 (Unicode Technical Report 26): UTF-8 in which a character beyond U+FFFF stands as its two surrogates, of three
 * bytes each. Java and older databases write it.
 */
function cesu8(bytes: Buffer): string | undefined {
  const latin1 = bytes.toString('latin1');
  const pairs = /\xed([\xa0-\xaf])([\x80-\xbf])\xed([\xb0-\xbf])([\x80-\xbf])/g;
  if (!pairs.test(latin1)) return undefined;
  const utf8 = latin1.replace(pairs, (_, ...bits: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = bits.slice(0, 4).map((bit) => bit.charCodeAt(0) & 0x3f);
    // each surrogate keeps ten bits: four and six of the first, four and six of the second
    const code = 0x10000 + (((a & 0x0f) << 16) | (b << 10) | ((c & 0x0f) << 6) | d);
    return Buffer.from(String.fromCodePoint(code)).toString('latin1');
  });
  return decoded(Buffer.from(utf8, 'latin1'), 'utf-8');
}
