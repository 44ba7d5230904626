/** An outgoing request, and the head of its answer. */
import type { Readable } from 'node:stream';
import { request as send, type Dispatcher } from 'undici';
import { defined } from '@scanflow/booking/defined';
import type { HeaderOf } from './moment.ts';

export interface Message {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal: AbortSignal;
}

export interface Wire {
  readonly status: number;
  readonly header: HeaderOf;
  /** Each line of a header separately. */
  readonly all: (name: string) => readonly string[];
  readonly body: Readable;
}

export async function strict(
  url: URL,
  { method, headers, body, signal }: Message,
  dispatcher: Dispatcher,
): Promise<Wire> {
  const request = { method, headers, signal, dispatcher, ...defined({ body }) };
  const { statusCode: status, headers: told, body: stream } = await send(url, request);
  const all = (name: string): string[] => [told[name] ?? []].flat();
  return {
    status,
    header: (name) => (told[name] === undefined ? undefined : all(name).join(', ')),
    all,
    body: stream,
  };
}
