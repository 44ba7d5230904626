/** Sends requests to a calendar's server. It enforces time and size limits, follows redirects, and guards the password. */
import type { Readable } from 'node:stream';
import { type Fetched, type SourceLimits, Stop } from '../answer.ts';
import {
  Cookies,
  type HeaderOf,
  redirectTarget,
  isCut,
  isOddAnswer,
  statusTrouble,
  wireTrouble,
  type Shown,
} from './answer.ts';
import {
  Credentials,
  type CredentialOptions,
  lenient,
  openTransport,
  type Transport,
  type TransportOptions,
  strict,
  type Message,
  type Wire,
} from './transport.ts';
import { ENCODINGS, readBody, tooLarge } from './decode.ts';
import { Reach } from './reach.ts';

export interface WebOptions extends SourceLimits, CredentialOptions, TransportOptions {
  /** Hosts that redirects may lead to, whatever their addresses. */
  readonly redirects?: readonly string[] | undefined;
}

export interface Asked {
  readonly method: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Statuses that count as answers. Redirects are followed, and all others are failures. */
  readonly expect: readonly number[];
  /** Takes the decoded body in pieces, so that `bytes` stays empty. An error that it throws ends the request. */
  readonly take?: (piece: Uint8Array) => void;
}

export interface Heard {
  readonly status: number;
  readonly header: HeaderOf;
  /** The decoded body, within the size limit. */
  readonly bytes: Uint8Array;
}

/** Throws a Stop for every failure. */
export type Ask = (url: URL, asked: Asked) => Promise<Heard>;

export interface WebClient {
  /** One fetch: `work` may send several requests within the time limit. It returns failures of `ask` instead of throwing. */
  run<T>(signal: AbortSignal, work: (ask: Ask) => Promise<T>): Promise<T | Failed>;
}

type Failed = Extract<Fetched, { kind: 'failed' }>;

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
          cookies: new Cookies(),
          known: new Set<string>(),
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
  readonly cookies: Cookies;
  /** Origins of earlier requests. */
  readonly known: Set<string>;
  readonly limit: AbortSignal;
  readonly signal: AbortSignal;
}

/** Follows redirects itself: the password goes to no other origin, and no request goes from https to http. */
async function follow(first: URL, asked: Asked, fetching: Fetching): Promise<Heard> {
  let url = first;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
    const heard = await exchange(url, asked, fetching);
    if (!(heard instanceof URL)) return heard;
    url = heard;
  }
  throw new Stop(
    'permanent',
    'FETCH_REDIRECTS',
    `${first.host} redirects more than ${MAX_REDIRECTS} times. Give the calendar's final address.`,
  );
}

/** How far a request came. */
class Progress {
  answered = false;
  /** Whether the caller received pieces of the body. */
  taken = false;
}

/** One request and its answer or redirect. It retries once after an odd answer. */
async function exchange(url: URL, asked: Asked, fetching: Fetching): Promise<Heard | URL> {
  const own = url.origin === fetching.origin;
  const { reach, transport, known } = fetching;
  reach.judge(url, own);
  const isKnown = known.has(url.origin);
  known.add(url.origin);
  const message = messageTo(url, asked, own, fetching);
  const first = new Progress();
  try {
    return await hear(url, strict(url, message, transport.to(own)), asked, fetching, first);
  } catch (error) {
    const direct = transport.direct(own);
    // a server may close the idle connection of the last request
    const mayHelp = isOddAnswer(error) || (isKnown && !first.answered && isCut(error));
    if (direct === undefined || !mayHelp || first.taken)
      throw troubleOf(error, url, fetching, !first.answered);
    const second = new Progress();
    return await hear(url, lenient(url, message, direct), asked, fetching, second).catch((again: unknown) => {
      throw troubleOf(again, url, fetching, !second.answered);
    });
  }
}

function messageTo(
  url: URL,
  asked: Asked,
  own: boolean,
  { authorization, cookies, signal }: Fetching,
): Message {
  return {
    method: asked.method,
    signal,
    body: asked.body,
    headers: {
      ...asked.headers,
      'accept-encoding': ENCODINGS,
      'user-agent': 'Scanflow-cal2wl',
      ...cookies.header(url),
      ...(own && authorization !== undefined ? { authorization } : {}),
    },
  };
}

async function hear(
  url: URL,
  wire: Promise<Wire>,
  asked: Asked,
  fetching: Fetching,
  progress: Progress,
): Promise<Heard | URL> {
  const { status, header, all, body } = await wire;
  progress.answered = true;
  fetching.cookies.take(url, all('set-cookie'));
  const { host } = url;
  if (asked.expect.includes(status)) {
    const { maxSize } = fetching.options;
    if (Number(header('content-length') ?? 0) > maxSize) {
      discard(body);
      throw tooLarge(host, maxSize);
    }
    const { take: given } = asked;
    const take = (piece: Uint8Array): void => {
      progress.taken = true;
      given?.(piece);
    };
    const how = { host, encoding: header('content-encoding'), maxSize };
    const bytes = await readBody(body, given === undefined ? how : { ...how, take });
    return { status, header, bytes };
  }
  discard(body);
  if (REDIRECTS.has(status) && (status !== 303 || asked.method === 'GET'))
    return redirectTarget(url, all('location'));
  throw refusal(url, status, header, fetching);
}

function refusal(
  url: URL,
  status: number,
  header: HeaderOf,
  { authorization, origin, credentials }: Fetching,
): Stop {
  const own = url.origin === origin;
  if (status === 401 && own && authorization !== undefined) credentials.refuse(authorization);
  const shown: Shown = authorization === undefined ? 'none' : own ? 'own' : 'withheld';
  return statusTrouble(url.host, status, shown, header);
}

/** Discards a body that nobody reads. */
const discard = (body: Readable): void => void body.on('error', () => undefined).destroy();

function troubleOf(
  error: unknown,
  { host, protocol }: URL,
  { options, limit }: Fetching,
  early: boolean,
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
