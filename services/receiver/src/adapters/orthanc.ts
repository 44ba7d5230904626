/** Orthanc's REST interface, as much of it as receiving takes: kept connections, time limits, every break an answer. */
import { once } from 'node:events';
import { Agent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { codeOf, messageOf } from '@scanflow/failure';

export interface OrthancSettings {
  readonly url: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Longest silence while it works on a request, in milliseconds; an upload gets more by its size. */
  readonly silentMs?: number;
}

/** What a request came to: Orthanc's answer, or none. */
export type Answer =
  | { readonly answered: true; readonly status: number; readonly body: Buffer }
  /** `connected`: it took the connection, so that it may have done what was asked. */
  | { readonly answered: false; readonly why: string; readonly connected: boolean };

/** The body of a request. */
export interface Upload {
  readonly bytes: number;
  /** Pieces in memory are written at once; others as Orthanc takes them. May be asked for again. */
  readonly content: () => Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

export interface Orthanc {
  readonly ask: (method: 'GET' | 'POST' | 'PUT', path: string, upload?: Upload) => Promise<Answer>;
  /** A body as it comes; undefined where it is not there. Throws where the connection breaks. */
  readonly stream: (path: string) => Promise<AsyncIterable<Uint8Array> | undefined>;
  readonly close: () => void;
}

/**
 * Each connection takes one of Orthanc's HTTP threads for as long as it is kept, and the streamer has some, too. Orthanc
 * 1.10.1 keeps one for a second; Node's usual margin of one second would leave nothing of it.
 */
const KEEP_ALIVE = { keepAlive: true, maxSockets: 12, agentKeepAliveTimeoutBuffer: 200, noDelay: true };
const SILENT_MS = 60_000;
/** Orthanc answers an upload once it has written it: slower disks than this are not waited for. */
const LEAST_BYTES_PER_MS = 5_000;
const MAX_ANSWER = 1024 * 1024;

export function orthancAt({ url, username, password, silentMs = SILENT_MS }: OrthancSettings): Orthanc {
  const base = new URL(url.endsWith('/') ? url : `${url}/`);
  const secure = base.protocol === 'https:';
  const agent = secure ? new HttpsAgent(KEEP_ALIVE) : new Agent(KEEP_ALIVE);
  const login = Buffer.from(`${username ?? ''}:${password ?? ''}`).toString('base64');
  const headers = {
    // also without a user: where Orthanc wants none, nobody looks at it
    ...(username === undefined ? {} : { authorization: `Basic ${login}` }),
    'accept-encoding': 'identity',
  };
  const open = (method: string, path: string, bytes: number): ClientRequest =>
    (secure ? httpsRequest : httpRequest)(new URL(path.slice(1), base), {
      method,
      agent,
      timeout: silentMs + bytes / LEAST_BYTES_PER_MS,
      headers: method === 'GET' ? headers : { ...headers, 'content-length': bytes },
    });
  const ask: Orthanc['ask'] = async (method, path, upload = NOTHING) => {
    for (let tries = 0; ; tries += 1) {
      const request = open(method, path, upload.bytes);
      const answer = await exchange(request, upload);
      // Orthanc closes a kept connection now and then under a request
      if (answer.answered || !request.reusedSocket || tries >= 5) return answer;
    }
  };
  return {
    ask,
    stream: async (path) => {
      const request = open('GET', path, 0);
      request.end();
      const response = await responseOf(request);
      if (response.statusCode === 200) return response as AsyncIterable<Uint8Array>;
      response.resume();
      return undefined;
    },
    close: () => agent.destroy(),
  };
}

const NOTHING: Upload = { bytes: 0, content: () => [] };

async function exchange(request: ClientRequest, upload: Upload): Promise<Answer> {
  let connected = false;
  request.once('socket', (socket) => {
    connected = !socket.connecting;
    socket.once('connect', () => (connected = true));
  });
  // an answer may come before all was written: a refusal
  const sending = send(request, upload).catch((error: unknown) => void request.destroy(asError(error)));
  try {
    const response = await responseOf(request);
    const body = await collect(response);
    await sending;
    return { answered: true, status: response.statusCode ?? 0, body };
  } catch (error) {
    request.destroy();
    return { answered: false, why: codeOf(error) ?? messageOf(error), connected };
  }
}

async function responseOf(request: ClientRequest): Promise<IncomingMessage> {
  // what happens to the connection later shows while the body is read
  request.on('error', () => undefined);
  request.on('timeout', () => request.destroy(new Error('no answer in time')));
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response;
}

async function send(request: ClientRequest, { content }: Upload): Promise<void> {
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

async function collect(response: IncomingMessage): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response as AsyncIterable<Uint8Array>) {
    size += part.length;
    if (size > MAX_ANSWER) throw new Error('an answer of over 1 MiB');
    parts.push(part);
  }
  return Buffer.concat(parts);
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
