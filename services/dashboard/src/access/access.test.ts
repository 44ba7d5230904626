import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { createLimiter } from './limiter.ts';
import { hashPassword, isPassword, passwordProblem } from './passwords.ts';
import { ACTIONS, mayDo, maySee, type Identity, type Person } from './roles.ts';
import { AccessStore, INVITED_MS } from './store.ts';

const NOW = Temporal.Instant.from('2026-11-28T08:00:00Z').epochMilliseconds;
const HOUR = 3_600_000;
const anna: Person = {
  name: 'anna',
  role: 'member',
  projects: ['3010000.01'],
  addresses: ['anna@example.org'],
};

async function opened(t: TestContext): Promise<{ readonly store: AccessStore; readonly path: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-access-'));
  const path = join(folder, 'users.sqlite');
  const store = new AccessStore(path);
  t.after(async () => {
    store.close();
    await rm(folder, { recursive: true });
  });
  return { store, path };
}

test('roles: a member sees the projects given to them, and what they booked by a proven address', () => {
  assert.equal(maySee(anna, { project: '3010000.01' }), true);
  assert.equal(maySee(anna, { project: '3010000.02' }), false);
  assert.equal(maySee(anna, {}), false);
  assert.equal(maySee(anna, { project: '3010000.02', booker: 'Anna@Example.org' }), true);
  assert.equal(maySee({ ...anna, role: 'operator' }, {}), true);
});

test('roles: members change nothing, operators add walk-ins, IT does all', () => {
  const may = (role: Person['role']): string[] =>
    ACTIONS.filter((action) => mayDo({ ...anna, role }, action));
  assert.deepEqual(may('member'), []);
  assert.deepEqual(may('operator'), ['check', 'walk-in']);
  assert.deepEqual(may('it'), [...ACTIONS]);
});

test('passwords: the right one alone opens, in whatever form the keyboard writes it', async () => {
  const kept = await hashPassword('caf\u00e9 au lait');
  assert.match(kept, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  assert.equal(await isPassword('cafe\u0301 au lait', kept), true);
  assert.equal(await isPassword('cafe au lait', kept), false);
  assert.equal(await isPassword('caf\u00e9 au lait', undefined), false);
  assert.notEqual(kept, await hashPassword('caf\u00e9 au lait'));
});

test('passwords: short, repeated and self-named ones are refused with the reason', () => {
  assert.match(passwordProblem('short', 'anna') ?? '', /5 characters/);
  assert.match(passwordProblem('aaaaaaaaaaaa', 'anna') ?? '', /repeats/);
  assert.match(passwordProblem('my name is ANNA', 'anna') ?? '', /user name/);
  assert.equal(passwordProblem('correct horse battery', 'anna'), undefined);
});

test('limiter: after five failures each one doubles the pause, for that user or address alone', () => {
  const limiter = createLimiter();
  const keys = ['user:anna', 'address:10.0.0.7'];
  for (let failure = 0; failure < 4; failure += 1) limiter.failed(keys, NOW);
  assert.equal(limiter.wait(keys, NOW), 0);
  const waits = [0, 1, 2].map(() => {
    limiter.failed(keys, NOW);
    return limiter.wait(keys, NOW);
  });
  assert.deepEqual(waits, [1_000, 2_000, 4_000]);
  assert.equal(limiter.wait(['user:ben', 'address:10.0.0.8'], NOW), 0);
  assert.equal(limiter.wait(['user:ben', 'address:10.0.0.7'], NOW), 4_000);
  assert.equal(limiter.wait(keys, NOW + 4_000), 0);
  for (let failure = 0; failure < 40; failure += 1) limiter.failed(keys, NOW);
  assert.equal(limiter.wait(keys, NOW), 15 * 60_000);
  assert.equal(limiter.wait(keys, NOW + 2 * HOUR), 0);
  limiter.succeeded(keys);
  assert.equal(limiter.wait(keys, NOW), 0);
});

test('store: an invitation counts once, and for a day', async (t) => {
  const { store } = await opened(t);
  assert.equal(store.add(anna, NOW), true);
  assert.equal(store.add({ ...anna, role: 'it' }, NOW), false);
  const first = store.invite('anna', NOW);
  const second = store.invite('anna', NOW);
  assert.deepEqual([store.invited(first, NOW), store.invited(second, NOW)], [undefined, 'anna']);
  assert.equal(store.invited(second, NOW + INVITED_MS + 1), undefined);
  assert.equal(store.accept(second, 'hash', NOW), 'anna');
  assert.equal(store.accept(second, 'other', NOW), undefined);
  assert.equal(store.passwordOf('anna'), 'hash');
});

test('store: a session ends by idleness, by age, by signing out, and by a new password', async (t) => {
  const { store } = await opened(t);
  store.add(anna, NOW);
  const word = store.signIn('anna', '10.0.0.7', NOW);
  assert.deepEqual(store.signedIn(word, NOW)?.projects, anna.projects);
  assert.equal(store.signedIn(word, NOW + 13 * HOUR), undefined);
  for (let hours = 6; hours <= 7 * 24; hours += 6)
    assert.ok(store.signedIn(word, NOW + hours * HOUR), `${hours} h`);
  assert.equal(store.signedIn(word, NOW + 7 * 24 * HOUR + 1), undefined);
  const other = store.signIn('anna', '10.0.0.7', NOW);
  store.signOut(other);
  assert.equal(store.signedIn(other, NOW), undefined);
  const third = store.signIn('anna', '10.0.0.7', NOW);
  store.setPassword('anna', 'hash');
  assert.equal(store.signedIn(third, NOW), undefined);
});

test('store: whoever reads the file finds no word that opens anything', async (t) => {
  const { store, path } = await opened(t);
  store.add(anna, NOW);
  const words = [store.signIn('anna', '10.0.0.7', NOW), store.invite('anna', NOW)];
  const reader = new DatabaseSync(path, { readOnly: true });
  t.after(() => reader.close());
  const rows = JSON.stringify(
    ['session', 'invitation'].map((table) => reader.prepare(`SELECT * FROM ${table}`).all()),
  );
  for (const word of words) assert.equal(rows.includes(word), false);
});

test('store: a removed user is signed out, and a changed role counts at once', async (t) => {
  const { store } = await opened(t);
  store.add(anna, NOW);
  const word = store.signIn('anna', '10.0.0.7', NOW);
  store.change({ ...anna, role: 'it' });
  assert.equal(store.signedIn(word, NOW)?.role, 'it');
  store.remove('anna');
  assert.equal(store.signedIn(word, NOW), undefined);
});

test('store: the audit log survives a restart and is read from its end', async (t) => {
  const { store, path } = await opened(t);
  for (const subject of ['a', 'b', 'c'])
    store.audit({ at: NOW, who: 'anna', address: '10.0.0.7', what: 'release', subject, result: 'done' });
  store.close();
  const again = new AccessStore(path);
  t.after(() => again.close());
  const [last] = again.audited(1);
  assert.equal(last?.subject, 'c');
  assert.deepEqual(
    again.audited(5, last.id).map(({ subject }) => subject),
    ['b', 'a'],
  );
});

test('store: a file of a newer version is not touched', async (t) => {
  const { store, path } = await opened(t);
  store.close();
  const writer = new DatabaseSync(path);
  writer.exec('PRAGMA user_version = 99');
  writer.close();
  assert.throws(() => new AccessStore(path), /newer version/);
});

const idp: Identity = {
  issuer: 'https://idp.example.org',
  subject: 's1',
  names: ['anna', 'anna.1f00'],
  role: 'member',
  projects: ['3010000.01'],
  address: 'anna@example.org',
};

test('store: an identity keeps its name, and gets no name of somebody else', async (t) => {
  const { store } = await opened(t);
  store.add({ ...anna, role: 'it' }, NOW);
  assert.equal(store.identify(idp, NOW), 'anna.1f00');
  store.remove('anna');
  const again = store.identify({ ...idp, names: ['anna', 'anna.1f00'], role: 'operator', projects: [] }, NOW);
  assert.equal(again, 'anna.1f00');
  assert.deepEqual(store.users(), [
    {
      name: 'anna.1f00',
      role: 'operator',
      projects: [],
      addresses: ['anna@example.org'],
      entered: [],
      hasPassword: false,
      issuer: 'https://idp.example.org',
    },
  ]);
  assert.equal(store.identify({ ...idp, subject: 's2' }, NOW), 'anna');
  assert.throws(() => store.identify({ ...idp, subject: 's3' }, NOW), /somebody else/);
});

test('store: an address that an administrator entered stays, beside the one that the provider verifies', async (t) => {
  const { store } = await opened(t);
  const name = store.identify({ ...idp, address: undefined }, NOW);
  const user = store.user(name);
  assert.ok(user);
  store.change({ ...user, addresses: ['entered@example.org'] });
  store.identify(idp, NOW);
  assert.deepEqual(store.user(name)?.addresses, ['entered@example.org', 'anna@example.org']);
  store.identify({ ...idp, address: undefined }, NOW);
  assert.deepEqual(store.user(name)?.addresses, ['entered@example.org']);
});

test('store: a session by an identity provider ends earlier, and with its provider', async (t) => {
  const { store } = await opened(t);
  const name = store.identify(idp, NOW);
  const word = store.signIn(name, '10.0.0.7', NOW, 12 * HOUR);
  for (let hours = 4; hours <= 12; hours += 4) assert.ok(store.signedIn(word, NOW + hours * HOUR));
  assert.equal(store.signedIn(word, NOW + 12 * HOUR + 1), undefined);
  store.keepIssuer(idp.issuer);
  assert.ok(store.signedIn(word, NOW));
  store.add({ ...anna, name: 'local' }, NOW);
  const local = store.signIn('local', '10.0.0.7', NOW);
  store.keepIssuer(undefined);
  assert.equal(store.signedIn(word, NOW), undefined);
  assert.ok(store.signedIn(local, NOW));
});
