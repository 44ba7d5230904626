import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { LEASE_MS } from './conformance-kit.test.ts';
import { conformance } from './conformance.test.ts';
import { MIGRATIONS, openSqlite, openLedger } from './database.ts';
import { arrived } from '../intake/step.ts';
import { readCursor, nextLeg, nextStore, nextTime, renew } from './claims.ts';
import { listSeries } from './views.ts';
import { progressOf } from './leg.ts';
import { legFailed } from './aftermath.ts';

async function place(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-ledger-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'streamer', 'ledger.sqlite');
}

conformance('ledger on SQLite', async (t) => {
  const path = await place(t);
  const ledger = openLedger(path, { leaseMs: LEASE_MS });
  let current = ledger;
  t.after(() => current.close());
  return {
    ledger,
    again: async () => {
      await current.close();
      current = openLedger(path, { leaseMs: LEASE_MS });
      return current;
    },
  };
});

test('ledger: one streamer at a time', async (t) => {
  const path = await place(t);
  const ledger = openLedger(path);
  t.after(() => ledger.close());
  assert.throws(() => openLedger(path), { code: 'LEDGER_IN_USE' });
});

test('ledger: a lock that cannot be written, as on a full disk, is no other streamer', async (t) => {
  const path = await place(t);
  await openLedger(path).close();
  await writeFile(`${path}.lock`, 'no database '.repeat(100));
  assert.throws(() => openLedger(path), /\.lock cannot be written: .+ Check space and permissions/);
});

test('ledger: one of a newer Scanflow is left alone', async (t) => {
  const path = await place(t);
  await openLedger(path).close();
  const file = new DatabaseSync(path);
  file.exec('PRAGMA user_version = 99');
  file.close();
  assert.throws(() => openLedger(path), { code: 'LEDGER_TOO_NEW' });
});

test('ledger: before it is changed for a newer Scanflow, that is told, and only then', async (t) => {
  const path = await place(t);
  await openSqlite(path, MIGRATIONS.slice(0, -2), '').close();
  const told: number[][] = [];
  const onMigration = (from: number, to: number): void => {
    const file = new DatabaseSync(path, { readOnly: true });
    told.push([from, to, Number(file.prepare('PRAGMA user_version').get()?.['user_version'])]);
    file.close();
  };
  for (let start = 0; start < 2; start += 1) await openLedger(path, { onMigration }).close();
  const last = MIGRATIONS.length;
  assert.deepEqual(told, [[last - 2, last, last - 2]]);
  await openLedger(await place(t), { onMigration }).close();
  assert.equal(told.length, 1, 'a new ledger has nothing to lose');
});

test('ledger: a migration that fails leaves the version before it', async (t) => {
  const path = await place(t);
  assert.throws(() => openSqlite(path, [...MIGRATIONS, 'CREATE TABLE more (x); CREATE TABLE series (y)']));
  const ledger = openLedger(path);
  await ledger.write(arrived, { seq: 1, database: undefined }, ['a'], 1, 1);
  await ledger.close();
  const file = new DatabaseSync(path);
  t.after(() => file.close());
  assert.equal(file.prepare('PRAGMA user_version').get()?.['user_version'], MIGRATIONS.length);
  assert.equal(file.prepare(`SELECT count(*) AS n FROM sqlite_schema WHERE name = 'more'`).get()?.['n'], 0);
});

test('ledger: the claims of a process that is gone are void when it is opened again', async (t) => {
  const path = await place(t);
  const ledger = openLedger(path);
  await ledger.write(arrived, { seq: 1, database: undefined }, ['a'], 100, 100);
  const former = await ledger.write(nextStore, 100);
  assert.ok(former !== undefined);
  await ledger.close();
  const next = openLedger(path);
  t.after(() => next.close());
  await assert.rejects(next.write(renew, former, 101), { code: 'LEDGER_LEASE_LOST' });
  assert.equal(await next.read(nextTime, 'storage'), 100);
  assert.equal((await next.write(nextStore, 101))?.series, 'a');
});

test('ledger: one of version 1 is brought up to date, and everything is found', async (t) => {
  const path = await place(t);
  const [first = ''] = MIGRATIONS;
  await openSqlite(path, [first], '').close();
  const file = new DatabaseSync(path);
  file.exec(`
    INSERT INTO cursor VALUES (1, 42, 'db');
    INSERT INTO series (id, state, due, first_seen, updated, attributes, labels, path, increment, in_orthanc, stored, digest)
      VALUES ('a', 'working', NULL, 5, 6, '{"Modality":"MR"}', '{"project":"p","subject":"s","session":"t"}', 'p/s/t', 1, 2, 2, 'd');
    INSERT INTO series (id, state, due, first_seen, updated) VALUES ('b', 'collecting', 70, 7, 8);
    INSERT INTO leg (series, target, state, done, total, updated) VALUES ('a', 'storage', 'done', 2, 2, 6);
    INSERT INTO leg (series, target, state, attempts, next_try, failure_code, failure_message, total, updated)
      VALUES ('a', 'pacs', 'pending', 3, 50, 'X', 'x', 2, 6);
    INSERT INTO progress VALUES ('a', 'pacs', 'i', 'failed', '{}');
  `);
  file.close();
  const ledger = openLedger(path);
  t.after(() => ledger.close());
  assert.deepEqual(await ledger.read(readCursor), { seq: 42, database: 'db' });
  const views = await ledger.read(listSeries, { limit: 9 });
  assert.deepEqual(
    views.map(({ id, state, path: folder, stored }) => [id, state, folder, stored]),
    [
      ['b', 'collecting', undefined, 0],
      ['a', 'working', 'p/s/t', 2],
    ],
  );
  assert.deepEqual(views[1]?.labels, { project: 'p', subject: 's', session: 't' });
  assert.deepEqual(await ledger.read(progressOf, 'a', 'pacs'), [
    { instance: 'i', outcome: 'failed', detail: '{}' },
  ]);
  const work = await ledger.write(nextLeg, 'pacs', 50);
  assert.deepEqual([work?.series, work?.attempts, work?.path], ['a', 3, 'p/s/t']);
  assert.equal((await ledger.write(nextStore, 70))?.series, 'b');
});

test('ledger: a step that is not legal is an error, and changes nothing', async (t) => {
  const path = await place(t);
  const ledger = openLedger(path);
  t.after(() => ledger.close());
  await ledger.write(arrived, { seq: 1, database: undefined }, ['a'], 100, 100);
  const work = await ledger.write(nextStore, 100);
  assert.ok(work !== undefined);
  // somebody wrote into the file
  const file = new DatabaseSync(path);
  file.exec(`UPDATE series SET state = 'quarantined'`);
  file.close();
  const failure = { kind: 'permanent', code: 'X', message: 'x' } as const;
  await assert.rejects(ledger.write(legFailed, work, failure, 101), /from quarantined to failed/);
  await ledger.write(renew, work, 102);
  assert.equal((await ledger.read(listSeries, { limit: 1 }))[0]?.state, 'quarantined');
});

test('ledger: it is written through to the disk', async (t) => {
  const database = openSqlite(await place(t));
  t.after(() => database.close());
  const [journal, synchronous] = await database.read(async (db) => [
    await db.get('PRAGMA journal_mode'),
    await db.get('PRAGMA synchronous'),
  ]);
  assert.equal(journal?.['journal_mode'], 'wal');
  assert.equal(synchronous?.['synchronous'], 2);
});

test('schema: the files are numbered from 1 on, without a gap', async () => {
  const names = (await readdir(join(import.meta.dirname, 'schema'))).sort();
  assert.deepEqual(
    names.map((name) => Number(/^(\d\d)-[a-z-]+\.sql$/.exec(name)?.[1])),
    names.map((_, index) => index + 1),
  );
  assert.equal(names.length, MIGRATIONS.length);
});
