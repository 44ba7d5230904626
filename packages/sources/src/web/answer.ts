/**
 * What an answer says: the failure that it means, dates and Retry-After, the target of a redirect, cookies (RFC 6265) of one
 * fetch. Messages name hosts only, because paths and queries may be secrets.
 */
import { codeOf } from '@scanflow/failure';
import { parseCookie } from 'undici';
import { Stop } from '../answer.ts';

interface TroubleOptions {
  /** Host of the calendar or of its redirect target. */
  readonly host: string;
  /** Host of the proxy, if any. */
  readonly proxy: string | undefined;
  /** Whether TLS had no answer yet: a server that requires a client certificate may just close the connection. */
  readonly atHello: boolean;
}

const CUT = new Set([
  ...['UND_ERR_SOCKET', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'Z_BUF_ERROR'],
  ...['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE'],
]);
const CERTIFICATE =
  /^(CERT_|CRL_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|ERR_TLS_CERT|HOSTNAME_MISMATCH|INVALID_CA)/;

const codeIn = (error: unknown): string | undefined =>
  codeOf(error) ?? (error instanceof Error ? codeOf(error.cause) : undefined);

/** Whether the answer breaks the letter of HTTP, but may be readable. */
export const isOddAnswer = (error: unknown): boolean =>
  /^(HPE_|UND_ERR_RES_CONTENT_LENGTH_MISMATCH|UND_ERR_HEADERS_OVERFLOW)/.test(codeIn(error) ?? '') ||
  // undici's message for an answer that began with 100 Continue
  (error instanceof Error && (error.name === 'HTTPParserError' || error.message === 'bad response'));

/** The connection was closed or lost. */
export const isCut = (error: unknown): boolean => CUT.has(codeIn(error) ?? '');

/** A failed connection or a broken body. It uses only error codes, because messages may contain the address. */
export function wireTrouble(error: unknown, { host, proxy, atHello }: TroubleOptions): Stop {
  if (error instanceof Stop) return error;
  const shown = codeIn(error) ?? (error instanceof Error ? error.name : 'unknown');
  const refusal = proxyRefusal(error);
  if (proxy !== undefined && refusal !== undefined)
    return new Stop(
      'permanent',
      'FETCH_PROXY',
      `the proxy ${proxy} refused the way to ${host} (${refusal}): let it pass Scanflow, or correct proxy, proxyUsername and proxyPasswordFile.`,
    );
  if (CUT.has(shown))
    return new Stop(
      'transient',
      'FETCH_CUT',
      `${host} broke off ${atHello ? 'before it answered' : 'while it sent the calendar'} (${shown}); it is tried again.${
        atHello ? ' If that stays so, it may want a client certificate: tls.key and tls.certificate.' : ''
      }`,
    );
  if (isOddAnswer(error))
    return new Stop(
      'permanent',
      'FETCH_NOT_HTTP',
      `${host} answers, but in a form that is no HTTP (${shown}). Check that its address and port are those of a web server; if they are, that server or what stands before it is at fault.`,
    );
  if (/^(Z_|ERR__|ERR_BROTLI|BROTLI)/.test(shown))
    return new Stop(
      'transient',
      'FETCH_ENCODING',
      `${host} sent a calendar whose compression is damaged (${shown}); it is tried again.`,
    );
  if (CERTIFICATE.test(shown))
    return new Stop(
      'permanent',
      'FETCH_CERTIFICATE',
      `${host} does not prove who it is (${shown}): check its certificate, tls.ca in the configuration and this machine's clock.`,
    );
  if (/^(EPROTO|ERR_SSL_|ERR_OSSL_|ERR_TLS_)/.test(shown))
    return new Stop(
      'permanent',
      'FETCH_TLS',
      `${host} agrees to no encrypted connection (${shown}): check that it speaks https there, and whether it wants a client certificate (tls.key and tls.certificate).`,
    );
  return new Stop(
    'transient',
    'FETCH_UNREACHABLE',
    `${host} cannot be reached${proxy === undefined ? '' : ` through the proxy ${proxy}`} (${shown}): check its address, the network and the firewall.`,
  );
}

/** The status of a proxy's refusal, which undici reports only in messages. */
function proxyRefusal(error: unknown): string | undefined {
  const text = error instanceof Error ? error.message : '';
  return (/^Proxy response \((\d{3})\)/.exec(text) ??
    /^Proxy Authentication Required \((407)\)/.exec(text))?.[1];
}

/** The credentials that a request carried. */
export type Shown = 'own' | 'withheld' | 'none';

const LOGIN: Readonly<Record<Shown, string>> = {
  own: 'check username and passwordFile, or tokenFile, and whether the calendar is shared with that user',
  withheld:
    'the calendar was redirected there, and passwords are not passed on to another address. Give the final address',
  none: 'it requires a login. Give username and passwordFile, or tokenFile, or share the calendar',
};

/** The failure of a status without a calendar. */
export function statusTrouble(host: string, status: number, shown: Shown, header: HeaderOf): Stop {
  const told = `${host} answered ${status}`;
  const foreign = status === 401 ? foreignLogin(header('www-authenticate')) : undefined;
  if (foreign !== undefined && shown !== 'withheld')
    return new Stop('permanent', 'FETCH_AUTH', `${told}: ${foreign}.`);
  if (status === 401 || status === 403)
    return new Stop('permanent', 'FETCH_AUTH', `${told}: ${LOGIN[shown]}.`);
  if (status === 404 || status === 410)
    return new Stop(
      'permanent',
      'FETCH_NOT_FOUND',
      `${told}: the calendar is not there. Check its address in the configuration.`,
    );
  if (status === 202 || status === 408 || status === 425 || status === 429 || status >= 500)
    return new Stop(
      'transient',
      'FETCH_SERVER',
      `${told}; it is tried again.`,
      retryAfter(header, Temporal.Now.instant()),
    );
  return new Stop(
    'permanent',
    'FETCH_STATUS',
    `${told}, which is no calendar. Check its address in the configuration.`,
  );
}

const OURS = /^(?:basic|bearer)$/i;

/** The unsupported login schemes (RFC 9110 11.6.1), if the server accepts no other. */
function foreignLogin(challenges: string | undefined): string | undefined {
  const parts = (challenges ?? '').replaceAll(/"(?:\\.|[^"\\])*"/g, '""').split(',');
  const schemes = parts.flatMap((part) => /^\s*([A-Za-z][\w-]{0,30})(?=\s+\S|\s*$)/.exec(part)?.[1] ?? []);
  if (schemes.length === 0 || schemes.some((scheme) => OURS.test(scheme))) return undefined;
  return `it takes only ${[...new Set(schemes)].join(', ')} logins, which Scanflow does not know. Let it take Basic over https or a token, or publish the calendar at a secret address`;
}

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
