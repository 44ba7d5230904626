import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import fastify from 'fastify';
import { isPassword } from './passwords.ts';
import { openUsersFile } from './open.ts';
import { addUsers } from './users.ts';

async function rig(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-users-'));
  const store = openUsersFile(join(folder, 'users.sqlite'));
  const app = fastify();
  addUsers(app, { store, now: () => 1000, address: 'http://127.0.0.1:8080' });
  t.after(async () => {
    await app.close();
    await store.close();
    await rm(folder, { recursive: true });
  });
  const post = async (path: string, body: object = {}) => {
    const { statusCode, body: text } = await app.inject({
      method: 'POST',
      url: `/api/users${path}`,
      payload: body,
    });
    return { status: statusCode, body: JSON.parse(text) as Record<string, string> };
  };
  return { store, post };
}

test('users: one is made with a link that works once, and is audited', async (t) => {
  const { store, post } = await rig(t);
  const { status, body } = await post('', { name: 'anna', role: 'it' });
  assert.equal(status, 200);
  assert.match(body['link'] ?? '', /^http:\/\/127\.0\.0\.1:8080\/invite\/[\w-]{43}$/);
  const word = body['link']?.split('/').at(-1) ?? '';
  assert.equal(await store.invited(word, 1000), 'anna');
  const { body: second } = await post('/anna/invite');
  assert.equal(await store.invited(word, 1000), undefined, 'a new link takes the place of the first');
  assert.equal(await store.invited(second['link']?.split('/').at(-1) ?? '', 1000), 'anna');
  assert.deepEqual(
    (await store.audited(9)).map(({ who, what, subject }) => [who, what, subject]),
    [
      ['scanflow user', 'invite', 'anna'],
      ['scanflow user', 'add user', 'anna'],
    ],
  );
});

test('users: what is not given stays; a password that is none is refused', async (t) => {
  const { store, post } = await rig(t);
  await post('', { name: 'anna', role: 'member', projects: ['3010000.01'] });
  assert.equal((await post('/anna/role', { role: 'operator' })).status, 200);
  assert.deepEqual(
    [(await store.user('anna'))?.role, (await store.user('anna'))?.projects],
    ['operator', ['3010000.01']],
  );
  assert.equal((await post('/anna/password', { password: 'short' })).status, 400);
  assert.equal((await post('/anna/password', { password: 'correct horse battery' })).status, 200);
  assert.equal(await isPassword('correct horse battery', await store.passwordOf('anna')), true);
  assert.equal((await post('/anna/remove')).status, 200);
  assert.equal(await store.user('anna'), undefined);
});

test('users: unknown, double and odd names are refused with a reason', async (t) => {
  const { post } = await rig(t);
  await post('', { name: 'anna', role: 'it' });
  assert.equal((await post('', { name: 'anna', role: 'it' })).status, 409);
  assert.equal((await post('/nobody/invite')).status, 404);
  for (const name of ['', '<b>', 'a b', '../x', 'x'.repeat(65)])
    assert.equal((await post('', { name, role: 'it' })).status, 400, name);
  assert.equal((await post('', { name: 'b', role: 'root' })).status, 400);
});

test('users: the word of a form counts once', async (t) => {
  const { store } = await rig(t);
  assert.deepEqual(
    [await store.spend('w', 1000), await store.spend('w', 2000), await store.spend('v', 2000)],
    [true, false, true],
  );
});

test('users: an address is entered in small letters; what is none is refused', async (t) => {
  const { store, post } = await rig(t);
  await post('', { name: 'anna', role: 'member', addresses: [' Anna@Example.org'] });
  assert.deepEqual((await store.user('anna'))?.addresses, ['anna@example.org']);
  for (const address of ['anna', 'mailto:', 'a b@example.org', '@', ''])
    assert.equal((await post('/anna/role', { addresses: [address] })).status, 400, address);
  assert.deepEqual((await store.user('anna'))?.addresses, ['anna@example.org']);
});

test('users: whom an identity provider names gets role and password there, and an address here', async (t) => {
  const { store, post } = await rig(t);
  const issuer = 'https://idp.example.org';
  const rights = { role: 'member', projects: [], address: undefined } as const;
  await store.identify({ issuer, subject: '1', names: ['anna', 'anna.1'], ...rights }, 1000);
  for (const [path, body] of [
    ['role', { role: 'it' }],
    ['role', { projects: ['p'] }],
    ['password', { password: 'correct horse battery' }],
    ['invite', {}],
  ] as const) {
    const answer = await post(`/anna/${path}`, body);
    assert.equal(answer.status, 409, path);
    assert.match(answer.body['message'] ?? answer.body['error'] ?? '', /idp\.example\.org/);
  }
  assert.equal((await post('/anna/role', { addresses: ['a@example.org'] })).status, 200);
  assert.deepEqual((await store.user('anna'))?.addresses, ['a@example.org']);
});
