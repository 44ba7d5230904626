import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { until } from '@scanflow/testkit';
import fastify, { type FastifyInstance } from 'fastify';
import { createLimiter } from '../access/passwords.ts';
import { openConsolesFile, openUsersFile } from '../access/open.ts';
import type { AccessStore } from '../access/store.ts';
import { createGatherer } from '../sources/gather.ts';
import type { Service } from '../sources/service.ts';
import { addPages } from './app.ts';

const START = Temporal.Instant.from('2026-11-28T08:00:00Z').epochMilliseconds;
const HOST = 'board.example.org';
/** What a proxy in front says. */
const TLS = { 'x-forwarded-proto': 'https' };
const FORM = 'application/x-www-form-urlencoded';

const away = (): Promise<never> => Promise.reject(new Error('away'));
const silent: Service = { ask: away, askEach: away, look: away, post: away };

interface Rig {
  readonly app: FastifyInstance;
  readonly store: AccessStore;
  readonly clock: { now: number };
  /** Those that follow events. */
  readonly followers: Set<() => void>;
}

async function rig(t: TestContext): Promise<Rig> {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-board-'));
  const store = openUsersFile(join(folder, 'users.sqlite'));
  const consoles = openConsolesFile(join(folder, 'consoles.sqlite'));
  const clock = { now: START };
  const followers = new Set<() => void>();
  const follow = (changed: () => void): (() => void) => {
    followers.add(changed);
    return () => followers.delete(changed);
  };
  const app = fastify({ trustProxy: ['127.0.0.1'] });
  const services = { cal2wl: silent, worklist: silent, streamer: silent };
  const now = (): number => clock.now;
  const gatherer = createGatherer({ services, timezone: 'UTC', scanners: [], now, onAway: () => undefined });
  addPages(app, {
    store,
    limiter: createLimiter(),
    hosts: new Set([HOST]),
    now,
    watch: { follow },
    consoles,
    consoleWatch: { follow },
    silentAfterMs: 900_000,
    scanners: [],
    gatherer,
    services,
    receiver: silent,
    plans: () => Promise.resolve({ state: 'none', code: '', message: '' }),
    facility: { name: 'Here', timezone: 'UTC', titleOf: () => undefined, hasDataset: () => false },
    targets: ['storage'],
    hooks: [],
    scannerOf: new Map(),
    ...{ destinations: [], ownMachine: () => Promise.reject(new Error('away')) },
    calendars: [],
    judge: () => undefined,
    onError: (route, error) => assert.fail(`${route}: ${String(error)}`),
  });
  t.after(async () => {
    await app.close();
    await store.close();
    await consoles.close();
    await rm(folder, { recursive: true });
  });
  await store.add({ name: 'anna', role: 'member', projects: [], addresses: [] }, START);
  return { app, store, clock, followers };
}

const get = (app: FastifyInstance, url: string, headers = {}) =>
  app.inject({ method: 'GET', url, headers: { host: HOST, ...TLS, ...headers } });
function post(
  app: FastifyInstance,
  url: string,
  form: Record<string, string>,
  headers: Record<string, string | undefined> = {},
) {
  const all: Record<string, string | undefined> = {
    host: HOST,
    ...TLS,
    'sec-fetch-site': 'same-origin',
    'content-type': FORM,
    ...headers,
  };
  const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const payload = new URLSearchParams(form).toString();
  return app.inject({ method: 'POST', url, headers: Object.fromEntries(given), payload });
}

/** By node:http, since fetch lets nobody set Host. */
async function eventsAt(url: string, headers: Record<string, string>): Promise<IncomingMessage> {
  const asked = request(`${url}/events`, { headers }).end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  return answer;
}

const PASSWORD = 'correct horse battery';

/** Follows an invitation; answers the cookie. */
async function invited({ app, store }: Rig): Promise<string> {
  const answer = await post(app, `/invite/${await store.invite('anna', START)}`, { password: PASSWORD });
  assert.deepEqual([answer.statusCode, answer.headers.location], [303, '/']);
  const cookie = String(answer.headers['set-cookie']);
  assert.match(cookie, /^__Host-scanflow=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure$/);
  return cookie.split(';')[0] ?? '';
}

test('web: who is not signed in sees no day, and comes back to it after signing in', async (t) => {
  const place = await rig(t);
  const { app } = place;
  const first = await get(app, '/day/2026-11-27');
  assert.deepEqual([first.statusCode, first.headers.location], [303, '/sign-in?next=%2Fday%2F2026-11-27']);
  await invited(place);
  const form = await get(app, '/sign-in?next=/day/2026-11-27');
  assert.match(form.body, /name="next" value="\/day\/2026-11-27"/);
  const answer = await post(app, '/sign-in', { name: 'anna', password: PASSWORD, next: '/day/2026-11-27' });
  assert.deepEqual([answer.statusCode, answer.headers.location], [303, '/day/2026-11-27']);
  const cookie = String(answer.headers['set-cookie']).split(';')[0] ?? '';
  assert.match((await get(app, '/day/2026-11-27', { cookie })).body, /<h1>Friday,? 27 November<\/h1>/);
});

test('web: signing in leads to no other web site', async (t) => {
  const place = await rig(t);
  await invited(place);
  for (const next of [
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    '/sign-in?next=/',
  ])
    assert.equal(
      (await post(place.app, '/sign-in', { name: 'anna', password: PASSWORD, next })).headers.location,
      '/',
      next,
    );
});

test('web: an invitation works once, and says what is wrong with a password', async (t) => {
  const { app, store } = await rig(t);
  const word = await store.invite('anna', START);
  const short = await post(app, `/invite/${word}`, { password: 'short' });
  assert.equal(short.statusCode, 422);
  assert.match(short.body, /has 5 characters/);
  assert.equal((await post(app, `/invite/${word}`, { password: PASSWORD })).statusCode, 303);
  assert.equal((await post(app, `/invite/${word}`, { password: PASSWORD })).statusCode, 410);
  assert.equal((await get(app, `/invite/${word}`)).statusCode, 410);
});

test('web: an unknown user and a wrong password look the same, and soon have to wait', async (t) => {
  const place = await rig(t);
  await invited(place);
  const { app, clock, store } = place;
  const bodies = await Promise.all(
    ['anna', 'nobody'].map(async (name) =>
      (await post(app, '/sign-in', { name, password: 'no' })).body.replaceAll(name, 'NAME'),
    ),
  );
  assert.equal(bodies[0], bodies[1]);
  let status = 0;
  for (let attempt = 0; attempt < 8 && status !== 429; attempt += 1)
    status = (await post(app, '/sign-in', { name: 'anna', password: 'no' })).statusCode;
  assert.equal(status, 429);
  assert.equal((await post(app, '/sign-in', { name: 'anna', password: PASSWORD })).statusCode, 429);
  clock.now += 3_600_000;
  assert.equal((await post(app, '/sign-in', { name: 'anna', password: PASSWORD })).statusCode, 303);
  assert.ok(
    (await store.audited(20)).some(({ subject, result }) => subject === 'nobody' && result === 'refused'),
  );
});

test('web: behind a proxy the browser’s address is slowed down, and what the browser itself says of it is not believed', async (t) => {
  const { app } = await rig(t);
  const guess = async (turn: number, from: string, remoteAddress = '127.0.0.1'): Promise<number> => {
    const { statusCode } = await app.inject({
      method: 'POST',
      url: '/sign-in',
      remoteAddress,
      headers: {
        host: '127.0.0.1',
        'sec-fetch-site': 'same-origin',
        'content-type': FORM,
        // a browser may send one, too: the proxy adds what it sees
        'x-forwarded-for': `198.51.100.${turn}, ${from}`,
      },
      payload: new URLSearchParams({ name: `user${turn}`, password: 'x' }).toString(),
    });
    return statusCode;
  };
  const turns = [1, 2, 3, 4, 5];
  for (const turn of turns) assert.equal(await guess(turn, '203.0.113.9'), 403);
  assert.equal(await guess(6, '203.0.113.9'), 429);
  assert.equal(await guess(7, '203.0.113.10'), 403, 'others go on');
  for (const turn of turns) assert.equal(await guess(10 + turn, '203.0.113.11', '10.0.0.7'), 403);
  assert.equal(await guess(16, '203.0.113.12', '10.0.0.7'), 429, 'who is no proxy says nothing');
});

test('web: signing out ends the session, here or everywhere', async (t) => {
  const place = await rig(t);
  const { app } = place;
  const here = await invited(place);
  const there = String(
    (await post(app, '/sign-in', { name: 'anna', password: PASSWORD })).headers['set-cookie'],
  ).split(';')[0];
  await post(app, '/sign-out', {}, { cookie: here });
  assert.equal((await get(app, '/', { cookie: here })).statusCode, 303);
  assert.equal((await get(app, '/', { cookie: there })).statusCode, 200);
  const again = String(
    (await post(app, '/sign-in', { name: 'anna', password: PASSWORD })).headers['set-cookie'],
  ).split(';')[0];
  await post(app, '/sign-out', { everywhere: 'yes' }, { cookie: again });
  assert.equal((await get(app, '/', { cookie: there })).statusCode, 303);
});

test('web: another name of the board, and a form of another web site, are refused before anything is looked at', async (t) => {
  const { app } = await rig(t);
  assert.equal((await get(app, '/sign-in', { host: 'evil.example' })).statusCode, 403);
  const foreign = [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': undefined, origin: 'https://evil.example' },
    { 'sec-fetch-site': undefined, origin: 'null' },
    { 'sec-fetch-site': undefined },
  ];
  for (const headers of foreign)
    assert.equal(
      (await post(app, '/sign-in', { name: 'anna', password: 'x' }, headers)).statusCode,
      403,
      JSON.stringify(headers),
    );
  const own = { 'sec-fetch-site': undefined, origin: `https://${HOST}` };
  assert.equal(
    (await post(app, '/sign-in', { name: 'anna', password: 'x' }, own)).body.includes('is wrong'),
    true,
  );
});

test('web: beyond this machine nobody signs in without TLS; on this machine any port goes', async (t) => {
  const place = await rig(t);
  const plain = { host: HOST, 'x-forwarded-proto': 'http' };
  const { statusCode, body } = await get(place.app, '/sign-in', plain);
  assert.deepEqual([statusCode, body.includes('Open the board by https')], [403, true]);
  assert.equal(
    (await post(place.app, '/sign-in', { name: 'anna', password: 'x' }, plain)).body.includes('https'),
    true,
  );
  const here = { host: '127.0.0.1:18080', 'x-forwarded-proto': 'http' };
  assert.equal((await get(place.app, '/sign-in', here)).statusCode, 200);
  const link = `/invite/${await place.store.invite('anna', START)}`;
  const answer = await post(place.app, link, { password: PASSWORD }, here);
  assert.match(String(answer.headers['set-cookie']), /^scanflow=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/);
});

test('web: every answer forbids scripts of others, frames and caches', async (t) => {
  const { app } = await rig(t);
  for (const url of ['/sign-in', '/', '/day/2026-02-30', '/none', '/assets/board.css']) {
    const { headers } = await get(app, url);
    assert.match(String(headers['content-security-policy']), /^default-src 'none';/, url);
    assert.equal(headers['cache-control'], 'no-store', url);
  }
});

test('web: a day that is none is a clear page', async (t) => {
  const place = await rig(t);
  const cookie = await invited(place);
  for (const day of ['2026-02-30', 'tomorrow', '2026-1-1', '%3Cscript%3E']) {
    const { statusCode, body } = await get(place.app, `/day/${day}`, { cookie });
    assert.equal(statusCode, 404, day);
    assert.match(body, /No such day/);
  }
});

test('web: what is no form is refused', async (t) => {
  const { app } = await rig(t);
  const json = { 'content-type': 'application/json' };
  assert.equal((await post(app, '/sign-in', {}, json)).statusCode, 415);
  assert.equal((await post(app, '/sign-in', { name: 'a'.repeat(80_000) })).statusCode, 413);
});

test('web: who is signed in hears of changes, and leaves no follower behind', async (t) => {
  const place = await rig(t);
  const url = await place.app.listen({ host: '127.0.0.1', port: 0 });
  const headers = { host: HOST, ...TLS };
  assert.equal((await eventsAt(url, headers)).resume().statusCode, 401);
  const answer = await eventsAt(url, { ...headers, cookie: await invited(place) });
  assert.equal(answer.headers['content-type'], 'text/event-stream; charset=utf-8');
  let said = '';
  answer.setEncoding('utf8').on('data', (text: string) => (said += text));
  await until(() => said.startsWith('retry: 3000\n\n'), { what: 'the stream begins', timeoutMs: 5_000 });
  for (const changed of place.followers) changed();
  await until(() => said.endsWith('event: changed\ndata:\n\n'), { what: 'the event', timeoutMs: 5_000 });
  answer.destroy();
  await until(() => place.followers.size === 0, { what: 'the follower is gone', timeoutMs: 5_000 });
});

test('viewer: it needs no sign-in and connects to nothing, and the board’s names hold for it, too', async (t) => {
  const { app } = await rig(t);
  const page = await get(app, '/viewer');
  assert.equal(page.statusCode, 200);
  const policy = String(page.headers['content-security-policy']);
  for (const rule of [
    "connect-src 'none'",
    "form-action 'none'",
    "trusted-types 'none'",
    "default-src 'none'",
  ])
    assert.ok(policy.includes(rule), policy);
  const script = /src="(\/assets\/modules\/[^"]+)"/.exec(page.body)?.[1] ?? '';
  const module = await get(app, script);
  assert.match(String(module.headers['content-type']), /^text\/javascript/);
  for (const [, address = ''] of module.body.matchAll(/from '([^']+)'/g))
    assert.equal((await get(app, address)).statusCode, 200, address);
  assert.equal((await get(app, '/viewer', { host: 'elsewhere.example' })).statusCode, 403);
  assert.ok(!(await get(app, '/sign-in')).body.includes('/assets/modules/'), 'other pages load none of it');
});
