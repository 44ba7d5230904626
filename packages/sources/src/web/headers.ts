/** What headers of answers say: dates and Retry-After, the target of a redirect, cookies (RFC 6265) of one fetch. */
import { parseCookie } from 'undici';
import { Stop } from '../source.ts';

/** Returns the value of a header by its name in lower case. */
export type HeaderOf = (name: string) => string | undefined;

const DATE = /(\d{2}) (\w{3}) (\d{4}) (\d{2}:\d{2}:\d{2}) GMT$/;
const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';
const LONGEST_RETRY_AFTER_MS = 86_400_000;

/** An IMF-fixdate (RFC 9110 5.6.7); undefined for anything else. */
export function httpDate(text: string): Temporal.Instant | undefined {
  const [, day = '', monthName = '', year = '', time = ''] = DATE.exec(text.trim()) ?? [];
  const month = MONTHS.indexOf(monthName) / 3 + 1;
  if (monthName === '' || !Number.isInteger(month) || month < 1) return undefined;
  try {
    return Temporal.Instant.from(`${year}-${String(month).padStart(2, '0')}-${day}T${time}Z`);
  } catch {
    return undefined;
  }
}

/** The server's clock minus ours in milliseconds, exact to some seconds; undefined if the answer has no time. */
export function clockSkew(header: HeaderOf, now: Temporal.Instant): number | undefined {
  const date = httpDate(header('date') ?? '');
  if (date === undefined) return undefined;
  // Date of a cached answer is the time of its creation (RFC 9111 5.1)
  const age = /^\d{1,9}$/.test(header('age') ?? '') ? Number(header('age')) : 0;
  return date.epochMilliseconds + age * 1000 - now.epochMilliseconds;
}

/**
 * Retry-After in seconds or as a date (RFC 9110 10.2.3), as milliseconds from now and at most a day. A date is
 * compared with the server's own clock, if known.
 */
export function retryAfter(header: HeaderOf, now: Temporal.Instant): number | undefined {
  const value = header('retry-after')?.trim();
  if (value === undefined) return undefined;
  const until = httpDate(value);
  const ms = /^\d{1,9}$/.test(value)
    ? Number(value) * 1000
    : until && until.epochMilliseconds - (httpDate(header('date') ?? '') ?? now).epochMilliseconds;
  return ms === undefined ? undefined : Math.min(Math.max(ms, 0), LONGEST_RETRY_AFTER_MS);
}

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

interface Kept {
  readonly value: string;
  readonly path: string;
}

const MOST = 50;
const LONGEST = 4096;

/**
 * A cookie goes back only to the origin that set it, whatever domain it names, and ends with the fetch. Each
 * origin may have 50, of 4 KiB each (RFC 6265 6.1).
 */
export class Cookies {
  readonly #byOrigin = new Map<string, Map<string, Kept>>();

  /** Takes the Set-Cookie headers of an answer. */
  take(url: URL, headers: readonly string[]): void {
    const kept = this.#byOrigin.get(url.origin) ?? new Map<string, Kept>();
    this.#byOrigin.set(url.origin, kept);
    for (const header of headers) {
      const cookie = header.length > LONGEST ? null : parseCookie(header);
      if (cookie === null || cookie.name === '') continue;
      const path = cookie.path?.startsWith('/') === true ? cookie.path : folderOf(url.pathname);
      const key = `${cookie.name} ${path}`;
      kept.delete(key);
      const isUsed = !isOver(cookie) && (cookie.secure !== true || url.protocol === 'https:');
      if (isUsed && kept.size < MOST) kept.set(key, { value: `${cookie.name}=${cookie.value}`, path });
    }
  }

  /** The Cookie header of a request, if any. */
  header(url: URL): { cookie?: string } {
    const all = [...(this.#byOrigin.get(url.origin)?.values() ?? [])];
    const own = all.filter(({ path }) => isBelow(url.pathname, path));
    // the longest path first (RFC 6265 5.4)
    own.sort((a, b) => b.path.length - a.path.length);
    return own.length === 0 ? {} : { cookie: own.map(({ value }) => value).join('; ') };
  }
}

type Ending = Pick<NonNullable<ReturnType<typeof parseCookie>>, 'maxAge' | 'expires'>;

function isOver({ maxAge, expires }: Ending): boolean {
  if (maxAge !== undefined) return maxAge <= 0;
  return expires !== undefined && Number(expires) <= Temporal.Now.instant().epochMilliseconds;
}

/** RFC 6265 5.1.4. */
const folderOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf('/'), 1));
const isBelow = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
