/** Requests to Orthanc's REST interface: kept connections, time limits, size limits, and a failure for every break. */
import type { IncomingMessage } from 'node:http';
import type { Failure } from '@scanflow/failure';
import { readJson } from '@scanflow/runtime/json';
import { unclear, connectionFault, statusFault } from './answers.ts';
import {
  addressOf,
  inTurn,
  openLines,
  patiently,
  type Asked,
  type Exchange,
  type Line,
  type OrthancAccess,
  type Turn,
} from './line.ts';

/** All but `exchange` throw FailureError `ORTHANC_…`, and what `signal` was aborted with. Paths begin with `/`. */
export interface OrthancClient {
  /** The address, for people: without user and password, without `/` at the end. Of several, that which answered last. */
  readonly url: string;
  /** Asks each of several addresses for /system, and prefers one that answers. Empty, and no request, if there is one address. */
  readonly survey: (signal: AbortSignal) => Promise<readonly Surveyed[]>;
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

/** What one of several addresses answered to /system, or why it did not. */
export interface Surveyed {
  readonly url: string;
  readonly system?: unknown;
  readonly failure?: Failure;
}

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
  const turn = openLines(access);
  const { lines } = turn;
  const known = (): string => addressOf(turn);
  const all = lines.map(({ url }) => url).join(' or ');
  const exchange = (path: string, asked: Asked = {}): Promise<Exchange> => inTurn(turn, path, asked);
  const ask = async (path: string, asked: Asked & { signal: AbortSignal }, faultOf = statusFault) => {
    const given = await exchange(path, asked);
    if (!given.answered) throw asked.signal.aborted ? given.error : connectionFault(given.error, all);
    return successful(given.response, path, faultOf);
  };
  const read = async (path: string, asked: Asked & { signal: AbortSignal }): Promise<string> =>
    (await collected(await ask(path, asked), { url: known(), signal: asked.signal })).toString('utf8');
  return {
    get url() {
      return known();
    },
    survey: (signal) => (lines.length > 1 ? survey(turn, signal) : Promise.resolve([])),
    exchange,
    get: (path, signal, headers = {}) => ask(path, { headers, signal }),
    post: (path, body, signal, faultOf) => ask(path, { method: 'POST', body, signal }, faultOf),
    json: async (path, signal, body, item) => {
      const response = await ask(path, body === undefined ? { signal } : { method: 'POST', body, signal });
      return parsed(path, piecesOf(response, { url: known(), signal }), item);
    },
    text: (path, signal) => read(path, { signal }),
    put: async (path, body, signal) => {
      await read(path, { method: 'PUT', body, signal });
    },
    remove: async (path, signal) => {
      await read(path, { method: 'DELETE', signal });
    },
    close: () => {
      for (const { agent } of lines) agent.destroy();
    },
  };
}

function successful(response: IncomingMessage, path: string, faultOf: typeof statusFault): IncomingMessage {
  if (response.statusCode === 200 || response.statusCode === 206) return response;
  response.resume();
  throw faultOf(response.statusCode ?? 0, path);
}

async function survey(turn: Turn, signal: AbortSignal): Promise<readonly Surveyed[]> {
  const found = await Promise.all(turn.lines.map((line) => systemOf(line, signal)));
  const answering = found.findIndex(({ failure }) => failure === undefined);
  if (found[turn.at]?.failure !== undefined && answering >= 0) turn.at = answering;
  return found;
}

async function systemOf(line: Line, stopping: AbortSignal): Promise<Surveyed> {
  const { url } = line;
  const signal = AbortSignal.any([stopping, AbortSignal.timeout(SURVEY_MS)]);
  try {
    const given = await patiently(line, '/system', { signal });
    if (!given.answered) throw connectionFault(given.error, url);
    const response = successful(given.response, '/system', statusFault);
    return { url, system: await parsed('/system', piecesOf(response, { url })) };
  } catch (error) {
    stopping.throwIfAborted();
    return { url, failure: connectionFault(error, url).failure };
  }
}

/** A listing of 10,000 instances takes 4 MB. */
const MOST_BYTES = 512 * 1024 * 1024;
const SURVEY_MS = 10_000;

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
