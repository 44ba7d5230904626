/** Calendars over http and https: validators, limits of time and size, redirects, basic authentication. */
import { codeOf, readSecret, type Failure } from '@scanflow/chassis';
import type { Fetched, Source, SourceLimits, Validators } from '../source.ts';

export interface HttpSourceOptions extends SourceLimits {
  /** http, https or webcal (which means https). */
  readonly url: string;
  readonly username?: string;
  readonly passwordFile?: string;
}

const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const MAX_RETRY_AFTER_MS = 3_600_000;

/** Carries a fetch's outcome out of nested calls. */
class Stop extends Error {
  readonly fetched: Extract<Fetched, { kind: 'failed' }>;

  constructor(kind: Failure['kind'], code: string, message: string, retryAfterMs?: number) {
    super(message);
    this.fetched = {
      kind: 'failed',
      failure: { kind, code, message },
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
  }
}

export function httpSource(options: HttpSourceOptions): Source {
  const start = new URL(options.url.replace(/^webcal:/i, 'https:'));
  return {
    async fetch(validators, signal) {
      const limit = AbortSignal.timeout(options.timeoutMs);
      try {
        const headers = await requestHeaders(start, options, validators);
        return await follow(withoutUser(start), headers, options, AbortSignal.any([signal, limit]));
      } catch (error) {
        if (error instanceof Stop) return error.fetched;
        if (limit.aborted)
          return failed(
            'transient',
            'FETCH_TIMEOUT',
            `${start.host} did not deliver the calendar within ${options.timeoutMs / 1000} s; it is tried again.`,
          );
        return unreachable(start.host, error);
      }
    },
  };
}

const failed = (...args: ConstructorParameters<typeof Stop>): Fetched => new Stop(...args).fetched;

async function requestHeaders(
  url: URL,
  options: HttpSourceOptions,
  validators: Validators,
): Promise<Headers> {
  const headers = new Headers({ accept: 'text/calendar, */*;q=0.1', 'user-agent': 'Scanflow-cal2wl' });
  if (validators.etag !== undefined) headers.set('if-none-match', validators.etag);
  if (validators.lastModified !== undefined) headers.set('if-modified-since', validators.lastModified);
  const user = options.username ?? decodeURIComponent(url.username);
  if (user === '') return headers;
  const password = await passwordOf(url, options.passwordFile);
  headers.set('authorization', `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`);
  return headers;
}

async function passwordOf(url: URL, file: string | undefined): Promise<string> {
  if (file === undefined) return decodeURIComponent(url.password);
  try {
    return await readSecret(file);
  } catch (error) {
    throw new Stop('permanent', 'FETCH_SECRET', error instanceof Error ? error.message : String(error));
  }
}

function withoutUser(url: URL): URL {
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  return bare;
}

/** Follows redirects itself: the password goes to no other origin, and nothing goes from https to http. */
async function follow(
  first: URL,
  headers: Headers,
  limits: SourceLimits,
  signal: AbortSignal,
): Promise<Fetched> {
  let url = first;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
    const response = await fetch(url, { headers, redirect: 'manual', signal });
    if (!REDIRECTS.has(response.status)) return await answer(url, response, limits);
    await response.body?.cancel();
    const next = redirectTarget(url, response.headers.get('location'));
    if (next.origin !== url.origin) headers.delete('authorization');
    url = next;
  }
  throw new Stop(
    'permanent',
    'FETCH_REDIRECTS',
    `${first.host} redirects more than ${MAX_REDIRECTS} times. Give the calendar's final address.`,
  );
}

function redirectTarget(from: URL, location: string | null): URL {
  const target = location === null ? null : URL.parse(location, from);
  const safe = target?.protocol === 'https:' || (target?.protocol === 'http:' && from.protocol === 'http:');
  if (target !== null && safe) return withoutUser(target);
  throw new Stop(
    'permanent',
    'FETCH_REDIRECTS',
    `${from.host} redirects to no safe web address. Give the calendar's final address.`,
  );
}

async function answer(url: URL, response: Response, limits: SourceLimits): Promise<Fetched> {
  if (response.status === 304) {
    await response.body?.cancel();
    return { kind: 'notModified' };
  }
  if (response.status !== 200) {
    await response.body?.cancel();
    throw statusProblem(url.host, response);
  }
  const bytes = await readBody(url.host, response, limits.maxSize);
  const [etag, lastModified] = [response.headers.get('etag'), response.headers.get('last-modified')];
  return {
    kind: 'body',
    bytes,
    validators: { ...(etag === null ? {} : { etag }), ...(lastModified === null ? {} : { lastModified }) },
  };
}

/** Reads the decoded body chunk by chunk and stops at the limit: a small compressed body may be a huge one. */
async function readBody(host: string, response: Response, maxSize: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const body: AsyncIterable<Uint8Array> | readonly Uint8Array[] = response.body ?? [];
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > maxSize)
      throw new Stop(
        'permanent',
        'FETCH_TOO_LARGE',
        `The calendar of ${host} is larger than ${maxSize} bytes. Publish a shorter span of time, or raise maxSize.`,
      );
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function statusProblem(host: string, response: Response): Stop {
  const { status } = response;
  const told = `${host} answered ${status}`;
  if (status === 401 || status === 403)
    return new Stop(
      'permanent',
      'FETCH_AUTH',
      `${told}: check username and passwordFile, and whether the calendar is shared.`,
    );
  if (status === 404 || status === 410)
    return new Stop(
      'permanent',
      'FETCH_NOT_FOUND',
      `${told}: the calendar is not there. Check its address in the configuration.`,
    );
  if (status === 408 || status === 425 || status === 429 || status >= 500)
    return new Stop(
      'transient',
      'FETCH_SERVER',
      `${told}; it is tried again.`,
      retryAfter(response.headers.get('retry-after')),
    );
  return new Stop(
    'permanent',
    'FETCH_STATUS',
    `${told}, which is no calendar. Check its address in the configuration.`,
  );
}

/** Retry-After in seconds or as a date (RFC 9110 10.2.3), as milliseconds from now and at most an hour. */
function retryAfter(value: string | null): number | undefined {
  if (value === null) return undefined;
  const seconds = /^\d+$/.test(value.trim()) ? Number(value) : secondsUntil(value);
  return seconds === undefined ? undefined : Math.min(Math.max(seconds, 0) * 1000, MAX_RETRY_AFTER_MS);
}

const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';

function secondsUntil(httpDate: string): number | undefined {
  const match = /(\d{2}) (\w{3}) (\d{4}) (\d{2}:\d{2}:\d{2}) GMT$/.exec(httpDate.trim());
  const month = match === null ? -1 : MONTHS.indexOf(String(match[2])) / 3 + 1;
  if (match === null || !Number.isInteger(month) || month < 1) return undefined;
  const [, day = '', , year = '', time = ''] = match;
  try {
    const then = Temporal.Instant.from(`${year}-${String(month).padStart(2, '0')}-${day}T${time}Z`);
    return then.since(Temporal.Now.instant()).total('seconds');
  } catch {
    return undefined;
  }
}

/** The reason of a failed connection by its code only: messages may hold the address. */
function unreachable(host: string, error: unknown): Fetched {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = codeOf(cause) ?? codeOf(error) ?? (error instanceof Error ? error.name : 'unknown');
  const cut = ['UND_ERR_SOCKET', 'ECONNRESET', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'Z_BUF_ERROR'].includes(
    code,
  );
  return cut
    ? failed(
        'transient',
        'FETCH_CUT',
        `${host} broke off while it sent the calendar (${code}); it is tried again.`,
      )
    : failed(
        'transient',
        'FETCH_UNREACHABLE',
        `${host} cannot be reached (${code}): check its address, the network and the firewall.`,
      );
}
