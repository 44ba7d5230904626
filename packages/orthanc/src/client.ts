/** Requests to Orthanc's REST interface: kept connections, time limits, size limits, and a failure for every break. */
import { once } from 'node:events';
import { Agent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { defined, given } from '@scanflow/failure/defined';
import { codeOf } from '@scanflow/failure';
import { readJson } from '@scanflow/runtime/json';
import { asError, unclear, stalled, connectionFault, statusFault } from './answers.ts';

export interface OrthancAccess {
  readonly url: string;
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

/** All but `exchange` throw FailureError `ORTHANC_…`, and what `signal` was aborted with. Paths begin with `/`. */
export interface OrthancClient {
  /** The address, for people: without user and password, without `/` at the end. */
  readonly url: string;
  /** The answer whatever its status. Repeats a request if Orthanc closed a kept connection under it. */
  readonly exchange: (path: string, asked?: Asked) => Promise<Exchange>;
  /** The caller reads the answer to its end, or destroys it. */
  readonly get: (path: string, signal: AbortSignal, headers?: Asked['headers']) => Promise<IncomingMessage>;
  /** `faultOf` says what a status other than 200 means. */
  readonly post: (
    path: string,
    body: string,
    signal: AbortSignal,
    faultOf?: typeof statusFault,
  ) => Promise<IncomingMessage>;
  /** GET, or POST if there is a body; the answer as JSON. `item`: what becomes of each object of a list, as it comes. */
  readonly json: (
    path: string,
    signal: AbortSignal,
    body?: string,
    item?: (value: unknown) => unknown,
  ) => Promise<unknown>;
  readonly text: (path: string, signal: AbortSignal) => Promise<string>;
  readonly put: (path: string, text: string, signal: AbortSignal) => Promise<void>;
  readonly remove: (path: string, signal: AbortSignal) => Promise<void>;
  readonly close: () => void;
}

const IDLE_MS = 120_000;
const CONNECTIONS = 16;
/** Orthanc answers an upload once the file is on disk. No disk slower than this is waited for. */
const LEAST_BYTES_PER_MS = 5_000;
/** A listing of 10,000 instances takes 4 MB. */
const MOST_BYTES = 512 * 1024 * 1024;
/** Kept connections that Orthanc closes under one request, before it fails. */
const MOST_CLOSED = 5;
/** Orthanc keeps a connection for one second; Node's usual margin of one second would leave nothing of it. */
const KEEP_ALIVE = { keepAlive: true, agentKeepAliveTimeoutBuffer: 200 };

/**
 * Opens a client. Nothing is sent yet.
 *
 * @example
 * ```ts no-run
 * import { orthancClient } from '@scanflow/orthanc';
 *
 * const client = orthancClient({ url: 'http://127.0.0.1:8042' });
 * const system = await client.json('/system', AbortSignal.timeout(5_000));
 * client.close();
 * ```
 */
export function orthancClient(access: OrthancAccess): OrthancClient {
  const line = lineTo(access);
  const exchange = async (path: string, asked: Asked = {}): Promise<Exchange> => {
    for (let tries = 0; tries < MOST_CLOSED; tries++) {
      const given = await attempt(line, path, asked);
      if (given !== 'closed') return given;
    }
    const error = new Error('it closes each connection under the request');
    return { answered: false, error, connected: true };
  };
  const ask = async (path: string, asked: Asked & { signal: AbortSignal }, faultOf = statusFault) => {
    const given = await exchange(path, asked);
    if (!given.answered) throw asked.signal.aborted ? given.error : connectionFault(given.error, line.url);
    const { response } = given;
    if (response.statusCode === 200 || response.statusCode === 206) return response;
    response.resume();
    throw faultOf(response.statusCode ?? 0, path);
  };
  const read = async (path: string, asked: Asked & { signal: AbortSignal }): Promise<string> =>
    (await collected(await ask(path, asked), { url: line.url, signal: asked.signal })).toString('utf8');
  return {
    url: line.url,
    exchange,
    get: (path, signal, headers = {}) => ask(path, { headers, signal }),
    post: (path, body, signal, faultOf) => ask(path, { method: 'POST', body, signal }, faultOf),
    json: async (path, signal, body, item) => {
      const response = await ask(path, body === undefined ? { signal } : { method: 'POST', body, signal });
      return parsed(path, piecesOf(response, { url: line.url, signal }), item);
    },
    text: (path, signal) => read(path, { signal }),
    put: async (path, body, signal) => {
      await read(path, { method: 'PUT', body, signal });
    },
    remove: async (path, signal) => {
      await read(path, { method: 'DELETE', signal });
    },
    close: () => line.agent.destroy(),
  };
}

interface Line {
  readonly url: string;
  readonly idleMs: number;
  readonly agent: Agent;
  readonly open: (path: string, asked: Asked, bytes: number | undefined) => ClientRequest;
}

function lineTo(access: OrthancAccess): Line {
  const { url, username, password = '', idleMs = IDLE_MS, connections: maxSockets = CONNECTIONS } = access;
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
async function attempt({ open, idleMs }: Line, path: string, asked: Asked): Promise<Exchange | 'closed'> {
  const { body } = asked;
  const upload = typeof body === 'string' ? { bytes: Buffer.byteLength(body), content: body } : body;
  const request = open(path, asked, upload?.bytes);
  let connected = false;
  request.once('socket', (socket) => {
    connected = !socket.connecting;
    // a kept connection would collect a listener per request
    if (socket.connecting) socket.once('connect', () => (connected = true));
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

interface Reading {
  readonly url: string;
  readonly signal?: AbortSignal;
  readonly most?: number;
}

/** A whole answer. Throws FailureError if it breaks off or is longer than `most` bytes. */
export async function collected(response: IncomingMessage, reading: Reading): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of piecesOf(response, reading)) parts.push(part);
  return Buffer.concat(parts);
}

/** An answer as it comes. Throws as collected() does. */
async function* piecesOf(
  response: IncomingMessage,
  { url, signal, most = MOST_BYTES }: Reading,
): AsyncGenerator<Uint8Array, void, undefined> {
  let size = 0;
  try {
    for await (const part of response as AsyncIterable<Uint8Array>) {
      size += part.length;
      if (size > most) throw unclear(`an answer of over ${most} bytes`);
      yield part;
    }
  } catch (error) {
    throw signal?.aborted === true ? error : connectionFault(error, url);
  }
}

async function parsed(
  path: string,
  pieces: AsyncIterable<Uint8Array>,
  item?: (value: unknown) => unknown,
): Promise<unknown> {
  try {
    return await readJson(pieces, item);
  } catch (error) {
    if (error instanceof SyntaxError) throw unclear(`${path} is not JSON`);
    throw error;
  }
}
