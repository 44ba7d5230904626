import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import fastify from 'fastify';
import { createLimiter, limiterKeys, hashPassword, isPassword } from '../access/passwords.ts';
import { openUsersFile } from '../access/open.ts';
import type { Role } from '../access/roles.ts';
import { readForms } from '../web/request.ts';
import { addAccount } from './account.ts';
import { addUserPages } from './users.ts';

const NOW = Temporal.Instant.from('2026-11-28T08:00:00Z').epochMilliseconds;
const OLD = 'correct horse battery';
const NEW = 'staple of another colour';

async function rig(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-people-'));
  const store = openUsersFile(join(folder, 'users.sqlite'));
  const app = fastify({ trustProxy: ['127.0.0.1'] });
  readForms(app);
  const access = { store, now: () => NOW };
  const facility = { name: 'Here', timezone: 'UTC', titleOf: () => undefined, hasDataset: () => false };
  addAccount(app, { ...access, facility, limiter: createLimiter() });
  addUserPages(app, access);
  t.after(async () => {
    await app.close();
    await store.close();
    await rm(folder, { recursive: true });
  });
  const cookies = new Map<string, string>();
  const signIn = async (name: string): Promise<void> => {
    cookies.set(name, `scanflow=${await store.signIn(name, '127.0.0.1', NOW)}`);
  };
  for (const role of ['member', 'operator', 'it'] as const satisfies Role[]) {
    await store.add({ name: role, role, projects: ['3010000.01'], addresses: [] }, NOW);
    await signIn(role);
  }
  const ask = (method: 'GET' | 'POST', url: string, who: string, form: Record<string, string> = {}) =>
    app.inject({
      method,
      url,
      headers: {
        host: '127.0.0.1',
        cookie: cookies.get(who) ?? '',
        ...(method === 'GET' ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      },
      ...(method === 'GET' ? {} : { payload: new URLSearchParams(form).toString() }),
    });
  return {
    store,
    signIn,
    get: (url: string, who = 'it') => ask('GET', url, who),
    post: (url: string, form: Record<string, string> = {}, who = 'it') =>
      ask('POST', url, who, { once: randomUUID(), ...form }),
    audited: async () =>
      (await store.audited(20)).map(({ who, what, subject, result }) => [who, what, subject, result]),
  };
}

test('users: facility IT adds one with a link, changes the role, signs them out and removes them, each audited', async (t) => {
  const { store, get, post, audited } = await rig(t);
  const added = await post('/users', { name: 'anna', role: 'member', projects: '3010000.01, 3010000.02' });
  const word = /\/invite\/([\w-]{43})/.exec(added.body)?.[1] ?? '';
  assert.equal(await store.invited(word, NOW), 'anna');
  assert.deepEqual((await store.user('anna'))?.projects, ['3010000.01', '3010000.02']);
  assert.match((await get('/users')).body, /anna/);
  const changed = await post('/users/anna/role', { role: 'operator', projects: '' });
  assert.deepEqual([changed.statusCode, changed.headers.location], [303, '/users?said=role']);
  assert.deepEqual(
    [(await store.user('anna'))?.role, (await store.user('anna'))?.projects],
    ['operator', []],
  );
  const session = await store.signIn('anna', '10.0.0.7', NOW);
  await post('/users/anna/sign-out');
  assert.equal(await store.signedIn(session, NOW), undefined);
  const again = await post('/users/anna/invite');
  assert.match(again.body, /\/invite\/[\w-]{43}/);
  assert.match((await post('/users/anna/remove')).body, /Remove anna\?/);
  assert.ok(await store.user('anna'), 'only after the page that asks');
  await post('/users/anna/remove', { confirmed: 'yes' });
  assert.equal(await store.user('anna'), undefined);
  assert.deepEqual(await audited(), [
    ['it', 'remove user', 'anna', 'done'],
    ['it', 'invite', 'anna', 'done'],
    ['it', 'sign out everywhere', 'anna', 'done'],
    ['it', 'change role', 'anna: operator', 'done'],
    ['it', 'add user', 'anna', 'done'],
  ]);
});

test('users: nobody else sees or changes them; nobody removes themselves; a form counts once', async (t) => {
  const { store, get, post } = await rig(t);
  for (const who of ['member', 'operator']) {
    assert.equal((await get('/users', who)).statusCode, 403);
    for (const path of ['', '/it/role', '/it/invite', '/it/sign-out', '/it/remove'])
      assert.equal((await post(`/users${path}`, { name: 'x', role: 'it' }, who)).statusCode, 403, path);
  }
  assert.equal((await get('/users', 'nobody')).headers.location, '/sign-in?next=%2Fusers');
  assert.equal((await post('/users/it/remove', { confirmed: 'yes' })).statusCode, 409);
  assert.equal((await post('/users/it/role', { role: 'member' })).statusCode, 409);
  assert.equal((await store.user('it'))?.role, 'it');
  const form = { once: randomUUID(), name: 'anna', role: 'member' };
  assert.equal((await post('/users', form)).statusCode, 200);
  assert.equal((await post('/users', form)).headers.location, '/users?said=again');
  assert.equal((await post('/users', { name: 'anna', role: 'it' })).statusCode, 409);
  for (const name of ['', '<b>', '../x'])
    assert.equal((await post('/users', { name, role: 'it' })).statusCode, 400, name);
  assert.equal((await post('/users/nobody/invite')).statusCode, 404);
});

test('account: a person sees their sessions, and changes the password with the present one', async (t) => {
  const { store, signIn, get, post, audited } = await rig(t);
  await store.setPassword('member', await hashPassword(OLD));
  await signIn('member');
  const elsewhere = await store.signIn('member', '10.0.0.7', NOW);
  const page = (await get('/account', 'member')).body;
  assert.match(page, /10\.0\.0\.7/);
  assert.match(page, /this browser/);
  assert.doesNotMatch(page, /href="\/users"/);
  assert.equal((await post('/account/password', { current: 'x', password: NEW }, 'member')).statusCode, 403);
  assert.equal((await post('/account/password', { current: OLD, password: 'x' }, 'member')).statusCode, 422);
  const changed = await post('/account/password', { current: OLD, password: NEW }, 'member');
  assert.deepEqual([changed.statusCode, changed.headers.location], [303, '/account?said=password']);
  assert.match(String(changed.headers['set-cookie']), /^scanflow=[\w-]{43};/);
  assert.equal(await isPassword(NEW, await store.passwordOf('member')), true);
  assert.equal(await store.signedIn(elsewhere, NOW), undefined);
  assert.deepEqual(await audited(), [
    ['member', 'change password', '', 'done'],
    ['member', 'change password', '', 'refused'],
  ]);
});

test('account: guessing the present password is slowed down', async (t) => {
  const { post } = await rig(t);
  const guess = async (): Promise<number> =>
    (await post('/account/password', { current: 'guess', password: NEW }, 'member')).statusCode;
  const statuses: number[] = [];
  for (let turn = 0; turn < 6; turn += 1) statuses.push(await guess());
  assert.deepEqual(statuses, [403, 403, 403, 403, 403, 429]);
});

test('limiter: addresses of one IPv6 network count as one, those of IPv4 each for itself', () => {
  const key = (address: string): string | undefined => limiterKeys('anna', address)[1];
  assert.equal(key('2001:db8:1:2:3:4:5:6'), key('2001:db8:1:2::7'));
  assert.notEqual(key('2001:db8:1:2::7'), key('2001:db8:1:3::7'));
  assert.equal(key('2001:db8::1'), 'address:2001:db8:0:0::/64');
  assert.equal(key('::1'), 'address:0:0:0:0::/64');
  assert.equal(key('::ffff:10.0.0.7'), key('10.0.0.7'));
  assert.notEqual(key('10.0.0.7'), key('10.0.0.8'));
});
