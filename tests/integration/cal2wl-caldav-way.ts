/** A way to a CalDAV server on which tests see requests, spoil answers, and come between. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { listen } from './cal2wl-fetch-support.ts';

/** The way to Radicale, on which requests are seen and answers can be spoilt. */
export interface Way {
  readonly server: Server;
  readonly seen: { method: string; body: string; url: string; headers: IncomingMessage['headers'] }[];
  spoil: ((body: string) => string) | undefined;
  /** Runs before a request to write goes on; a status ends it there. */
  writing: (() => Promise<number | undefined>) | undefined;
}

const given = (
  names: readonly string[],
  value: (name: string) => string | undefined,
): (readonly [string, string])[] =>
  names.flatMap((name) => {
    const found = value(name);
    return found === undefined ? [] : [[name, found] as const];
  });

const passed = (headers: IncomingMessage['headers']): Record<string, string> =>
  Object.fromEntries(
    given(['authorization', 'content-type', 'depth', 'if-match'], (name) => headers[name]?.toString()),
  );

export async function openWay(to: string): Promise<Way> {
  const seen: Way['seen'] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const { method = 'GET', url = '/', headers } = request;
      const body = Buffer.concat(chunks).toString();
      seen.push({ method, body, url, headers });
      const status = method === 'PUT' ? await open.writing?.() : undefined;
      if (status !== undefined) {
        response.writeHead(status).end();
        return;
      }
      const answer = await fetch(new URL(url, to), {
        method,
        headers: passed(headers),
        ...(body === '' ? {} : { body }),
      });
      const text = await answer.text();
      response
        .writeHead(
          answer.status,
          Object.fromEntries(
            given(['content-type', 'etag'], (name) => answer.headers.get(name) ?? undefined),
          ),
        )
        .end(open.spoil?.(text) ?? text);
    })().catch(() => response.destroy());
  });
  const open: Way = { server, seen, spoil: undefined, writing: undefined };
  await listen(server);
  return open;
}
