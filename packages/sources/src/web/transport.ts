/**
 * Connections of one fetch, and what they show of us: a password or bearer token from a file, but never one that the server just
 * refused. Only a configured proxy is used. Only the calendar's own server sees client certificates.
 */
import { readFile } from 'node:fs/promises';
import { type RequestOptions, request as https } from 'node:https';
import { defined, given } from '@scanflow/failure/defined';
import { codeOf, messageOf } from '@scanflow/failure';
import { Agent, ProxyAgent, type Dispatcher, request as send } from 'undici';
import { Readable } from 'node:stream';
import { request as http, type IncomingMessage } from 'node:http';
import { readSecret } from '@scanflow/runtime';
import type { Reach } from './reach.ts';
import { Stop } from '../answer.ts';
import type { HeaderOf } from './answer.ts';

export interface TransportOptions {
  readonly timeoutMs: number;
  /** Paths of PEM files. */
  readonly tls?: {
    readonly ca?: string | undefined;
    readonly key?: string | undefined;
    readonly certificate?: string | undefined;
  };
  /** Address of the proxy, if any. Environment variables do not count. */
  readonly proxy?: string;
  /** Credentials for the proxy, if it requires any. */
  readonly proxyUsername?: string | undefined;
  readonly proxyPasswordFile?: string | undefined;
}

export interface Transport {
  /** Connections to the calendar's own server, and to others that it redirects to, which are not shown who we are. */
  to(own: boolean): Dispatcher;
  /** The same for a connection without a pool; undefined with a proxy. */
  direct(own: boolean): RequestOptions | undefined;
  close(): Promise<void>;
}

const CONNECT_MS = 30_000;
/** Limit of headers: some servers send long browser policies. */
const MAX_HEADERS = 65_536;

/**
 * Reads the files and makes the connections' settings. Throws a Stop for an unreadable file. A proxy resolves names
 * itself, so it decides which addresses it connects to.
 */
export async function openTransport(options: TransportOptions, reach: Reach): Promise<Transport> {
  const { timeoutMs, tls, proxy } = options;
  const token = await proxyToken(options);
  const trust = { ...defined({ ca: await given(tls?.ca, pem) }) };
  const identity = {
    ...defined({ key: await given(tls?.key, pem), cert: await given(tls?.certificate, pem) }),
  };
  const made = new Map<boolean, Dispatcher>();
  const make = (own: boolean): Dispatcher => {
    const secure = { timeout: Math.min(CONNECT_MS, timeoutMs), ...trust, ...(own ? identity : {}) };
    const common = {
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      allowH2: false,
      connections: 1,
      maxHeaderSize: MAX_HEADERS,
    };
    return proxy === undefined
      ? new Agent({ ...common, connect: { ...secure, lookup: reach.lookup(own) } })
      : new ProxyAgent({
          ...common,
          uri: proxy,
          ...defined({ token }),
          requestTls: secure,
          proxyTls: { timeout: secure.timeout, ...trust },
        });
  };
  return {
    to(own) {
      const dispatcher = made.get(own) ?? make(own);
      made.set(own, dispatcher);
      return dispatcher;
    },
    direct: (own) =>
      proxy === undefined ? { ...trust, ...(own ? identity : {}), lookup: reach.lookup(own) } : undefined,
    async close() {
      await Promise.all([...made.values()].map((dispatcher) => dispatcher.destroy()));
    },
  };
}

/** The Proxy-Authorization header (RFC 9110 11.7.2), from the current file. */
async function proxyToken({
  proxyUsername: username,
  proxyPasswordFile: file,
}: TransportOptions): Promise<string | undefined> {
  return username === undefined || file === undefined ? undefined : basic(username, await secret(file));
}

async function pem(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new Stop(
      'permanent',
      'FETCH_SECRET',
      `the file ${file} cannot be read (${codeOf(error) ?? 'unknown'}): correct tls in the configuration, or its permissions`,
    );
  }
}

export interface Message {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
  readonly signal: AbortSignal;
}

export interface Wire {
  readonly status: number;
  readonly header: HeaderOf;
  /** Each line of a header separately. */
  readonly all: (name: string) => readonly string[];
  readonly body: Readable;
}

export async function strict(
  url: URL,
  { method, headers, body, signal }: Message,
  dispatcher: Dispatcher,
): Promise<Wire> {
  const request = { method, headers, signal, dispatcher, ...defined({ body }) };
  const { statusCode: status, headers: told, body: stream } = await send(url, request);
  const all = (name: string): string[] => [told[name] ?? []].flat();
  return {
    status,
    header: (name) => (told[name] === undefined ? undefined : all(name).join(', ')),
    all,
    body: stream,
  };
}

/**
 * A second request where the first answer was no HTTP by the letter: header lines that end in LF alone (RFC 9112 2.2
 * lets a client take them), a length given twice, blanks in chunk sizes. In a connection of its own.
 */
export function lenient(url: URL, message: Message, tls: RequestOptions): Promise<Wire> {
  const { method, headers, body, signal } = message;
  return new Promise((resolve, reject) => {
    const ask = url.protocol === 'https:' ? https : http;
    const options = { ...tls, method, headers: { ...headers }, signal, agent: false };
    let lost: Error | undefined;
    const request = ask(url, { ...options, insecureHTTPParser: true, maxHeaderSize: MAX_HEADERS }, (answer) =>
      resolve(wireOf(answer, () => lost)),
    );
    request.on('error', (error) => {
      lost = error;
      reject(error);
    });
    request.end(body);
  });
}

function wireOf(answer: IncomingMessage, lost: () => Error | undefined): Wire {
  const { statusCode: status = 0, headersDistinct: headers } = answer;
  const all = (name: string): string[] => headers[name] ?? [];
  const header = (name: string): string | undefined => headers[name]?.join(', ');
  return { status, header, all, body: Readable.from(whole(answer, lost), { objectMode: false }) };
}

/** A body without a length ends silently if the connection is lost, so the client checks the connection. */
async function* whole(answer: IncomingMessage, lost: () => Error | undefined): AsyncGenerator<Uint8Array> {
  yield* answer as AsyncIterable<Uint8Array>;
  const error = lost();
  if (error !== undefined) throw error;
}

export interface CredentialOptions {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly passwordFile?: string | undefined;
  readonly tokenFile?: string | undefined;
}

/** Pause after a refusal: directories lock accounts after some wrong passwords. */
const REFUSED_PAUSE_MS = 300_000;

export class Credentials {
  readonly #options: CredentialOptions;
  #refused: { readonly value: string; readonly at: number } | undefined;

  constructor(options: CredentialOptions) {
    this.#options = options;
  }

  /** The Authorization header, from the current files; undefined without configured credentials. Throws a Stop. */
  async header(host: string): Promise<string | undefined> {
    const { username, password, passwordFile, tokenFile } = this.#options;
    let value: string | undefined;
    if (tokenFile !== undefined) value = `Bearer ${await secret(tokenFile)}`;
    else if (username !== undefined && passwordFile !== undefined)
      value = basic(username, await secret(passwordFile));
    else if (username !== undefined && password !== undefined) value = basic(username, password);
    if (value === undefined || !this.#isRefused(value)) return value;
    throw new Stop(
      'permanent',
      'FETCH_AUTH',
      `${host} refused the password or token; it is tried again when its file changes, or some minutes later.`,
    );
  }

  /** Remembers that the server refused this header. */
  refuse(value: string): void {
    this.#refused = { value, at: performance.now() };
  }

  #isRefused(value: string): boolean {
    return this.#refused?.value === value && performance.now() - this.#refused.at < REFUSED_PAUSE_MS;
  }
}

/** Basic authentication (RFC 7617). */
const basic = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

/** Reads the file at each fetch, so that a replaced secret counts at the next one. Throws a Stop. */
async function secret(file: string): Promise<string> {
  let text: string;
  try {
    text = await readSecret(file);
  } catch (error) {
    throw new Stop('permanent', 'FETCH_SECRET', messageOf(error));
  }
  // a line break would end the header
  if (!/^[^\p{Cc}]+$/u.test(text))
    throw new Stop('permanent', 'FETCH_SECRET', `the secret ${file} holds line breaks or control characters`);
  return text;
}
