/** Finds the target of a redirect. Pure. */
import { Stop } from './stop.ts';

/** The target of the first Location header (RFC 9110 10.2.2). Throws a Stop for a target that the client does not follow. */
export function redirectTarget(from: URL, [location]: readonly string[]): URL {
  const target = location === undefined ? null : URL.parse(readable(location), from);
  if (/^webcals?:$/.test(target?.protocol ?? '')) return redirectTarget(from, [asHttps(target?.href ?? '')]);
  const safe = target?.protocol === 'https:' || (target?.protocol === 'http:' && from.protocol === 'http:');
  if (target === null || !safe)
    throw new Stop(
      'permanent',
      'FETCH_REDIRECTS',
      `${from.host} redirects to no safe web address. Give the calendar's final address.`,
    );
  target.username = '';
  target.password = '';
  target.hash = '';
  return target;
}

const asHttps = (address: string): string => address.replace(/^webcals?:/i, 'https:');

/** Decodes header bytes that are valid UTF-8. Other bytes above ASCII go back unchanged. */
function readable(location: string): string {
  if (/^[\0-\x7f]*$/.test(location)) return location;
  const bytes = Buffer.from(location, 'latin1');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return location.replaceAll(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`);
  }
}
