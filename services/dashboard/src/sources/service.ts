/** HTTP to one of the other services, with the internal token. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { z } from 'zod';
import { FailureError, messageOf } from '@scanflow/failure';
import { defined } from '@scanflow/failure/defined';

/** GET of a page as JSON. Throws a FailureError SERVICE_AWAY where the service does not answer, or answers something else. */
export type Ask = (path: string) => Promise<unknown>;

export interface Answered {
  readonly status: number;
  readonly body: unknown;
}

export interface Service {
  readonly ask: Ask;
  /** `ask` of each address that its name has: of several worklists or receivers, each knows only who called it. Throws if none answers. */
  readonly askEach: (path: string) => Promise<unknown[]>;
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

export const askedEach = async <T>(service: Service, path: string, schema: z.ZodType<T>): Promise<T[]> =>
  (await service.askEach(path)).map((answer) => schema.parse(answer));

const TIMEOUT_MS = 5_000;
const MOST_BYTES = 32 * 1024 * 1024;

type Headers = Readonly<Record<string, string>>;

/** `headers`: reads the internal token. It is read anew where a service refuses the one of before, so that a new one counts at once. */
export function serviceAt(
  url: string,
  headers: () => Promise<Headers>,
  addressesOf: (name: string) => Promise<readonly string[]> = resolved,
): Service {
  let known: Headers | undefined;
  const attempt = async (
    own: Headers,
    { at = url, path, body, timeoutMs = TIMEOUT_MS }: Request,
  ): Promise<Answered> => {
    const response = await fetch(`${at}${path}`, {
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
      headers: { ...own, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      signal: AbortSignal.timeout(timeoutMs),
      redirect: 'error',
    });
    return { status: response.status, body: JSON.parse(await bounded(response)) as unknown };
  };
  const send = async (request: Request): Promise<Answered> => {
    try {
      const before = known;
      const answer = await attempt((known ??= await headers()), request);
      // a refusal for want of a token comes before anything is done
      if (answer.status !== 401 || before === undefined) return answer;
      return await attempt((known = await headers()), request);
    } catch (error) {
      throw away(url, messageOf(error), error);
    }
  };
  const ask = async (path: string, at?: string): Promise<unknown> => {
    const { status, body } = await send({ path, ...defined({ at }) });
    if (status !== 200) throw away(url, `it answered ${status}`);
    return body;
  };
  return {
    ask: (path) => ask(path),
    askEach: async (path) => {
      const found = await Promise.allSettled((await originsOf(url, addressesOf)).map((at) => ask(path, at)));
      const answers = found.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      return answers.length > 0 ? answers : [await ask(path)];
    },
    look: (path) => send({ path }),
    post: (path, body, timeoutMs) => send({ path, body, ...defined({ timeoutMs }) }),
  };
}

interface Request {
  /** One address of the service instead of its name: `http://10.0.1.7:9106`. */
  readonly at?: string;
  readonly path: string;
  readonly body?: object;
  readonly timeoutMs?: number;
}

const resolved = async (name: string): Promise<string[]> =>
  (await lookup(name, { all: true })).map(({ address }) => address);

/** Where each instance of a service answers: its pages go by their own address, too. A name of one address stays a name. */
async function originsOf(
  url: string,
  addressesOf: (name: string) => Promise<readonly string[]>,
): Promise<string[]> {
  const { hostname, port, protocol } = new URL(url);
  const addresses = await addressesOf(hostname).catch(() => []);
  if (protocol !== 'http:' || addresses.length < 2) return [url];
  return addresses.map((one) => `http://${isIP(one) === 6 ? `[${one}]` : one}:${port === '' ? '80' : port}`);
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
