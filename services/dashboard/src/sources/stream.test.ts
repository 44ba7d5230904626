import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { until } from '@scanflow/testkit';
import { streamAt, type Heard } from './watch.ts';

async function rig(
  t: TestContext,
  answer: (response: ServerResponse, token: string | undefined) => void,
  silenceMs = 20_000,
) {
  const server = createServer((request, response) => answer(response, request.headers.authorization));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const ending = new AbortController();
  const heard: Heard[] = [];
  const { port } = server.address() as AddressInfo;
  const following = streamAt({
    url: `http://127.0.0.1:${port}`,
    headers: () => Promise.resolve({ authorization: 'Bearer word' }),
    silenceMs,
    leastMs: 5,
    mostMs: 20,
  })((what) => heard.push(what), ending.signal);
  t.after(async () => {
    ending.abort();
    await following;
    server.closeAllConnections();
    server.close();
  });
  return heard;
}

const waits = { timeoutMs: 10_000, everyMs: 5 };

test('stream: events are heard, cut in any place; a stream that breaks is begun anew', async (t) => {
  let tokens = 0;
  const heard = await rig(t, (response, token) => {
    if (token === 'Bearer word') tokens += 1;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('event: be');
    setImmediate(() =>
      response.end('gin\ndata: {"instance":"x","sequence":0}\n\n: \n\nevent: change\ndata: {}\n\n'),
    );
  });
  await until(() => heard.length >= 6, { what: 'twice', ...waits });
  assert.deepEqual(heard.slice(0, 6), ['begun', 'changed', 'lost', 'begun', 'changed', 'lost']);
  assert.ok(tokens >= 2, 'the token is read at each connection');
});

test('stream: one that is silent for too long is dead', async (t) => {
  const begin = (response: ServerResponse): void => {
    response.writeHead(200);
    response.write('event: begin\ndata: {}\n\n');
  };
  const heard = await rig(t, begin, 300);
  // a busy machine may be late for the first one
  const since = (): Heard[] => heard.slice(heard.indexOf('begun'));
  await until(() => heard.includes('begun') && since().length >= 3, {
    what: 'lost, and begun anew',
    ...waits,
  });
  assert.deepEqual(since().slice(0, 2), ['begun', 'lost']);
});

test('stream: a service of before has none; one that refuses, or sends anything without an end, is lost', async (t) => {
  const missing = await rig(t, (response) => response.writeHead(404).end('{}'));
  await until(() => missing.length >= 2, { what: 'it is looked for again', ...waits });
  assert.equal(missing[0], 'missing');
  const refused = await rig(t, (response) => response.writeHead(401).end('{}'));
  await until(() => refused[0] === 'lost', { what: 'refused', ...waits });
  const endless = await rig(t, (response) => {
    response.writeHead(200);
    response.write('x'.repeat(100_000));
  });
  await until(() => endless[0] === 'lost', { what: 'no stream of events', ...waits });
});
