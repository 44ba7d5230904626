/** Connections of one fetch. Only a configured proxy is used. Only the calendar's own server sees client certificates. */
import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import { defined } from '@scanflow/booking/defined';
import { codeOf } from '@scanflow/failure';
import { Agent, ProxyAgent, type Dispatcher } from 'undici';
import type { Reach } from './reach.ts';
import { basic, secret } from './secret.ts';
import { Stop } from './stop.ts';

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
  const trust = { ...(tls?.ca === undefined ? {} : { ca: await pem(tls.ca) }) };
  const identity = {
    ...(tls?.key === undefined ? {} : { key: await pem(tls.key) }),
    ...(tls?.certificate === undefined ? {} : { cert: await pem(tls.certificate) }),
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
