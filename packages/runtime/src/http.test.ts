import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { after, test } from 'node:test';
import { request } from 'node:http';
import { connect } from 'node:net';
import { once } from 'node:events';
import { Counter, Registry } from 'prom-client';
import { until } from '@scanflow/testkit';
import { FailureError } from '@scanflow/failure';
import { ownNames, startHttp, refusal, takes } from './http.ts';
import { createLog } from './log.ts';

const registry = new Registry();
const counter = new Counter({ name: 'scanflow_test_total', help: 'of the test', registers: [registry] });
let healthy = true;
const silent = createLog({
  service: 'test',
  stream: new Writable({ write: (_chunk, _encoding, done) => done() }),
});
const TOKEN = 'Bearer a-word-of-the-test';
const access = {
  names: ownNames('test', { bind: '127.0.0.1', hosts: [] }),
  admits: (given: string | undefined) => Promise.resolve(given === TOKEN),
};
const http = await startHttp({
  bind: '127.0.0.1',
  port: 0,
  access,
  health: () => ({ ok: healthy, detail: { reason: healthy ? 'fine' : 'Orthanc is down' } }),
  registry,
  log: silent,
  routes: (app) => {
    app.post('/api/posted', () => ({}));
    app.get('/api/listed', takes('state', 'limit'), () => ({ listed: [] }));
    app.get('/api/broken', () => {
      throw new Error('a secret of the inside');
    });
  },
});
after(() => http.close());
const get = async (path: string): Promise<{ status: number; text: string }> => {
  const answer = await fetch(`http://127.0.0.1:${http.port}${path}`, { headers: { authorization: TOKEN } });
  return { status: answer.status, text: await answer.text() };
};

test('healthz: 200 while healthy, 503 with the reason while not; which version it is', async () => {
  const version = '"version":"0.2.0"';
  assert.deepEqual(await get('/healthz'), {
    status: 200,
    text: `{"reason":"fine",${version},"status":"ok"}`,
  });
  healthy = false;
  assert.deepEqual(await get('/healthz'), {
    status: 503,
    text: `{"reason":"Orthanc is down",${version},"status":"failing"}`,
  });
  healthy = true;
});

test('pages: a parameter that a page does not take is a mistake, with those that it takes', async () => {
  assert.equal((await get('/api/listed?state=failed&limit=5')).status, 200);
  assert.deepEqual(await get('/api/listed?state=failed&accession=A1'), {
    status: 400,
    text: '{"error":"/api/listed takes no \\"accession\\": it takes state, limit"}',
  });
  assert.match((await get('/api/broken?x=1')).text, /it takes no filter/);
  assert.equal((await get('/metrics?collect=all')).status, 200, 'programs of others may ask these pages');
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

test('healthz: a health check that throws is bad health', async () => {
  const broken = await startHttp({
    bind: '127.0.0.1',
    port: 0,
    access,
    health: () => {
      throw new Error('a secret of the inside');
    },
    registry: new Registry(),
    log: silent,
  });
  const answer = await fetch(`http://127.0.0.1:${broken.port}/healthz`);
  await broken.close();
  assert.equal(answer.status, 503);
  assert.doesNotMatch(await answer.text(), /secret/);
});

test('http: an address that cannot be read, a method and a body that are not taken are refused as JSON', async () => {
  assert.equal((await get('/%zz')).status, 400);
  assert.equal((await get('/healthz?%zz')).status, 200);
  const posted = await fetch(`http://127.0.0.1:${http.port}/healthz`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: TOKEN },
    body: JSON.stringify('x'.repeat(70_000)),
  });
  assert.ok(posted.status === 404 || posted.status === 413, `${posted.status}`);
  assert.equal(typeof (JSON.parse(await posted.text()) as { error?: unknown }).error, 'string');
});

test('http: nothing between may keep an answer', async () => {
  const answer = await fetch(`http://127.0.0.1:${http.port}/metrics`);
  assert.equal(answer.headers.get('cache-control'), 'no-store');
  assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
});

test('http: a port that is taken says so, and what to do', async () => {
  await assert.rejects(
    startHttp({
      bind: '127.0.0.1',
      port: http.port,
      access,
      health: () => ({ ok: true, detail: {} }),
      registry: new Registry(),
      log: silent,
    }),
    (error: unknown) => {
      assert.ok(error instanceof FailureError);
      assert.equal(error.code, 'HTTP_LISTEN');
      assert.match(error.message, /another program listens there/);
      return true;
    },
  );
});

test('http: closing does not wait for who is connected or still being answered', async () => {
  const asked = Promise.withResolvers<undefined>();
  const slow = await startHttp({
    bind: '127.0.0.1',
    port: 0,
    access,
    health: () => ({ ok: true, detail: {} }),
    registry: new Registry(),
    log: silent,
    routes: (app) => {
      app.get('/slow', async () => {
        asked.resolve(undefined);
        await new Promise(() => undefined);
      });
    },
  });
  const idle = connect(slow.port, '127.0.0.1');
  await once(idle, 'connect');
  const cut = assert.rejects(
    fetch(`http://127.0.0.1:${slow.port}/slow`, { headers: { authorization: TOKEN } }),
  );
  await asked.promise;
  const began = performance.now();
  await slow.close();
  assert.ok(performance.now() - began < 2_000);
  await cut;
  idle.destroy();
});

/** What fetch cannot send: a Host of one's choice. */
const askAs = (path: string, headers: Record<string, string>): Promise<{ status: number; text: string }> =>
  new Promise((done, fail) => {
    const asked = request({ host: '127.0.0.1', port: http.port, path, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => {
        done({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
      });
    });
    asked.on('error', fail).end();
  });

test('http: health and metrics are open, by any name and without the token', async () => {
  for (const path of ['/livez', '/readyz', '/healthz', '/metrics'])
    assert.equal((await askAs(path, { host: 'rebind.attacker.example' })).status, 200, path);
});

test('http: all else takes a name of the service and the token, also a page that is not there', async () => {
  for (const path of ['/api/broken', '/nothing', '/healthz/x', '//healthz', '/healthz%2f..%2fapi']) {
    assert.equal(
      (await askAs(path, { host: 'rebind.attacker.example', authorization: TOKEN })).status,
      403,
      path,
    );
    assert.equal((await askAs(path, { host: 'localhost' })).status, 401, path);
    assert.equal((await askAs(path, { host: 'localhost', authorization: 'Bearer other' })).status, 401, path);
  }
  const refused = await askAs('/api/broken', { host: 'localhost' });
  assert.match(refused.text, /takes the internal token: use the scanflow command/);
});

test('http: headers and bodies have a size, and connections a number; who is there stays served', async () => {
  const authorization = TOKEN;
  const long = await askAs('/healthz', { host: 'localhost', cookie: 'x'.repeat(20_000) });
  assert.equal(long.status, 431);
  const big = await fetch(`http://127.0.0.1:${http.port}/api/posted`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization },
    body: JSON.stringify('x'.repeat(70_000)),
  });
  assert.equal(big.status, 413);
  const bounded = await startHttp({
    bind: '127.0.0.1',
    port: 0,
    access,
    health: () => ({ ok: true, detail: {} }),
    registry: new Registry(),
    log: silent,
  });
  const idle = Array.from({ length: 300 }, () =>
    connect(bounded.port, '127.0.0.1').on('error', () => undefined),
  );
  await Promise.all(idle.map((socket) => once(socket, 'connect')));
  // those above the bound are ended at once
  for (const socket of idle.slice(256)) if (!socket.closed) await once(socket, 'close');
  idle[0]?.destroy();
  const served = async (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${bounded.port}/healthz`).then(
      (answer) => answer.ok,
      () => false,
    );
  await until(served, { what: 'one place is free again', timeoutMs: 5_000 });
  await bounded.close();
});

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };
const NAMES = ownNames('streamer', { bind: '0.0.0.0', hosts: ['Scanflow.Example.org'] });

interface Case {
  readonly method?: string;
  readonly admitted?: boolean;
  readonly localAddress?: string;
}

const statusOf = (
  headers: Record<string, string>,
  { method = 'POST', admitted = true, localAddress = '10.0.0.7' }: Case = {},
): number | undefined => refusal({ headers, method, localAddress }, NAMES, admitted)?.status;

test('guard: programs that know the token and a name of the service pass', () => {
  for (const host of [
    '127.0.0.1:9103',
    'localhost:9103',
    '[::1]:9103',
    'Streamer:80',
    'scanflow.example.org',
    '10.0.0.7',
  ])
    assert.equal(statusOf({ host, ...JSON_TYPE }), undefined, host);
  assert.equal(statusOf({ host: '10.0.0.7' }, { method: 'GET', localAddress: '::ffff:10.0.0.7' }), undefined);
});

test('guard: the address that it listens on is a name of it, one that stands for all addresses is not', () => {
  assert.ok(ownNames('cal2wl', { bind: '10.1.2.3', hosts: [] }).has('10.1.2.3'));
  assert.ok(!NAMES.has('0.0.0.0'));
});

test('guard: without the token nobody passes, reading or changing', () => {
  for (const method of ['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS'])
    assert.equal(statusOf({ host: 'localhost', ...JSON_TYPE }, { method, admitted: false }), 401, method);
});

test('guard: a name that is not of the service does not pass, whatever it brings', () => {
  const others = [
    'evil.example:9103',
    '',
    'a b',
    'x:y:1',
    '[evil.example]:1',
    '127.0.0.1.evil.example',
    '10.0.0.8',
    'other',
  ];
  for (const host of [...others, 'streamer@evil.example', 'localhost, evil.example', 'localhost:123456'])
    for (const method of ['GET', 'POST'])
      assert.equal(statusOf({ host, ...JSON_TYPE }, { method }), 403, host);
});

test('guard: web pages do not pass, of whatever origin', () => {
  const host = '127.0.0.1:9103';
  for (const method of ['GET', 'POST']) {
    assert.equal(statusOf({ host, ...JSON_TYPE, origin: 'https://evil.example' }, { method }), 403);
    assert.equal(statusOf({ host, ...JSON_TYPE, origin: 'null' }, { method }), 403);
    assert.equal(statusOf({ host, ...JSON_TYPE, origin: 'http://127.0.0.1:9103' }, { method }), 403);
    assert.equal(statusOf({ host, ...JSON_TYPE, 'sec-fetch-site': 'cross-site' }, { method }), 403);
  }
});

test('guard: what a form can send changes nothing', () => {
  const host = '127.0.0.1:9103';
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', ''])
    assert.equal(statusOf({ host, 'content-type': type }), 415, type);
});
