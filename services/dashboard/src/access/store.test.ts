/** Users in SQLite and in PostgreSQL: one suite over both. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test, type TestContext } from 'node:test';
import { findPostgres, startPostgres, type Postgres } from '@scanflow/testkit';
import { openUsersFile, openUsersServer } from './open.ts';
import type { Identity, Person } from './roles.ts';
import { INVITED_MS, type AccessStore } from './store.ts';

const NOW = Temporal.Instant.from('2026-11-28T08:00:00Z').epochMilliseconds;
const HOUR = 3_600_000;
const anna: Person = {
  name: 'anna',
  role: 'member',
  projects: ['3010000.01'],
  addresses: ['anna@example.org'],
};

interface Opened {
  readonly store: AccessStore;
  /** Closes it, and opens it anew. */
  readonly again: () => Promise<AccessStore>;
  /** Everything that whoever reads the database sees. */
  readonly dump: (table: string) => Promise<string>;
}

async function openedFile(t: TestContext): Promise<Opened & { readonly path: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-access-'));
  const path = join(folder, 'users.sqlite');
  let store = openUsersFile(path);
  t.after(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });
  return {
    store,
    path,
    again: async () => {
      await store.close();
      return (store = openUsersFile(path));
    },
    dump: (table) => {
      const reader = new DatabaseSync(path, { readOnly: true });
      const rows = reader.prepare(`SELECT * FROM ${table}`).all();
      reader.close();
      return Promise.resolve(JSON.stringify(rows));
    },
  };
}

let server: Postgres | undefined;
let made = 0;
before(async () => {
  if (findPostgres() !== undefined) server = await startPostgres();
});
after(() => server?.stop());

/** In a database of its own, by a user who has nothing but a schema of its own there: as docs/scale.md sets it up. */
async function openedServer(t: TestContext): Promise<Opened> {
  assert.ok(server !== undefined);
  const { password } = server;
  made += 1;
  const [name, role] = [`ledger_${made}`, `board_${made}`];
  const url = await server.makeDatabase(name);
  await server.query('postgres', `CREATE ROLE ${role} LOGIN PASSWORD '${password}'`);
  await server.query(name, `CREATE SCHEMA ${role} AUTHORIZATION ${role}`);
  await server.query(name, 'CREATE TABLE leg (secret TEXT)');
  const own = new URL(url);
  own.username = role;
  const options = { url: own.href, password: () => Promise.resolve(password) };
  let store = openUsersServer(options);
  t.after(() => store.close());
  return {
    store,
    again: async () => {
      await store.close();
      return (store = openUsersServer(options));
    },
    dump: (table) => server?.query(name, `SELECT * FROM ${role}.${table}`) ?? Promise.resolve(''),
  };
}

const idp: Identity = {
  issuer: 'https://idp.example.org',
  subject: 's1',
  names: ['anna', 'anna.1f00'],
  role: 'member',
  projects: ['3010000.01'],
  address: 'anna@example.org',
};

/** What both databases do alike. */
function conformance(kind: string, open: (t: TestContext) => Promise<Opened>, skip: string | false): void {
  test(`${kind}: an invitation counts once, and for a day`, { skip }, async (t) => {
    const { store } = await open(t);
    assert.equal(await store.add(anna, NOW), true);
    assert.equal(await store.add({ ...anna, role: 'it' }, NOW), false);
    const first = await store.invite('anna', NOW);
    const second = await store.invite('anna', NOW);
    assert.deepEqual(
      [await store.invited(first, NOW), await store.invited(second, NOW)],
      [undefined, 'anna'],
    );
    assert.equal(await store.invited(second, NOW + INVITED_MS + 1), undefined);
    assert.equal(await store.accept(second, 'hash', NOW), 'anna');
    assert.equal(await store.accept(second, 'other', NOW), undefined);
    assert.equal(await store.passwordOf('anna'), 'hash');
  });

  test(
    `${kind}: a session ends by idleness, by age, by signing out, and by a new password`,
    { skip },
    async (t) => {
      const { store } = await open(t);
      await store.add(anna, NOW);
      const word = await store.signIn('anna', '10.0.0.7', NOW);
      assert.deepEqual((await store.signedIn(word, NOW))?.projects, anna.projects);
      assert.equal(await store.signedIn(word, NOW + 13 * HOUR), undefined);
      for (let hours = 6; hours <= 7 * 24; hours += 6)
        assert.ok(await store.signedIn(word, NOW + hours * HOUR), `${hours} h`);
      assert.equal(await store.signedIn(word, NOW + 7 * 24 * HOUR + 1), undefined);
      const other = await store.signIn('anna', '10.0.0.7', NOW);
      await store.signOut(other);
      assert.equal(await store.signedIn(other, NOW), undefined);
      const third = await store.signIn('anna', '10.0.0.7', NOW);
      await store.setPassword('anna', 'hash');
      assert.equal(await store.signedIn(third, NOW), undefined);
    },
  );

  test(`${kind}: whoever reads the file finds no word that opens anything`, { skip }, async (t) => {
    const { store, dump } = await open(t);
    await store.add(anna, NOW);
    const words = [await store.signIn('anna', '10.0.0.7', NOW), await store.invite('anna', NOW)];
    const rows = `${await dump('session')}${await dump('invitation')}`;
    assert.match(rows, /anna/);
    for (const word of words) assert.equal(rows.includes(word), false);
  });

  test(`${kind}: a removed user is signed out, and a changed role counts at once`, { skip }, async (t) => {
    const { store } = await open(t);
    await store.add(anna, NOW);
    const word = await store.signIn('anna', '10.0.0.7', NOW);
    await store.change({ ...anna, role: 'it' });
    assert.equal((await store.signedIn(word, NOW))?.role, 'it');
    await store.remove('anna');
    assert.equal(await store.signedIn(word, NOW), undefined);
  });

  test(`${kind}: the audit log survives a restart and is read from its end`, { skip }, async (t) => {
    const { store, again } = await open(t);
    for (const subject of ['a', 'b', 'c'])
      await store.audit({
        at: NOW,
        who: 'anna',
        address: '10.0.0.7',
        what: 'release',
        subject,
        result: 'done',
      });
    const later = await again();
    const [last] = await later.audited(1);
    assert.equal(last?.subject, 'c');
    assert.deepEqual(
      (await later.audited(5, last.id)).map(({ subject }) => subject),
      ['b', 'a'],
    );
  });

  test(`${kind}: a person sees their own sessions, and ends all of them`, { skip }, async (t) => {
    const { store } = await open(t);
    await store.add(anna, NOW);
    await store.add({ ...anna, name: 'ben' }, NOW);
    const first = await store.signIn('anna', '10.0.0.7', NOW);
    const second = await store.signIn('anna', '10.0.0.8', NOW + HOUR);
    const bens = await store.signIn('ben', '10.0.0.9', NOW);
    assert.deepEqual(await store.sessions('anna', NOW + HOUR, first), [
      { created: NOW + HOUR, seen: NOW + HOUR, address: '10.0.0.8', own: false },
      { created: NOW, seen: NOW, address: '10.0.0.7', own: true },
    ]);
    assert.deepEqual(
      (await store.sessions('anna', NOW + 12.5 * HOUR)).map(({ address }) => address),
      ['10.0.0.8'],
    );
    assert.equal(await store.signOutEverywhere('anna'), 2);
    assert.deepEqual(await store.sessions('anna', NOW + HOUR), []);
    for (const word of [first, second]) assert.equal(await store.signedIn(word, NOW + HOUR), undefined);
    assert.equal((await store.signedIn(bens, NOW + HOUR))?.name, 'ben');
  });

  test(`${kind}: of two who use one invitation or form at the same time, one counts`, { skip }, async (t) => {
    const { store } = await open(t);
    await store.add(anna, NOW);
    const word = await store.invite('anna', NOW);
    const turns = Array.from({ length: 5 }, (_, turn) => turn);
    const taken = await Promise.all(turns.map((turn) => store.accept(word, `hash ${turn}`, NOW)));
    assert.deepEqual(
      taken.filter((name) => name !== undefined),
      ['anna'],
    );
    const spent = await Promise.all(turns.map(() => store.spend('form', NOW)));
    assert.equal(spent.filter((first) => first).length, 1);
    const added = await Promise.all(turns.map(() => store.add({ ...anna, name: 'ben' }, NOW)));
    assert.equal(added.filter((free) => free).length, 1);
  });

  test(`${kind}: an identity keeps its name, and gets no name of somebody else`, { skip }, async (t) => {
    const { store } = await open(t);
    await store.add({ ...anna, role: 'it' }, NOW);
    assert.equal(await store.identify(idp, NOW), 'anna.1f00');
    await store.remove('anna');
    const again = await store.identify(
      { ...idp, names: ['anna', 'anna.1f00'], role: 'operator', projects: [] },
      NOW,
    );
    assert.equal(again, 'anna.1f00');
    assert.deepEqual(await store.users(), [
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
    assert.equal(await store.identify({ ...idp, subject: 's2' }, NOW), 'anna');
    await assert.rejects(store.identify({ ...idp, subject: 's3' }, NOW), /somebody else/);
  });

  test(
    `${kind}: an address that an administrator entered stays, beside the one that the provider verifies`,
    { skip },
    async (t) => {
      const { store } = await open(t);
      const name = await store.identify({ ...idp, address: undefined }, NOW);
      const user = await store.user(name);
      assert.ok(user);
      await store.change({ ...user, addresses: ['entered@example.org'] });
      await store.identify(idp, NOW);
      assert.deepEqual((await store.user(name))?.addresses, ['entered@example.org', 'anna@example.org']);
      await store.identify({ ...idp, address: undefined }, NOW);
      assert.deepEqual((await store.user(name))?.addresses, ['entered@example.org']);
    },
  );

  test(
    `${kind}: a session by an identity provider ends earlier, and with its provider`,
    { skip },
    async (t) => {
      const { store } = await open(t);
      store.keepIssuer(idp.issuer);
      const name = await store.identify(idp, NOW);
      const word = await store.signIn(name, '10.0.0.7', NOW, 12 * HOUR);
      for (let hours = 4; hours <= 12; hours += 4) assert.ok(await store.signedIn(word, NOW + hours * HOUR));
      assert.equal(await store.signedIn(word, NOW + 12 * HOUR + 1), undefined);
      await store.add({ ...anna, name: 'local' }, NOW);
      const local = await store.signIn('local', '10.0.0.7', NOW);
      store.keepIssuer(undefined);
      assert.equal(await store.signedIn(word, NOW), undefined);
      assert.ok(await store.signedIn(local, NOW));
    },
  );
}

conformance('users in SQLite', openedFile, false);
conformance(
  'users in PostgreSQL',
  openedServer,
  findPostgres() === undefined ? 'PostgreSQL is not installed' : false,
);

test('store: a file of a newer version is not touched', async (t) => {
  const { store, path } = await openedFile(t);
  await store.close();
  const writer = new DatabaseSync(path);
  writer.exec('PRAGMA user_version = 99');
  writer.close();
  assert.throws(() => openUsersFile(path), /newer version/);
});

test('users in a file: damage and a second dashboard are refused with what to do', async (t) => {
  const { store, path } = await openedFile(t);
  assert.throws(() => openUsersFile(path), { code: 'USERS_UNUSABLE', message: /Another dashboard/ });
  await store.close();
  await writeFile(path, 'not a database, and longer than the header of one');
  assert.throws(() => openUsersFile(path), {
    code: 'USERS_UNUSABLE',
    message: /damaged .* restore a backup/,
  });
});

test('users in PostgreSQL: a server that is away is said so, and is not waited for at the start', async (t) => {
  const store = openUsersServer({ url: 'postgresql://board@127.0.0.1:1/scanflow' });
  t.after(() => store.close());
  await assert.rejects(store.users(), {
    code: 'LEDGER_UNREACHABLE',
    message: /holds the users of the board.*dashboard\.database\.url/,
  });
});
