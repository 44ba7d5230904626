/** HTTP to one of the other services, with the internal token. */
import type { z } from 'zod';
import { FailureError, messageOf } from '@scanflow/failure';

/** GET of a page as JSON. Throws a FailureError SERVICE_AWAY where the service does not answer, or answers something else. */
export type Ask = (path: string) => Promise<unknown>;

export interface Answered {
  readonly status: number;
  readonly body: unknown;
}

export interface Service {
  readonly ask: Ask;
  /** GET of a page, whatever its status. Throws as `ask` where nobody answers. */
  readonly look: (path: string) => Promise<Answered>;
  /** POST of a body as JSON; the service's own answer, also where it refuses. Throws as `ask` where it is away, or too slow. */
  readonly post: (path: string, body: object, timeoutMs?: number) => Promise<Answered>;
}

/** Those whose facts make a day. */
export interface Services {
  readonly cal2wl: Service;
  readonly worklist: Service;
  readonly streamer: Service;
}

/** A page of a service, as it should be. */
export const asked = async <T>(service: Service, path: string, schema: z.ZodType<T>): Promise<T> =>
  schema.parse(await service.ask(path));

const TIMEOUT_MS = 5_000;
const MOST_BYTES = 32 * 1024 * 1024;

type Headers = Readonly<Record<string, string>>;

/** `headers`: reads the internal token. It is read anew where a service refuses the one of before, so that a new one counts at once. */
export function serviceAt(url: string, headers: () => Promise<Headers>): Service {
  let known: Headers | undefined;
  const attempt = async (
    own: Headers,
    path: string,
    body?: object,
    timeoutMs = TIMEOUT_MS,
  ): Promise<Answered> => {
    const response = await fetch(`${url}${path}`, {
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
      headers: { ...own, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      signal: AbortSignal.timeout(timeoutMs),
      redirect: 'error',
    });
    return { status: response.status, body: JSON.parse(await bounded(response)) as unknown };
  };
  const send = async (...what: [path: string, body?: object, timeoutMs?: number]): Promise<Answered> => {
    try {
      const before = known;
      const answer = await attempt((known ??= await headers()), ...what);
      // a refusal for want of a token comes before anything is done
      if (answer.status !== 401 || before === undefined) return answer;
      return await attempt((known = await headers()), ...what);
    } catch (error) {
      throw away(url, messageOf(error), error);
    }
  };
  return {
    ask: async (path) => {
      const { status, body } = await send(path);
      if (status !== 200) throw away(url, `it answered ${status}`);
      return body;
    },
    look: (path) => send(path),
    post: send,
  };
}

const away = (url: string, why: string, cause?: unknown): FailureError =>
  new FailureError(
    { kind: 'transient', code: 'SERVICE_AWAY', message: `${url} does not answer (${why})` },
    cause,
  );

export const bytesOf = ({ body }: Response): AsyncIterable<Uint8Array> =>
  (body ?? []) as AsyncIterable<Uint8Array>;

async function bounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of bytesOf(response)) {
    bytes += chunk.byteLength;
    if (bytes > MOST_BYTES) throw new Error('the answer is larger than 32 MiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
