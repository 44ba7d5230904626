import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import fastify from 'fastify';
import { createLimiter, hashPassword } from '../access/passwords.ts';
import type { IdentityProvider } from '../access/oidc.ts';
import { SignInRefused, stateOf } from '../access/oidc-claims.ts';
import { openUsersFile } from '../access/open.ts';
import { readForms } from './request.ts';
import { addSignIn } from './sign-in.ts';

const START = Temporal.Instant.from('2026-11-28T08:00:00Z').epochMilliseconds;
const HOST = 'board.example.org';
const PASSWORD = 'correct horse battery';

/** Lets in whoever comes back, as one identity. */
const PROVIDER: IdentityProvider = {
  name: 'Example account',
  issuer: 'https://idp.example.org',
  sessionMs: 12 * 3_600_000,
  begin: (word, redirect) =>
    Promise.resolve(new URL(`https://idp.example.org/auth?state=${stateOf(word)}&to=${redirect.href}`)),
  finish: () =>
    Promise.resolve({
      ...{ issuer: 'https://idp.example.org', subject: '1', names: ['carla', 'carla.1'], role: 'operator' },
      ...{ projects: [], address: undefined },
    }),
  leave: () => Promise.resolve(undefined),
};

async function rig(t: TestContext, provider?: IdentityProvider) {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-oidc-'));
  const store = openUsersFile(join(folder, 'users.sqlite'));
  store.keepIssuer(provider?.issuer);
  const clock = { now: START };
  const app = fastify({ trustProxy: ['127.0.0.1'] });
  readForms(app);
  addSignIn(app, { store, limiter: createLimiter(), now: () => clock.now, provider });
  t.after(async () => {
    await app.close();
    await store.close();
    await rm(folder, { recursive: true });
  });
  const headers = { host: HOST, 'x-forwarded-proto': 'https' };
  const get = (url: string, more = {}) =>
    app.inject({ method: 'GET', url, headers: { ...headers, ...more } });
  const signIn = (name: string, cookie = '') =>
    app.inject({
      method: 'POST',
      url: '/sign-in',
      headers: { ...headers, cookie, 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams({ name, password: PASSWORD }).toString(),
    });
  await store.add({ name: 'anna', role: 'member', projects: [], addresses: [] }, START);
  await store.setPassword('anna', await hashPassword(PASSWORD));
  return { store, clock, get, signIn };
}

const wordIn = (set: unknown): string => /^__Host-scanflow=([\w-]{43});/.exec(String(set))?.[1] ?? '';

/** Begins at the provider; answers the way back, and the cookie of the sign-in. */
async function begun({ get }: Pick<Awaited<ReturnType<typeof rig>>, 'get'>): Promise<{
  readonly back: string;
  readonly cookie: string;
}> {
  const answer = await get('/oidc/sign-in?next=/bookings');
  const to = new URL(String(answer.headers.location));
  assert.equal(to.searchParams.get('to'), `https://${HOST}/oidc/callback`);
  const set = String(answer.headers['set-cookie']);
  assert.match(
    set,
    /^__Host-scanflow-oidc=[\w-]{43}\.\d+\.%2Fbookings; Path=\/; HttpOnly; SameSite=Lax; Secure; Max-Age=600$/,
  );
  const back = `/oidc/callback?code=x&state=${to.searchParams.get('state') ?? ''}`;
  return { back, cookie: set.split(';')[0] ?? '' };
}

test('oidc: cookies are bound to host and TLS, and a session lasts for its time, however busy', async (t) => {
  const place = await rig(t, PROVIDER);
  const { get, clock, store } = place;
  const { back, cookie } = await begun(place);
  const answer = await get(back, { cookie });
  assert.equal(answer.headers.location, '/bookings');
  const [gone, session = ''] = answer.headers['set-cookie'] as string[];
  assert.match(gone ?? '', /^__Host-scanflow-oidc=; .*Max-Age=0$/);
  assert.match(session, /^__Host-scanflow=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure$/);
  const word = wordIn(session);
  for (let hours = 0; hours <= 12; hours += 4)
    assert.ok(await store.signedIn(word, START + hours * 3_600_000), `${hours} h`);
  clock.now = START + 12 * 3_600_000 + 1;
  assert.equal(await store.signedIn(word, clock.now), undefined);
});

test('oidc: the way back counts for ten minutes, once, with its own cookie alone', async (t) => {
  const place = await rig(t, PROVIDER);
  const { get, clock, store } = place;
  const [first, second] = [await begun(place), await begun(place)];
  const status = async (back: string, cookie = '') => (await get(back, { cookie })).statusCode;
  assert.equal(await status(first.back), 400, 'without a cookie');
  assert.equal(await status(first.back, second.cookie), 400, 'of another sign-in');
  assert.equal(await status(first.back, `${first.cookie}; ${second.cookie}`), 400, 'two cookies');
  assert.equal(await status(first.back, first.cookie.replace('__Host-', '')), 400, 'without the prefix');
  const both = await Promise.all([status(first.back, first.cookie), status(first.back, first.cookie)]);
  assert.deepEqual(both.toSorted(), [303, 400], 'at the same time');
  clock.now += 600_001;
  assert.equal(await status(second.back, second.cookie), 400, 'too late');
  assert.deepEqual(
    (await store.audited(9)).map(({ who, what, result }) => [who, what, result]),
    [['carla', 'sign in by OpenID Connect', 'done']],
  );
});

test('oidc: who signs in anew leaves no session behind in that browser', async (t) => {
  const place = await rig(t, PROVIDER);
  const { get, signIn, store } = place;
  const words = [wordIn((await signIn('anna')).headers['set-cookie'])];
  const held = (): string => `__Host-scanflow=${words.at(-1) ?? ''}`;
  words.push(wordIn((await signIn('anna', held())).headers['set-cookie']));
  const { back, cookie } = await begun(place);
  const answer = await get(back, { cookie: `${cookie}; ${held()}` });
  words.push(wordIn([answer.headers['set-cookie']].flat().at(-1)));
  assert.deepEqual(await Promise.all(words.map(async (word) => (await store.signedIn(word, START))?.name)), [
    undefined,
    undefined,
    'carla',
  ]);
});

test('oidc: many failing answers from one address have to wait, and passwords do not', async (t) => {
  const refusing = { ...PROVIDER, finish: () => Promise.reject(new SignInRefused('access_denied')) };
  const place = await rig(t, refusing);
  const { get, signIn } = place;
  const statuses: number[] = [];
  for (let attempt = 0; attempt < 7; attempt += 1) {
    const { back, cookie } = await begun(place);
    statuses.push((await get(back, { cookie })).statusCode);
  }
  assert.deepEqual(statuses, [403, 403, 403, 403, 403, 429, 429]);
  assert.equal((await signIn('anna')).statusCode, 303);
});

test('oidc: without a provider there is no such page', async (t) => {
  const { get } = await rig(t);
  for (const url of ['/oidc/sign-in', '/oidc/callback?code=x&state=y', '/signed-out'])
    assert.equal((await get(url)).statusCode, 404, url);
  assert.doesNotMatch((await get('/sign-in')).body, /oidc/);
});
