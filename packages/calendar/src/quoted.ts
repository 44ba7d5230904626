/** Decodes values of vCalendar 1.0: quoted-printable and base64, named by ENCODING (RFC 2045 6.7, 6.8). */
import { charsetOf, decodeBytes } from './charset.ts';
import { isTextLine, knownLine } from './names.ts';

const QUOTED = /;\s*(?:ENCODING\s*=\s*)?"?QUOTED-PRINTABLE"?\s*(?=;|$)/i;
const BASE64 = /;\s*ENCODING\s*=\s*"?(?:BASE64|B)"?\s*(?=;|$)/i;
const CHARSET = /;\s*CHARSET\s*=\s*"?([^";:]+)"?/i;
/** A soft line break. */
const SOFT = /=[ \t]*$/;

/** Name and parameters of a line, up to the colon. */
const headOf = (line: string): string => line.slice(0, Math.max(0, line.indexOf(':')));

/** Whether a part of a feed may hold such values. Most parts hold none. */
export const mayBeEncoded = (text: string): boolean => /QUOTED-PRINTABLE|BASE64|ENCODING=B/i.test(text);

/** Joins physical lines at the soft line breaks of quoted-printable values, before unfolding. */
export function joinSoftBreaks(lines: readonly string[]): string[] {
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
export function decodeLine(line: string, declared: string | undefined): string {
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
