/** HTTP in tests: a server whose answers a test writes, and requests to a service as the `scanflow` command sends them. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import { headersOf, tokenFileOf } from '@scanflow/runtime';
import { listenOnLoopback } from './process.ts';

/** Starts a server on loopback, until the test ends; resolves with its address, such as `http://127.0.0.1:1234`. */
export async function httpServer(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const server = createServer(answer);
  const port = await listenOnLoopback(server);
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${port}`;
}

/** Fetches with the internal token of a service. `data`: its data folder; its configuration has no `http.tokenFile`. */
export async function apiFetch(data: string, url: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  // a service that has not started has made no token, and does not answer
  const token = await headersOf(tokenFileOf({ data, http: {} })).catch(() => undefined);
  if (token !== undefined) headers.set('authorization', token.authorization);
  return fetch(url, { ...init, headers });
}
