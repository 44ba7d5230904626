/** Requests to a calendar's server: one time limit over all of a fetch, sizes, redirects, and who sees the password. */
import { request as send, type Dispatcher } from 'undici';
import type { Fetched, SourceLimits } from '../source.ts';
import { Credentials, type CredentialOptions } from './credentials.ts';
import { ENCODINGS, readBody, tooLarge } from './decode.ts';
import type { HeaderOf } from './moment.ts';
import { Reach } from './reach.ts';
import { Stop } from './stop.ts';
import { openTransport, type Transport, type TransportOptions } from './transport.ts';
import { statusTrouble, wireTrouble, type Shown } from './trouble.ts';

export interface WebOptions extends SourceLimits, CredentialOptions, TransportOptions {
  /** Hosts that redirects may lead to, whatever their addresses are. */
  readonly redirects?: readonly string[] | undefined;
}

export interface Asked {
  readonly method: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Statuses that are answers; others are failures, but for redirects, which are followed. */
  readonly expect: readonly number[];
  /** Takes the body piece by piece, decoded; what it throws ends the request. `bytes` is empty then. */
  readonly take?: (piece: Uint8Array) => void;
}

export interface Heard {
  readonly status: number;
  readonly header: HeaderOf;
  /** Decoded, and at most as large as allowed. */
  readonly bytes: Uint8Array;
}

/** Throws a Stop whatever goes wrong. */
export type Ask = (url: URL, asked: Asked) => Promise<Heard>;

export interface WebClient {
  /** One fetch: `work` asks as often as it needs to within the time limit. Never throws what `ask` throws. */
  run(signal: AbortSignal, work: (ask: Ask) => Promise<Fetched>): Promise<Fetched>;
}

const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export function webClient(start: URL, options: WebOptions): WebClient {
  const credentials = new Credentials(options);
  const reach = new Reach(options.redirects);
  return {
    async run(signal, work) {
      const limit = AbortSignal.timeout(options.timeoutMs);
      let transport: Transport | undefined;
      try {
        const authorization = await credentials.header(start.host);
        transport = await openTransport(options, reach);
        const fetching = {
          options,
          origin: start.origin,
          authorization,
          credentials,
          reach,
          transport,
          limit,
          signal: AbortSignal.any([signal, limit]),
        };
        return await work((url, asked) => follow(url, asked, fetching));
      } catch (error) {
        if (error instanceof Stop) return error.fetched;
        throw error;
      } finally {
        await transport?.close();
      }
    },
  };
}

interface Fetching {
  readonly options: WebOptions;
  readonly origin: string;
  readonly authorization: string | undefined;
  readonly credentials: Credentials;
  readonly reach: Reach;
  readonly transport: Transport;
  readonly limit: AbortSignal;
  readonly signal: AbortSignal;
}

/** Follows redirects itself: the password goes to no other origin, and nothing goes from https to http. */
async function follow(first: URL, asked: Asked, fetching: Fetching): Promise<Heard> {
  let url = first;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
    const heard = await exchange(url, asked, fetching).catch((error: unknown) => {
      throw troubleOf(error, url, fetching);
    });
    if (!(heard instanceof URL)) return heard;
    url = heard;
  }
  throw new Stop(
    'permanent',
    'FETCH_REDIRECTS',
    `${first.host} redirects more than ${MAX_REDIRECTS} times. Give the calendar's final address.`,
  );
}

/** One request and its answer, or where it redirects to. */
async function exchange(url: URL, asked: Asked, fetching: Fetching): Promise<Heard | URL> {
  const own = url.origin === fetching.origin;
  const { authorization, options } = fetching;
  fetching.reach.judge(url, own);
  const response = await send(url, {
    method: asked.method,
    dispatcher: fetching.transport.to(own),
    signal: fetching.signal,
    headers: {
      ...asked.headers,
      'accept-encoding': ENCODINGS,
      'user-agent': 'Scanflow-cal2wl',
      ...(own && authorization !== undefined ? { authorization } : {}),
    },
    ...(asked.body === undefined ? {} : { body: asked.body }),
  }).catch((error: unknown) => {
    throw troubleOf(error, url, fetching, true);
  });
  const { statusCode: status } = response;
  const header = headerOf(response.headers);
  if (asked.expect.includes(status)) {
    const announced = Number(header('content-length') ?? 0);
    if (announced > options.maxSize) throw discard(response, tooLarge(url.host, options.maxSize));
    const { maxSize } = options;
    const { take } = asked;
    const encoding = header('content-encoding');
    return {
      status,
      header,
      bytes: await readBody(response.body, { host: url.host, encoding, maxSize, take }),
    };
  }
  if (REDIRECTS.has(status) && (status !== 303 || asked.method === 'GET'))
    return discard(response, redirectTarget(url, header('location')));
  if (status === 401 && own && authorization !== undefined) fetching.credentials.refuse(authorization);
  const shown: Shown = authorization === undefined ? 'none' : own ? 'own' : 'withheld';
  throw discard(response, statusTrouble(url.host, status, shown, header));
}

/** Lets go of a body that nobody reads. */
function discard<T>({ body }: Dispatcher.ResponseData, result: T): T {
  body.on('error', () => undefined).destroy();
  return result;
}

const headerOf =
  (headers: Dispatcher.ResponseData['headers']): HeaderOf =>
  (name) => {
    const value = headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  };

function redirectTarget(from: URL, location: string | undefined): URL {
  const target = location === undefined ? null : URL.parse(location, from);
  const safe = target?.protocol === 'https:' || (target?.protocol === 'http:' && from.protocol === 'http:');
  if (target === null || !safe)
    throw new Stop(
      'permanent',
      'FETCH_REDIRECTS',
      `${from.host} redirects to no safe web address. Give the calendar's final address.`,
    );
  target.username = '';
  target.password = '';
  return target;
}

function troubleOf(
  error: unknown,
  { host, protocol }: URL,
  { options, limit }: Fetching,
  early = false,
): Stop {
  if (!(error instanceof Stop) && limit.aborted)
    return new Stop(
      'transient',
      'FETCH_TIMEOUT',
      `${host} did not deliver the calendar within ${options.timeoutMs / 1000} s; it is tried again.`,
    );
  const proxy = options.proxy === undefined ? undefined : URL.parse(options.proxy)?.host;
  return wireTrouble(error, { host, proxy, atHello: early && protocol === 'https:' });
}
