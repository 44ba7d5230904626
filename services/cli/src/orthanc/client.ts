/** Orthanc's REST interface, as far as the commands need it: JSON, and streams whose every break is a failure. */
import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { codeOf, FailureError } from '@scanflow/failure';
import { refused, stalled, unclear, unreachable } from './faults.ts';

export interface OrthancAccess {
  readonly url: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Longest silence on a connection, in milliseconds: it reads a whole file before it answers. Default 2 minutes. */
  readonly idleMs?: number;
}

export interface OrthancClient {
  readonly url: string;
  /** GET, or POST where there is a body. Throws FailureError ORTHANC_…, AbortError. */
  readonly json: (path: string, signal: AbortSignal, body?: string) => Promise<unknown>;
  /** GET of a short text. Throws as json does. */
  readonly text: (path: string, signal: AbortSignal) => Promise<string>;
  /** GET; the caller reads the answer to its end or destroys it. Throws as json does. */
  readonly get: (path: string, signal: AbortSignal, headers?: Headers) => Promise<IncomingMessage>;
  readonly close: () => void;
}

type Headers = Readonly<Record<string, string>>;

/** 100,000 images of one study take less. */
const MOST_JSON = 64 * 1024 * 1024;
/** Orthanc keeps a connection for one second; Node's usual margin would leave nothing of it. */
const KEEP_ALIVE = { keepAlive: true, maxSockets: 16, agentKeepAliveTimeoutBuffer: 200 };
/** Connections that it closed under a request, one after the other. */
const MOST_CLOSED = 5;

export function orthancClient({ url, username, password, idleMs = 120_000 }: OrthancAccess): OrthancClient {
  const base = new URL(url.endsWith('/') ? url : `${url}/`);
  const secure = base.protocol === 'https:';
  const agent = secure ? new HttpsAgent(KEEP_ALIVE) : new Agent(KEEP_ALIVE);
  const shown = base.href.replace(/\/$/, '');
  const own = headersOf(username, password);
  const attempt = async (path: string, signal: AbortSignal, { headers, body }: Sent) => {
    const request = (secure ? httpsRequest : httpRequest)(new URL(path.slice(1), base), {
      agent,
      signal,
      timeout: idleMs,
      method: body === undefined ? 'GET' : 'POST',
      headers: { ...own, ...headers },
    });
    // what happens once the answer is here shows while it is read
    request.on('error', () => undefined);
    let response: IncomingMessage | undefined;
    request.on('timeout', () => (response ?? request).destroy(stalled(idleMs)));
    request.end(body);
    try {
      [response] = (await once(request, 'response')) as [IncomingMessage];
      return response;
    } catch (error) {
      if (request.reusedSocket && ['ECONNRESET', 'EPIPE'].includes(codeOf(error) ?? '')) return 'again';
      throw signal.aborted || error instanceof FailureError ? error : unreachable(shown, error);
    }
  };
  const ask = async (path: string, signal: AbortSignal, sent: Sent): Promise<IncomingMessage> => {
    for (let tries = 0; tries < MOST_CLOSED; tries++) {
      const response = await attempt(path, signal, sent);
      if (response === 'again') continue;
      if (response.statusCode === 200 || response.statusCode === 206) return response;
      response.resume();
      throw refused(response.statusCode ?? 0, path);
    }
    throw unreachable(shown, new Error('it closes each connection under the request'));
  };
  return {
    url: shown,
    get: (path, signal, headers = {}) => ask(path, signal, { headers }),
    text: async (path, signal) => collected(await ask(path, signal, NOTHING), shown, signal),
    json: async (path, signal, body) => {
      const response = await ask(path, signal, body === undefined ? NOTHING : { headers: {}, body });
      return parsed(await collected(response, shown, signal), path);
    },
    close: () => agent.destroy(),
  };
}

const headersOf = (username: string | undefined, password = ''): Headers => ({
  // it would compress what it answers, several times slower
  'accept-encoding': 'identity',
  ...(username === undefined
    ? {}
    : { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }),
});

interface Sent {
  readonly headers: Headers;
  readonly body?: string;
}
const NOTHING: Sent = { headers: {} };

async function collected(response: IncomingMessage, url: string, signal: AbortSignal): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const part of response as AsyncIterable<Uint8Array>) {
      size += part.length;
      if (size > MOST_JSON) throw unclear('it is too long');
      parts.push(part);
    }
  } catch (error) {
    throw signal.aborted || error instanceof FailureError ? error : unreachable(url, error);
  }
  return Buffer.concat(parts).toString('utf8');
}

function parsed(text: string, path: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw unclear(`${path} is not JSON`);
  }
}
