/** Requests to Orthanc: kept connections, time limits, sizes, every break a failure. */
import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { errnoOf, Fault } from '../model/failure.ts';
import { connectionFault, stalled, statusFault, unclear, unreachable } from './faults.ts';

export interface OrthancOptions {
  readonly url: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Longest silence on a connection, in milliseconds. Orthanc reads a whole file before it answers. */
  readonly idleMs?: number;
}

/** A listing of 10,000 instances takes 4 MB. */
const MAX_JSON = 512 * 1024 * 1024;

/** Orthanc keeps a connection for one second; Node's usual margin of one second would leave nothing of it. */
const KEEP_ALIVE = { keepAlive: true, maxSockets: 16, agentKeepAliveTimeoutBuffer: 200 };

export interface Connection {
  readonly get: (path: string, signal: AbortSignal) => Promise<IncomingMessage>;
  readonly remove: (path: string, signal: AbortSignal) => Promise<void>;
  readonly put: (path: string, text: string, signal: AbortSignal) => Promise<void>;
  readonly json: (path: string, signal: AbortSignal) => Promise<unknown>;
  /** Sends JSON; `faultOf` tells what a status other than 200 means. */
  readonly post: (
    path: string,
    body: unknown,
    faultOf: (status: number, path: string) => Fault,
    signal: AbortSignal,
  ) => Promise<IncomingMessage>;
  readonly close: () => void;
}

export function connection({ url, username, password, idleMs = 120_000 }: OrthancOptions): Connection {
  const base = new URL(url.endsWith('/') ? url : `${url}/`);
  const secure = base.protocol === 'https:';
  const agent = secure ? new HttpsAgent(KEEP_ALIVE) : new Agent(KEEP_ALIVE);
  const line = { base, agent, headers: headersOf(username, password), idleMs };
  const ask = async (
    path: string,
    signal: AbortSignal,
    asked: Asked = { method: 'GET' },
    faultOf = statusFault,
  ): Promise<IncomingMessage> => {
    for (let tries = 0; tries < 5; tries++) {
      const response = await attempt(line, path, signal, asked);
      if (response === 'again') continue;
      if (response.statusCode === 200) return response;
      response.resume();
      throw faultOf(response.statusCode ?? 0, path);
    }
    throw new Fault(unreachable('it closed each connection under the request'));
  };
  const json = async (path: string, signal: AbortSignal): Promise<unknown> =>
    parsed(path, await collect(await ask(path, signal), signal));
  const remove = async (path: string, signal: AbortSignal): Promise<void> => {
    await collect(await ask(path, signal, { method: 'DELETE' }), signal);
  };
  return {
    get: (path, signal) => ask(path, signal),
    remove,
    put: async (path, text, signal) => {
      await collect(await ask(path, signal, { method: 'PUT', body: text }), signal);
    },
    json,
    post: (path, body, faultOf, signal) =>
      ask(path, signal, { method: 'POST', body: JSON.stringify(body) }, faultOf),
    close: () => agent.destroy(),
  };
}

interface Asked {
  readonly method: 'GET' | 'DELETE' | 'PUT' | 'POST';
  readonly body?: string;
}

interface Line {
  readonly base: URL;
  readonly agent: Agent;
  readonly headers: Readonly<Record<string, string>>;
  readonly idleMs: number;
}

/** `again`: a kept connection was closed under the request. */
async function attempt(
  { base, agent, headers, idleMs }: Line,
  path: string,
  signal: AbortSignal,
  { method, body }: Asked,
): Promise<IncomingMessage | 'again'> {
  const send = base.protocol === 'https:' ? httpsRequest : httpRequest;
  const request = send(new URL(path.slice(1), base), { agent, headers, signal, method, timeout: idleMs });
  // once the response is here, what happens to the connection shows while its body is read
  request.on('error', () => undefined);
  let response: IncomingMessage | undefined;
  request.on('timeout', () => (response ?? request).destroy(new Fault(stalled(idleMs))));
  request.end(body);
  try {
    [response] = (await once(request, 'response')) as [IncomingMessage];
    return response;
  } catch (error) {
    // Orthanc closes an idle connection after a second, now and then under our request
    if (request.reusedSocket && (errnoOf(error) === 'ECONNRESET' || errnoOf(error) === 'EPIPE'))
      return 'again';
    throw signal.aborted ? error : connectionFault(error);
  }
}

function parsed(path: string, body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    throw new Fault(unclear(`${path} is not JSON`));
  }
}

const headersOf = (username: string | undefined, password: string | undefined): Record<string, string> => ({
  'accept-encoding': 'identity',
  ...(username === undefined
    ? {}
    : { authorization: `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}` }),
});

async function collect(response: IncomingMessage, signal: AbortSignal): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const part of response as AsyncIterable<Uint8Array>) {
      size += part.length;
      if (size > MAX_JSON) throw new Fault(unclear('an answer of over 512 MiB'));
      parts.push(part);
    }
  } catch (error) {
    throw signal.aborted ? error : connectionFault(error);
  }
  return Buffer.concat(parts).toString('utf8');
}

export async function* chunksOf(response: IncomingMessage, promised: number): AsyncGenerator<Uint8Array> {
  let size = 0;
  try {
    for await (const part of response as AsyncIterable<Uint8Array>) {
      size += part.length;
      yield part;
    }
  } catch (error) {
    if (errnoOf(error) === 'ABORT_ERR') throw error;
    throw connectionFault(error);
  } finally {
    // left unread (an error of the reader's, or enough was seen): the connection must not wait for it
    if (!response.complete) response.destroy();
  }
  if (size !== promised)
    throw new Fault({
      kind: 'transient',
      code: 'ORTHANC_TRUNCATED',
      message: `Orthanc promised ${promised} bytes and sent ${size}. Check its storage; it is asked again.`,
    });
}
