/** Decodes bytes as UTF-8, as the declared character set, as CESU-8, or as Windows-1252. */

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

/** The character set of a Content-Type, as written. */
export const charsetOfType = (contentType: string | null | undefined): string | undefined =>
  /;\s*charset\s*=\s*["']?([^"';,\s]+)/i.exec(contentType ?? '')?.[1];

/** Whether a line, given as one character per byte, is UTF-8 or ASCII. */
export const isUtf8 = (latin1: string): boolean =>
  ASCII.test(latin1) || decoded(Buffer.from(latin1, 'latin1'), 'utf-8') !== undefined;

/** Decodes a value or line, given as one character per byte. `charset` is the declared set, as `charsetOf` names it. */
export function decodeBytes(latin1: string, charset: string | undefined): string {
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
export function decodeFormerly(latin1: string): string {
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
