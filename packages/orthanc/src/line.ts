/**
 * One exchange with Orthanc: at its address, or at one of several that answers. Kept connections, time limits, and uploads that
 * are repeated where that is safe.
 */
import { once } from 'node:events';
import { Agent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { defined, given } from '@scanflow/failure/defined';
import { codeOf } from '@scanflow/failure';
import { asError, stalled } from './answers.ts';

export interface OrthancAccess {
  /** Several are Orthancs of one database: the client uses the one that answered last, and goes on to the next when it does not. */
  readonly url: string | readonly string[];
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /**
   * Longest silence on a connection, in milliseconds. Orthanc reads a whole file before it answers. Default: 2 minutes.
   * An upload gets more by its size.
   */
  readonly idleMs?: number | undefined;
  /** Connections at the same time: Orthanc keeps a thread for each. Default: 16. */
  readonly connections?: number;
}

/** A request body that is written as it is, piece by piece. */
export interface Upload {
  readonly bytes: number;
  /** Pieces in memory leave at once; others as Orthanc takes them. Called again if the request is repeated. */
  readonly content: () => Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

export interface Asked {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Upload;
  readonly signal?: AbortSignal;
}

/** An answer, or how the request ended without one. */
export type Exchange =
  /** `sent` resolves when the body was written, or will not be: an answer may come before that. */
  | { readonly answered: true; readonly response: IncomingMessage; readonly sent: Promise<void> }
  /** `connected`: Orthanc took the connection, so it may have done what the request says. */
  | { readonly answered: false; readonly error: unknown; readonly connected: boolean };

const IDLE_MS = 120_000;
/** Where there is another address: a machine that is switched off answers nothing. */
const CONNECT_MS = 5_000;
const CONNECTIONS = 16;
/** Orthanc answers an upload once the file is on disk. No disk slower than this is waited for. */
const LEAST_BYTES_PER_MS = 5_000;
/** Kept connections that Orthanc closes under one request, before it fails. */
const MOST_CLOSED = 5;
/** Orthanc keeps a connection for one second; Node's usual margin of one second would leave nothing of it. */
const KEEP_ALIVE = { keepAlive: true, agentKeepAliveTimeoutBuffer: 200 };

export interface Line {
  readonly url: string;
  readonly idleMs: number;
  readonly connectMs: number | undefined;
  readonly agent: Agent;
  readonly open: (path: string, asked: Asked, bytes: number | undefined) => ClientRequest;
}

function lineTo(access: OrthancAccess, url: string, connectMs: number | undefined): Line {
  const { username, password = '', idleMs = IDLE_MS, connections: maxSockets = CONNECTIONS } = access;
  const base = new URL(url.endsWith('/') ? url : `${url}/`);
  const secure = base.protocol === 'https:';
  const agent = new (secure ? HttpsAgent : Agent)({ ...KEEP_ALIVE, maxSockets });
  const login = Buffer.from(`${username ?? ''}:${password}`).toString('base64');
  const own = {
    // Orthanc would compress its answers, several times slower
    'accept-encoding': 'identity',
    ...defined({ authorization: given(username, () => `Basic ${login}`) }),
  };
  return {
    url: `${base.origin}${base.pathname}`.replace(/\/$/, ''),
    idleMs,
    connectMs,
    agent,
    open: (path, { method = 'GET', headers, signal }, bytes) =>
      (secure ? httpsRequest : httpRequest)(new URL(path.slice(1), base), {
        method,
        agent,
        timeout: idleMs + (bytes ?? 0) / LEAST_BYTES_PER_MS,
        headers: { ...own, ...headers, ...defined({ 'content-length': bytes }) },
        ...defined({ signal }),
      }),
  };
}

/** `closed`: Orthanc closed a kept connection under the request, as it does after a second of silence. */
async function attempt(
  { open, idleMs, connectMs }: Line,
  path: string,
  asked: Asked,
): Promise<Exchange | 'closed'> {
  const { body } = asked;
  const upload = typeof body === 'string' ? { bytes: Buffer.byteLength(body), content: body } : body;
  const request = open(path, asked, upload?.bytes);
  let connected = false;
  request.once('socket', (socket) => {
    connected = !socket.connecting;
    // a kept connection would collect a listener per request
    if (!socket.connecting) return;
    socket.once('connect', () => (connected = true));
    if (connectMs !== undefined) giveUp(request, socket, connectMs);
  });
  // once the response is here, what happens to the connection shows while its body is read
  request.on('error', () => undefined);
  let response: IncomingMessage | undefined;
  request.on('timeout', () => (response ?? request).destroy(stalled(idleMs)));
  const sent = write(request, upload?.content).catch(
    (error: unknown) => void request.destroy(asError(error)),
  );
  try {
    [response] = (await once(request, 'response')) as [IncomingMessage];
    return { answered: true, response, sent };
  } catch (error) {
    request.destroy();
    if (request.reusedSocket && ['ECONNRESET', 'EPIPE'].includes(codeOf(error) ?? '')) return 'closed';
    return { answered: false, error, connected };
  }
}

function giveUp(request: ClientRequest, socket: Socket, ms: number): void {
  const timer = setTimeout(() => request.destroy(new Error(`no connection within ${ms / 1000} s`)), ms);
  const stop = (): void => clearTimeout(timer);
  socket.once('connect', stop).once('close', stop);
}

async function write(request: ClientRequest, content: string | Upload['content'] | undefined): Promise<void> {
  if (content === undefined || typeof content === 'string') {
    request.end(content);
    return;
  }
  const pieces = content();
  if (Symbol.iterator in pieces) {
    // together they leave in one system call
    for (const piece of pieces) request.write(piece);
    request.end();
    return;
  }
  for await (const piece of pieces) {
    if (request.destroyed) return;
    if (!request.write(piece)) await roomIn(request);
  }
  request.end();
}

/** Resolves when the request takes more, or has ended. */
function roomIn(request: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      request.off('drain', go).off('close', go);
      resolve();
    };
    request.once('drain', go).once('close', go);
  });
}

/** Opens the addresses. Nothing is sent yet. */
export function openLines(access: OrthancAccess): Turn {
  const urls = [access.url].flat();
  return { lines: urls.map((url) => lineTo(access, url, urls.length > 1 ? CONNECT_MS : undefined)), at: 0 };
}

/** The address that is used now, for people. */
export const addressOf = (turn: Turn): string => lineIn(turn).url;

/** The addresses, and which of them is used now. */
export interface Turn {
  readonly lines: readonly Line[];
  at: number;
}

function lineIn({ lines, at }: Turn, further = 0): Line {
  const line = lines[(at + further) % lines.length];
  if (line === undefined) throw new RangeError('an Orthanc has at least one address');
  return line;
}

/**
 * One address after the other, until one answers. All requests may be repeated: an image that one Orthanc took before it died
 * is known to the other.
 */
export async function inTurn(turn: Turn, path: string, asked: Asked): Promise<Exchange> {
  const order = turn.lines.map((_, further) => lineIn(turn, further));
  let best: Exchange | undefined;
  for (const line of order) {
    const given = await patiently(line, path, asked);
    const better = best === undefined || !best.answered;
    if (!isTrouble(given) || asked.signal?.aborted === true) {
      if (best?.answered === true) best.response.resume();
      // whoever asked another one meanwhile may have found it, too
      if (best !== undefined) turn.at = turn.lines.indexOf(line);
      return given;
    }
    if (better) best = given;
    else if (given.answered) given.response.resume();
  }
  return best ?? { answered: false, error: new Error('no address'), connected: false };
}

/** Another one may do better: this one does not answer, or has lost its database or its disk. */
const isTrouble = (given: Exchange): boolean => !given.answered || (given.response.statusCode ?? 0) >= 500;

export async function patiently(line: Line, path: string, asked: Asked): Promise<Exchange> {
  for (let tries = 0; tries < MOST_CLOSED; tries++) {
    const given = await attempt(line, path, asked);
    if (given !== 'closed') return given;
  }
  const error = new Error('it closes each connection under the request');
  return { answered: false, error, connected: true };
}
