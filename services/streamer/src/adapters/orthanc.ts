/** Orthanc's REST interface. Every byte is asked for as it is: no compression, length and MD5 known beforehand. */
import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { errnoOf, Fault } from '../domain/failure.ts';
import type { Attributes } from '../domain/route.ts';
import type { Change, InstanceListing, Origin, Orthanc, SeriesListing, SystemInfo } from '../ports.ts';

export interface OrthancOptions {
  readonly url: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Longest silence on a connection, in milliseconds. Orthanc reads a whole file before it answers. */
  readonly idleMs?: number;
}

export interface OrthancClient extends Orthanc {
  close(): void;
}

const ORTHANC_ID = /^[0-9a-f]{8}(-[0-9a-f]{8}){4}$/;
/** A listing of 10,000 instances takes 4 MB. */
const MAX_JSON = 512 * 1024 * 1024;

/** Orthanc 1.12.7 records it for instances of 2 GiB and more: there, the length alone tells. */
const MD5_OF_NOTHING = 'd41d8cd98f00b204e9800998ecf8427e';

export function createOrthanc(options: OrthancOptions): OrthancClient {
  const { get, remove, json, close } = connection(options);
  return {
    close,
    system: async (signal) => systemInfo(object(await json('/system', signal))),
    changes: async (since, limit, signal) => {
      const page = object(await json(`/changes?since=${since}&limit=${limit}`, signal));
      return {
        changes: array(page['Changes']).map((change) => changeOf(object(change))),
        last: integer(page['Last']),
        done: page['Done'] === true,
      };
    },
    lastChange: async (signal) => integer(object(await json('/changes?last', signal))['Last']),
    parentOf: async (instance, signal) =>
      text(object(await json(`/instances/${id(instance)}`, signal))['ParentSeries']),
    series: async (series, signal) => seriesOf(object(await json(`/series/${id(series)}`, signal))),
    seriesPage: async (since, limit, signal) =>
      array(await json(`/series?expand&since=${since}&limit=${limit}`, signal)).map((one) =>
        seriesOf(object(one)),
      ),
    instance: async (instance, signal) =>
      instanceOf(object(await json(`/instances/${id(instance)}`, signal))),
    remove: async (instance, signal) => remove(`/instances/${id(instance)}`, signal),
    instances: async (series, signal) =>
      array(await json(`/series/${id(series)}/instances`, signal)).map((one) => instanceOf(object(one))),
    seriesTags: async (series, signal) => {
      const own = object(await json(`/series/${id(series)}`, signal));
      const study = object(await json(`/series/${id(series)}/study`, signal));
      return {
        ...attributes(study['PatientMainDicomTags']),
        ...attributes(study['MainDicomTags']),
        ...attributes(own['MainDicomTags']),
      };
    },
    origin: async (instance, signal) =>
      originOf(object(await json(`/instances/${id(instance)}/metadata?expand`, signal))),
    open: async (instance, signal) => {
      const response = await get(`/instances/${id(instance)}/attachments/dicom/data`, signal);
      const bytes = Number(response.headers['content-length'] ?? Number.NaN);
      if (!Number.isSafeInteger(bytes)) {
        response.destroy();
        throw new Fault(unclear('an instance came without its length'));
      }
      // the ETag is "<revision>-<MD5 of the uncompressed file>", from the database and not from the bytes
      const md5 = /^"\d+-([0-9a-f]{32})"$/.exec(response.headers.etag ?? '')?.[1];
      return { bytes, md5: md5 === MD5_OF_NOTHING ? undefined : md5, chunks: chunksOf(response, bytes) };
    },
  };
}

/** Orthanc keeps a connection for one second; Node's usual margin of one second would leave nothing of it. */
const KEEP_ALIVE = { keepAlive: true, maxSockets: 16, agentKeepAliveTimeoutBuffer: 200 };

interface Connection {
  readonly get: (path: string, signal: AbortSignal) => Promise<IncomingMessage>;
  readonly remove: (path: string, signal: AbortSignal) => Promise<void>;
  readonly json: (path: string, signal: AbortSignal) => Promise<unknown>;
  readonly close: () => void;
}

function connection({ url, username, password, idleMs = 120_000 }: OrthancOptions): Connection {
  const base = new URL(url.endsWith('/') ? url : `${url}/`);
  const secure = base.protocol === 'https:';
  const agent = secure ? new HttpsAgent(KEEP_ALIVE) : new Agent(KEEP_ALIVE);
  const headers = headersOf(username, password);
  const attempt = async (
    path: string,
    signal: AbortSignal,
    method: 'GET' | 'DELETE',
  ): Promise<IncomingMessage | 'again'> => {
    const send = secure ? httpsRequest : httpRequest;
    const request = send(new URL(path.slice(1), base), { agent, headers, signal, method, timeout: idleMs });
    // once the response is here, what happens to the connection shows while its body is read
    request.on('error', () => undefined);
    let response: IncomingMessage | undefined;
    request.on('timeout', () => (response ?? request).destroy(new Fault(stalled(idleMs))));
    request.end();
    try {
      [response] = (await once(request, 'response')) as [IncomingMessage];
      return response;
    } catch (error) {
      // Orthanc closes an idle connection after a second, now and then under our request
      if (request.reusedSocket && (errnoOf(error) === 'ECONNRESET' || errnoOf(error) === 'EPIPE'))
        return 'again';
      throw signal.aborted ? error : connectionFault(error);
    }
  };
  const ask = async (
    path: string,
    signal: AbortSignal,
    method: 'GET' | 'DELETE' = 'GET',
  ): Promise<IncomingMessage> => {
    for (let tries = 0; tries < 5; tries++) {
      const response = await attempt(path, signal, method);
      if (response === 'again') continue;
      if (response.statusCode === 200) return response;
      response.resume();
      throw statusFault(response.statusCode ?? 0, path);
    }
    throw new Fault(unreachable('it closed each connection under the request'));
  };
  const json = async (path: string, signal: AbortSignal): Promise<unknown> =>
    parsed(path, await collect(await ask(path, signal), signal));
  const remove = async (path: string, signal: AbortSignal): Promise<void> => {
    await collect(await ask(path, signal, 'DELETE'), signal);
  };
  return { get: ask, remove, json, close: () => agent.destroy() };
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

async function* chunksOf(response: IncomingMessage, promised: number): AsyncGenerator<Uint8Array> {
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

const unreachable = (detail: string) =>
  ({
    kind: 'transient',
    code: 'ORTHANC_UNREACHABLE',
    message: `Orthanc does not answer (${detail}). Check that it runs and orthanc.url; it is asked again.`,
  }) as const;
const unclear = (detail: string) =>
  ({
    kind: 'transient',
    code: 'ORTHANC_UNCLEAR',
    message: `Orthanc's answer is not understood: ${detail}. Check that orthanc.url names an Orthanc.`,
  }) as const;
const stalled = (ms: number) =>
  ({
    kind: 'transient',
    code: 'ORTHANC_STALLED',
    message: `Orthanc sent nothing for ${ms / 1000} s. Check its load and its disks; it is asked again.`,
  }) as const;

function connectionFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  return new Fault(
    unreachable(errnoOf(error) ?? (error instanceof Error ? error.message : String(error))),
    error,
  );
}

function statusFault(status: number, path: string): Fault {
  if (status === 404)
    return new Fault({ kind: 'permanent', code: 'ORTHANC_GONE', message: `Orthanc no longer has ${path}.` });
  if (status === 401 || status === 403)
    return new Fault({
      kind: 'transient',
      code: 'ORTHANC_DENIED',
      message: `Orthanc refuses the streamer's user (${status}). Correct orthanc.username and orthanc.passwordFile.`,
    });
  return new Fault({
    kind: 'transient',
    code: 'ORTHANC_ERROR',
    message: `Orthanc answered ${status} to ${path}. Look into its log; it is asked again.`,
  });
}

function systemInfo(system: Record<string, unknown>): SystemInfo {
  const database = system['DatabaseServerIdentifier'];
  const limits = ['MaximumStorageSize', 'MaximumPatientCount'].filter((key) => Number(system[key] ?? 0) > 0);
  const recycles = limits.length > 0 && system['MaximumStorageMode'] !== 'Reject';
  return {
    version: text(system['Version']),
    database: typeof database === 'string' ? database : undefined,
    recycling: recycles ? limits.map((key) => `${key} ${String(system[key])}`).join(', ') : undefined,
  };
}

const changeOf = (change: Record<string, unknown>): Change => ({
  seq: integer(change['Seq']),
  type: text(change['ChangeType']),
  id: text(change['ID']),
});

const seriesOf = (series: Record<string, unknown>): SeriesListing => ({
  id: text(series['ID']),
  uid: attributes(series['MainDicomTags'])['SeriesInstanceUID'] ?? '',
  instances: array(series['Instances']).map(text),
});

const instanceOf = (instance: Record<string, unknown>): InstanceListing => ({
  id: text(instance['ID']),
  fileUuid: text(instance['FileUuid']),
  bytes: integer(instance['FileSize']),
  tags: attributes(instance['MainDicomTags']),
});

const attributes = (value: unknown): Attributes =>
  Object.fromEntries(
    Object.entries(value === undefined ? {} : object(value)).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  );

/** An id goes into a path, so it must look like one. */
function id(value: string): string {
  if (!ORTHANC_ID.test(value)) throw new Fault(unclear('an id of a strange form'));
  return value;
}

function object(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Fault(unclear('an object was expected'));
  return value as Record<string, unknown>;
}

function array(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new Fault(unclear('a list was expected'));
  return value;
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new Fault(unclear('a text was expected'));
  return value;
}

function integer(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw new Fault(unclear('a whole number was expected'));
  return value as number;
}

/** Orthanc notes the time in UTC, `20261122T100203`. */
function originOf(metadata: Record<string, unknown>): Origin {
  const { ReceptionDate: received, RemoteAET: from } = metadata;
  const digits = typeof received === 'string' ? /^(\d{8}T\d{6})$/.exec(received)?.[1] : undefined;
  const time = digits?.replace(/^(....)(..)(..T..)(..)(..)$/, '$1-$2-$3:$4:$5Z');
  return {
    ...(time === undefined ? {} : { received: time }),
    ...(typeof from === 'string' && from !== '' ? { from } : {}),
  };
}
