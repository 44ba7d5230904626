/** The health check of the containers, as a process. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort, run } from '@scanflow/testkit';

const PROBE = fileURLToPath(new URL('../../packages/runtime/src/probe.ts', import.meta.url));
const probe = (...args: string[]) => run(process.execPath, [PROBE, ...args], { timeoutMs: 20_000 });

async function serve(context: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return `http://127.0.0.1:${address.port}/healthz`;
}

test('probe: healthy is 0, and it prints what it was told', async (t) => {
  const url = await serve(t, (_request, response) => response.end('{"status":"ok"}'));
  assert.deepEqual(await probe(url), { code: 0, stdout: '200 {"status":"ok"}\n', stderr: '' });
});

test('probe: failing is 1, with the reason', async (t) => {
  const url = await serve(t, (_request, response) =>
    response.writeHead(503).end('{"status":"failing","reason":"Orthanc is down"}'),
  );
  const { code, stdout } = await probe(url);
  assert.equal(code, 1);
  assert.match(stdout, /^503 .*Orthanc is down/);
});

test('probe: nobody there is 1', async () => {
  const { code, stdout } = await probe(`http://127.0.0.1:${await freePort()}/healthz`);
  assert.equal(code, 1);
  assert.match(stdout, /ECONNREFUSED/);
});

test('probe: no answer within 3 s is 1', async (t) => {
  const url = await serve(t, () => undefined);
  const began = performance.now();
  assert.equal((await probe(url)).code, 1);
  const ms = performance.now() - began;
  assert.ok(ms >= 2_900 && ms < 15_000, `${ms} ms`);
});

test('probe: without an address is 1, with the usage', async () => {
  const { code, stdout } = await probe();
  assert.equal(code, 1);
  assert.match(stdout, /Usage/);
});
