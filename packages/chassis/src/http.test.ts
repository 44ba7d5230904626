import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { after, test } from 'node:test';
import { Counter, Registry } from 'prom-client';
import { startHttp } from './http.ts';
import { createLog } from './log.ts';

const registry = new Registry();
const counter = new Counter({ name: 'scanflow_test_total', help: 'of the test', registers: [registry] });
let healthy = true;
const silent = createLog({
  service: 'test',
  stream: new Writable({ write: (_chunk, _encoding, done) => done() }),
});
const http = await startHttp({
  bind: '127.0.0.1',
  port: 0,
  health: () => ({ ok: healthy, detail: { reason: healthy ? 'fine' : 'Orthanc is down' } }),
  registry,
  log: silent,
  routes: (app) => {
    app.get('/api/broken', () => {
      throw new Error('a secret of the inside');
    });
  },
});
after(() => http.close());
const get = async (path: string): Promise<{ status: number; text: string }> => {
  const answer = await fetch(`http://127.0.0.1:${http.port}${path}`);
  return { status: answer.status, text: await answer.text() };
};

test('healthz: 200 while healthy, 503 with the reason while not', async () => {
  assert.deepEqual(await get('/healthz'), { status: 200, text: '{"status":"ok","reason":"fine"}' });
  healthy = false;
  assert.deepEqual(await get('/healthz'), {
    status: 503,
    text: '{"status":"failing","reason":"Orthanc is down"}',
  });
  healthy = true;
});

test('metrics: Prometheus text of the registry that was given', async () => {
  counter.inc(3);
  assert.match((await get('/metrics')).text, /^scanflow_test_total 3$/m);
});

test('http: an unknown page is 404 and a failing one 500, both without insides', async () => {
  assert.equal((await get('/nothing')).status, 404);
  const failing = await get('/api/broken');
  assert.equal(failing.status, 500);
  assert.doesNotMatch(failing.text, /secret|at .*\.ts/);
});

test('http: it listens on the given address only', async () => {
  await assert.rejects(fetch(`http://127.0.0.2:${http.port}/healthz`));
});
