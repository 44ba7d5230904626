/**
 * What goes wrong with calendars, each against a real little server or disk:
 * unreachable, 401, 404, 500, redirects, HTML, truncated, empty, slow as one byte a second: here; TLS and proxies:
 * cal2wl-fetch-tls; 50 MB, recurrence without end, clock skew, folders: cal2wl-fetch-places; CalDAV: cal2wl-caldav;
 * edited while the scan runs: cal2wl-reconcile-running; gone over a restart: cal2wl-publish.
 */
import assert from 'node:assert/strict';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { makeCalendar } from '@scanflow/testkit';
import {
  giving,
  soon,
  startCal2wl,
  startCalendarServer,
  temporaryFolder,
  type Answer,
  type Cal2wl,
  type CalendarServer,
} from './cal2wl-support.ts';

const good = makeCalendar([soon('001', 2), soon('002', 4)]);
const SECRET = 'sesame-open';
const TOKEN = 'token-in-path';

const BOMB = brotliCompressSync(gzipSync('X'.repeat(50_000_000)));

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: CalendarServer;
let other: CalendarServer;
let cal2wl: Cal2wl;
let passwordFile: string;

before(async () => {
  folder = await temporaryFolder();
  server = await startCalendarServer(giving(good, '"one"'));
  other = await startCalendarServer(giving(good));
  passwordFile = join(folder.path, 'password');
  await writeFile(passwordFile, `${SECRET}\n`);
  const url = `http://127.0.0.1:${server.port}/${TOKEN}/prisma.ics`;
  cal2wl = await startCal2wl(
    join(folder.path, 'data'),
    `{ url: '${url}', scanner: prisma, username: lab, passwordFile: ${passwordFile}, timeout: 500ms, maxSize: 20000 }`,
  );
});

after(async () => {
  await cal2wl.program.stop();
  await Promise.all([server.close(), other.close()]);
  await folder.remove();
});

test('fetch: the first answer is published, with basic authentication', async () => {
  const view = await cal2wl.pass();
  assert.equal(view.state, 'good');
  assert.equal((await cal2wl.items()).length, 2);
  assert.equal(
    server.requests[0]?.headers.authorization,
    `Basic ${Buffer.from(`lab:${SECRET}`).toString('base64')}`,
  );
});

test('fetch: a calendar that did not change answers 304 and stays good', async () => {
  const view = await cal2wl.pass();
  assert.equal(view.state, 'good');
  assert.equal(server.requests.at(-1)?.headers['if-none-match'], '"one"');
});

const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (_request, response) => {
    response.writeHead(code, headers).end(good);
  };

const cases: [string, string, Answer][] = [
  ['403', 'FETCH_AUTH', status(403)],
  ['404', 'FETCH_NOT_FOUND', status(404)],
  ['500', 'FETCH_SERVER', status(500)],
  ['204', 'FETCH_STATUS', status(204)],
  ['418', 'FETCH_STATUS', status(418)],
  ['a page of HTML', 'FEED_HTML', giving('<!doctype html><html><body>Please log in</body></html>')],
  ['an empty body', 'FEED_EMPTY', giving('')],
  ['a truncated calendar', 'FEED_TRUNCATED', giving(good.slice(0, -40))],
  ['garbage', 'FEED_NOT_ICALENDAR', giving('\u0000\u0001\u0002 hello')],
  [
    'a body that breaks off',
    'FETCH_CUT',
    (_request, response) => {
      response.writeHead(200, { 'content-length': String(good.length) });
      response.write(good.slice(0, 100), () => response.destroy());
    },
  ],
  [
    'a connection that is reset while the body comes',
    'FETCH_CUT',
    (request, response) => {
      response.writeHead(200);
      response.write(good.slice(0, 100), () => request.socket.resetAndDestroy());
    },
  ],
  [
    'a body longer than its Content-Length',
    'FEED_TRUNCATED',
    (request) => {
      request.socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${good.length - 60}\r\n\r\n${good}`);
    },
  ],
  [
    'a Content-Length that is no number',
    'FETCH_NOT_HTTP',
    (request) => {
      request.socket.end(`HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n${good}`);
    },
  ],
  [
    'something that is not HTTP',
    'FETCH_NOT_HTTP',
    (request) => request.socket.end('SSH-2.0-OpenSSH_9.2\r\n'),
  ],
  ['a server that says nothing', 'FETCH_TIMEOUT', () => undefined],
  [
    'a body of one byte a second',
    'FETCH_TIMEOUT',
    (_request, response) => {
      response.writeHead(200, { 'content-length': String(good.length) });
      let at = 0;
      const drip = setInterval(() => response.write(good.charAt(at++)), 1000);
      response.on('close', () => clearInterval(drip));
    },
  ],
  [
    'a body that never ends',
    'FETCH_TIMEOUT',
    (_request, response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write('X'), 20);
      response.on('close', () => clearInterval(drip));
    },
  ],
  ['a body that is too large', 'FETCH_TOO_LARGE', giving('X'.repeat(20_001))],
  ['a body that says it is too large', 'FETCH_TOO_LARGE', status(200, { 'content-length': '60000000' })],
  [
    'a small body that unpacks to a large one',
    'FETCH_TOO_LARGE',
    (_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('X'.repeat(5_000_000)));
    },
  ],
  [
    'a bomb within a bomb',
    'FETCH_TOO_LARGE',
    (_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip, br' }).end(BOMB);
    },
  ],
  [
    'a packed body that is cut',
    'FETCH_CUT',
    (_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(good).subarray(0, -30));
    },
  ],
  [
    'a packing nobody knows',
    'FETCH_ENCODING',
    (_request, response) => {
      response.writeHead(200, { 'content-encoding': 'exi' }).end(Buffer.from([0x80, 0x45, 0x58, 0x49]));
    },
  ],
  ['redirects in a circle', 'FETCH_REDIRECTS', status(302, { location: '/round' })],
  [
    'a redirect to the metadata service of a cloud',
    'FETCH_INWARD',
    status(302, { location: 'http://169.254.169.254/latest/meta-data/iam' }),
  ],
  ['a redirect to a private network', 'FETCH_INWARD', status(307, { location: 'http://[::ffff:10.0.0.1]/' })],
  ['a redirect to a file', 'FETCH_REDIRECTS', status(302, { location: 'file:///etc/passwd' })],
  ['a server that hangs up', 'FETCH_CUT', (request) => request.socket.destroy()],
];

for (const [name, code, answer] of cases)
  test(`fetch: ${name} leaves the worklist as it was`, async () => {
    const items = await cal2wl.items();
    server.answer = answer;
    await cal2wl.pass();
    const view = await cal2wl.pass();
    assert.equal(view.failure?.code, code);
    assert.equal(view.state, 'stale');
    assert.equal(view.bookings, 2);
    assert.ok(view.lastGood);
    assert.deepEqual(await cal2wl.items(), items);
    const health = await cal2wl.get('/healthz');
    assert.equal(health.status, 200);
    assert.equal(health.body['degraded'], true);
    server.answer = giving(good, '"one"');
    assert.equal((await cal2wl.pass()).state, 'good');
  });

const packings: [string, (text: string) => Buffer][] = [
  ['gzip', gzipSync],
  ['x-gzip', gzipSync],
  ['deflate', deflateSync],
  ['deflate', deflateRawSync],
  ['br', brotliCompressSync],
  ['gzip, br', (text) => brotliCompressSync(gzipSync(text))],
];

for (const [index, [encoding, pack]] of packings.entries())
  test(`fetch: a calendar packed as ${encoding} is read (${index})`, async () => {
    const entries = Array.from({ length: 3 + index }, (_, at) => soon(`00${at + 1}`, 2 * at + 2));
    server.answer = (_request, response) => {
      response.writeHead(200, { 'content-encoding': encoding }).end(pack(makeCalendar(entries)));
    };
    assert.equal((await cal2wl.pass()).bookings, 3 + index);
  });

test('fetch: a refused password is not tried again before its file changes', async () => {
  server.answer = giving(good);
  await cal2wl.pass();
  await cal2wl.pass();
  server.answer = status(401);
  const from = server.requests.length;
  await cal2wl.pass();
  await cal2wl.pass();
  const view = await cal2wl.pass();
  assert.equal(view.failure?.code, 'FETCH_AUTH');
  assert.equal(view.state, 'stale');
  assert.equal(server.requests.length, from + 1);
  server.answer = giving(good);
  await writeFile(passwordFile, `${SECRET}-new\n`);
  await cal2wl.pass();
  assert.equal((await cal2wl.pass()).state, 'good');
  assert.equal(
    server.requests.at(-1)?.headers.authorization,
    `Basic ${Buffer.from(`lab:${SECRET}-new`).toString('base64')}`,
  );
});

test('fetch: a missing password file says so, and nothing is asked without it', async () => {
  await rename(passwordFile, `${passwordFile}.aside`);
  await cal2wl.pass();
  const from = server.requests.length;
  assert.equal((await cal2wl.pass()).failure?.code, 'FETCH_SECRET');
  assert.equal(server.requests.length, from);
  await rename(`${passwordFile}.aside`, passwordFile);
  await cal2wl.pass();
  assert.equal((await cal2wl.pass()).state, 'good');
});

test('fetch: a redirect to another origin is followed without the password', async () => {
  server.answer = status(307, { location: `http://127.0.0.1:${other.port}/elsewhere.ics` });
  const view = await cal2wl.pass();
  assert.equal(view.state, 'good');
  assert.ok(other.requests.length > 0);
  assert.equal(other.requests[0]?.headers.authorization, undefined);
  server.answer = status(302, { location: '/here.ics' });
  server.answer = (request, response) => {
    if (request.url === '/here.ics') giving(good)(request, response);
    else response.writeHead(302, { location: '/here.ics' }).end();
  };
  await cal2wl.pass();
  const here = server.requests.filter(({ url }) => url === '/here.ics');
  assert.match(here[0]?.headers.authorization ?? '', /^Basic /);
});

test('fetch: Retry-After is obeyed', async () => {
  server.answer = status(503, { 'retry-after': '3600' });
  assert.equal((await cal2wl.pass()).failure?.code, 'FETCH_SERVER');
  const asked = server.requests.length;
  server.answer = giving(good);
  await cal2wl.pass();
  assert.equal((await cal2wl.pass()).state, 'stale');
  assert.equal(server.requests.length, asked);
});

test('fetch: neither password, path, title nor label stands in the log or the API', async () => {
  const api = JSON.stringify((await cal2wl.get('/api/calendars')).body);
  for (const text of [cal2wl.program.output(), api]) {
    assert.ok(text.includes('127.0.0.1') || text.length < 100_000);
    for (const secret of [SECRET, TOKEN, '3010000.01', 'sub-00']) assert.ok(!text.includes(secret), secret);
  }
});
