/** Orthanc as the receiver needs it: each request comes to an answer whatever its status, or to a reason for none. */
import { codeOf, messageOf } from '@scanflow/failure';
import { collected, orthancClient, type OrthancAccess, type Upload } from '@scanflow/orthanc';

export type { Upload } from '@scanflow/orthanc';

/** What a request came to: Orthanc's answer, or none. */
export type Answer =
  | { readonly answered: true; readonly status: number; readonly body: Buffer }
  /** `connected`: it took the connection, so it may have done what the request says. */
  | { readonly answered: false; readonly why: string; readonly connected: boolean };

export interface Orthanc {
  readonly ask: (method: 'GET' | 'POST' | 'PUT', path: string, upload?: Upload) => Promise<Answer>;
  /** A body as it comes; undefined if it is not there. Throws if the connection breaks. */
  readonly stream: (path: string) => Promise<AsyncIterable<Uint8Array> | undefined>;
  readonly close: () => void;
}

/** The streamer needs some of Orthanc's threads, too. */
const CONNECTIONS = 12;
const SILENT_MS = 60_000;
const MOST_BYTES = 1024 * 1024;
const NOTHING: Upload = { bytes: 0, content: () => [] };

export function orthancAt(access: OrthancAccess): Orthanc {
  const { exchange, url, close } = orthancClient({ idleMs: SILENT_MS, ...access, connections: CONNECTIONS });
  return {
    ask: async (method, path, body = NOTHING) => {
      const given = await exchange(path, method === 'GET' ? {} : { method, body });
      if (!given.answered) return { answered: false, why: reason(given.error), connected: given.connected };
      const { response, sent } = given;
      try {
        const answer = await collected(response, { url, most: MOST_BYTES });
        await sent;
        return { answered: true, status: response.statusCode ?? 0, body: answer };
      } catch (error) {
        response.destroy();
        return { answered: false, why: reason(error), connected: true };
      }
    },
    stream: async (path) => {
      const given = await exchange(path);
      if (!given.answered) throw given.error;
      if (given.response.statusCode === 200) return given.response as AsyncIterable<Uint8Array>;
      given.response.resume();
      return undefined;
    },
    close,
  };
}

const reason = (error: unknown): string => codeOf(error) ?? messageOf(error);
