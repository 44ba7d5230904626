/** Real servers on addresses of two kinds: a calendar on a network of this machine leads to a service on loopback. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { isIPv6, type AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { test, type TestContext } from 'node:test';
import { httpSource } from '../place.ts';
import { kindOf } from './reach.ts';

const CALENDAR = 'BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n';
const LIMITS = { timeoutMs: 10_000, maxSize: 1_000_000 };

/** An address of this machine that others reach. */
const outward = Object.values(networkInterfaces())
  .flatMap((all = []) => all)
  .find(({ internal, address }) => !internal && kindOf(address) === 'private')?.address;
const skip = outward === undefined ? 'this machine has no address but loopback' : false;

async function listen(t: TestContext, host: string, server: Server): Promise<string> {
  server.listen(0, host);
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return `http://${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

async function scene(t: TestContext): Promise<{ inner: string; outer: string; asked: () => number }> {
  let asked = 0;
  const inside = createServer((_request, response) => {
    asked += 1;
    response.end(CALENDAR);
  });
  const inner = await listen(t, '127.0.0.1', inside);
  const host = outward ?? '127.0.0.1';
  const outside = createServer((request, response) => {
    const to = new URL(inner);
    if (request.url === '/by-name') to.hostname = 'localhost';
    response.writeHead(302, { location: `${to.href}latest/meta-data/iam?x=1` }).end();
  });
  return { inner, outer: await listen(t, host, outside), asked: () => asked };
}

const fetchOf = (options: { url: string; redirects?: string[] }) =>
  httpSource({ ...LIMITS, ...options }).fetch({}, new AbortController().signal);

test(
  'redirects: a calendar leads to no service of this machine, by address or by name',
  { skip },
  async (t) => {
    const { outer, asked } = await scene(t);
    for (const path of ['/by-address', '/by-name']) {
      const fetched = await fetchOf({ url: outer + path });
      assert.equal(fetched.kind === 'failed' && fetched.failure.code, 'FETCH_INWARD', path);
      assert.doesNotMatch(JSON.stringify(fetched), /meta-data|x=1/);
    }
    assert.equal(asked(), 0);
  },
);

test('redirects: but where it is listed, or the calendar lies there itself', { skip }, async (t) => {
  const { inner, outer, asked } = await scene(t);
  for (const [path, host] of [
    ['/by-address', '127.0.0.1'],
    ['/by-name', 'localhost'],
  ] as const)
    assert.equal((await fetchOf({ url: outer + path, redirects: [host] })).kind, 'body', path);
  assert.equal(asked(), 2);
  assert.equal((await fetchOf({ url: inner })).kind, 'body');
});
