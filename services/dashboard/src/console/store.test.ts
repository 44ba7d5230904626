import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { DatabaseSync } from 'node:sqlite';
import { findPostgres, startPostgres, type Postgres } from '@scanflow/testkit';
import { openConsolesFile, openConsolesServer } from '../access/open.ts';
import { IDLE_MS, type ConsoleStore } from './store.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;

async function openedFile(t: TestContext): Promise<{ store: ConsoleStore; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-consoles-'));
  const store = openConsolesFile(join(folder, 'consoles.sqlite'));
  t.after(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });
  return { store, folder };
}
const cookie = async (store: ConsoleStore, name = 'prisma', now = 0): Promise<string> =>
  (await store.open(name, await store.link(name, now), now)) ?? assert.fail('the link opens its console');

let server: Postgres | undefined;
let made = 0;
before(async () => {
  if (findPostgres() !== undefined) server = await startPostgres();
});
after(() => server?.stop());

async function openedServer(t: TestContext): Promise<{ store: ConsoleStore }> {
  assert.ok(server !== undefined);
  const { password } = server;
  made += 1;
  const url = await server.makeDatabase(`consoles_${made}`);
  const store = openConsolesServer({ url, password: () => Promise.resolve(password) });
  t.after(() => store.close());
  return { store };
}

const KINDS = [
  ['SQLite', openedFile, false],
  ['PostgreSQL', openedServer, findPostgres() === undefined ? 'no PostgreSQL here' : false],
] as const;
for (const [kind, opened, skip] of KINDS) {
  test(
    `${kind}, consoles: a link opens its own console, as often as it is used, until it is revoked or replaced`,
    { skip },
    async (t) => {
      const { store } = await opened(t);
      const word = await store.link('prisma', 0);
      const [first = '', second = ''] = [
        await store.open('prisma', word, 1),
        await store.open('prisma', word, 2),
      ];
      assert.notEqual(first, second);
      assert.equal(await store.open('skyra', word, 1), undefined);
      assert.equal(await store.open('prisma', 'another', 1), undefined);
      assert.equal(await store.counts('prisma', first, 3), true);
      assert.equal(await store.counts('skyra', first, 3), false);
      assert.deepEqual(await store.list(), [{ name: 'prisma', made: 0, open: 2, seen: 2 }]);
      const next = await store.link('prisma', 4);
      assert.deepEqual(
        [await store.counts('prisma', first, 5), await store.open('prisma', word, 5)],
        [false, undefined],
      );
      const third = (await store.open('prisma', next, 5)) ?? '';
      assert.deepEqual([await store.revoke('prisma'), await store.revoke('prisma')], [true, false]);
      assert.deepEqual(
        [await store.counts('prisma', third, 6), await store.open('prisma', next, 6)],
        [false, undefined],
      );
      assert.deepEqual(await store.list(), []);
    },
  );

  test(
    `${kind}, consoles: a cookie is renewed each hour; its former word ends a minute after the new one came back`,
    { skip },
    async (t) => {
      const { store } = await opened(t);
      const old = await cookie(store);
      assert.deepEqual(await store.use('prisma', old, HOUR - 1), {});
      const fresh = (await store.use('prisma', old, HOUR))?.renewed ?? '';
      assert.notEqual(fresh, '');
      // a second page that loads at the same time gets no other word
      assert.deepEqual(await store.use('prisma', old, HOUR + 1), {});
      assert.deepEqual(await store.use('prisma', fresh, HOUR + 2), {});
      assert.equal(await store.counts('prisma', old, HOUR + MINUTE), true);
      assert.equal(await store.counts('prisma', old, HOUR + 2 * MINUTE), false);
      assert.equal(await store.use('prisma', old, HOUR + 2 * MINUTE), undefined);
      assert.equal(await store.counts('prisma', fresh, HOUR + 2 * MINUTE), true);
    },
  );

  test(
    `${kind}, consoles: a browser that lost the answer with its new word stays, and gets another one`,
    { skip },
    async (t) => {
      const { store } = await opened(t);
      const old = await cookie(store);
      await store.use('prisma', old, HOUR);
      const again = (await store.use('prisma', old, HOUR + 2 * MINUTE))?.renewed ?? '';
      assert.notEqual(again, '');
      assert.equal(await store.counts('prisma', old, HOUR + 10 * MINUTE), true);
      assert.deepEqual(await store.use('prisma', again, HOUR + 11 * MINUTE), {});
    },
  );

  test(
    `${kind}, consoles: a cookie that nobody used for long ends, and a console has a bounded number of them`,
    { skip },
    async (t) => {
      const { store } = await opened(t);
      const word = await store.link('prisma', 0);
      const first = (await store.open('prisma', word, 0)) ?? '';
      assert.equal(await store.counts('prisma', first, IDLE_MS), true);
      assert.equal(await store.counts('prisma', first, IDLE_MS + 1), false);
      for (let turn = 1; turn <= 60; turn += 1) await store.open('prisma', word, turn);
      assert.equal((await store.list())[0]?.open, 50);
      assert.equal(await store.counts('prisma', first, 61), false);
    },
  );
}

test('consoles: neither a link nor a cookie is on disk, and both outlive a restart', async (t) => {
  const { store, folder } = await openedFile(t);
  const word = await store.link('prisma', 0);
  const own = (await store.open('prisma', word, 0)) ?? '';
  for (const name of await readdir(folder)) {
    const bytes = await readFile(join(folder, name));
    assert.deepEqual([bytes.includes(word), bytes.includes(own)], [false, false], name);
  }
  await store.close();
  const later = openConsolesFile(join(folder, 'consoles.sqlite'));
  t.after(() => later.close());
  assert.equal(await later.counts('prisma', own, 1), true);
});

test('consoles: a file of before has its links still', async (t) => {
  const { store, folder } = await openedFile(t);
  const own = await cookie(store);
  await store.close();
  const path = join(folder, 'consoles.sqlite');
  // the first version counted no steps of its tables
  const file = new DatabaseSync(path);
  file.exec('PRAGMA user_version = 0');
  file.close();
  const later = openConsolesFile(path);
  t.after(() => later.close());
  assert.equal(await later.counts('prisma', own, 1), true);
});
