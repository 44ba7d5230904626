import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { after, test } from 'node:test';
import { Registry } from 'prom-client';
import type { Fault, Health } from './health.ts';
import { startHttp, type RunningHttp } from './http.ts';
import { createLog } from './log.ts';

const silent = createLog({
  service: 'test',
  stream: new Writable({ write: (_chunk, _encoding, done) => done() }),
});
const serve = ({ health }: { health: () => Health }): Promise<RunningHttp> =>
  startHttp({
    bind: '127.0.0.1',
    port: 0,
    // a probe has no token, and calls the service by an address
    access: { names: new Set(), admits: () => Promise.resolve(false) },
    health,
    registry: new Registry(),
    log: silent,
  });

let healthy = true;
let faults: readonly Fault[] = [];
const http = await serve({ health: () => ({ ok: healthy, detail: {}, faults }) });
after(() => http.close());
const get = async (path: string): Promise<{ status: number; text: string }> => {
  const answer = await fetch(`http://127.0.0.1:${http.port}${path}`);
  return { status: answer.status, text: await answer.text() };
};

test('livez, readyz: the process turns whatever is wrong; ready as long as nothing is failing', async () => {
  const status = async (): Promise<number[]> =>
    Promise.all(['/livez', '/readyz', '/healthz'].map(async (path) => (await get(path)).status));
  assert.deepEqual(await status(), [200, 200, 200]);
  assert.deepEqual(await get('/livez'), { status: 200, text: '{"version":"0.2.0","status":"ok"}' });
  healthy = false;
  assert.deepEqual(await status(), [200, 503, 503]);
  healthy = true;
  const since = '2026-11-30T08:00:00Z';
  faults = [{ state: 'degraded', code: 'FETCH_TIMEOUT', message: 'skyra was last read 2 h ago.', since }];
  assert.deepEqual(await status(), [200, 200, 200]);
  assert.deepEqual((JSON.parse((await get('/healthz')).text) as { faults: unknown }).faults, faults);
  faults = [...faults, { state: 'failing', code: 'STORE_DENIED', message: 'No permission.' }];
  assert.deepEqual(await status(), [200, 503, 503]);
  const metrics = (await get('/metrics')).text;
  assert.match(metrics, /^scanflow_healthy 0$/m);
  assert.match(metrics, /^scanflow_ready 0$/m);
  assert.match(metrics, /^scanflow_faults\{code="STORE_DENIED",state="failing"\} 1$/m);
  assert.match(metrics, /^scanflow_faults\{code="FETCH_TIMEOUT",state="degraded"\} 1$/m);
  faults = [];
  assert.doesNotMatch((await get('/metrics')).text, /^scanflow_faults\{/m);
});

test('readyz: a service says itself whether it can work, whatever else is wrong', async () => {
  const away = await serve({
    health: () => ({ ok: false, ready: true, detail: { reason: 'the folder cannot be read' } }),
  });
  const [ready, health] = await Promise.all(
    ['/readyz', '/healthz'].map((path) => fetch(`http://127.0.0.1:${away.port}${path}`)),
  );
  await away.close();
  assert.deepEqual([ready?.status, health?.status], [200, 503]);
});
