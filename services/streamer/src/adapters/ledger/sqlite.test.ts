import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { conformance } from './conformance.test.ts';
import { openDatabase } from './database.ts';
import { MIGRATIONS } from './schema.ts';
import { openLedger } from './sqlite.ts';

async function place(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-ledger-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'streamer', 'ledger.sqlite');
}

conformance('ledger on SQLite', async (t) => {
  const path = await place(t);
  const ledger = openLedger(path);
  let current = ledger;
  t.after(() => current.close());
  return {
    ledger,
    again: async () => {
      await current.close();
      current = openLedger(path);
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

test('ledger: one of a newer Scanflow is left alone', async (t) => {
  const path = await place(t);
  await openLedger(path).close();
  const file = new DatabaseSync(path);
  file.exec('PRAGMA user_version = 99');
  file.close();
  assert.throws(() => openLedger(path), { code: 'LEDGER_TOO_NEW' });
});

test('ledger: a migration that fails leaves the version before it', async (t) => {
  const path = await place(t);
  assert.throws(() => openDatabase(path, [...MIGRATIONS, 'CREATE TABLE more (x); CREATE TABLE series (y)']));
  const ledger = openLedger(path);
  await ledger.arrived({ seq: 1, database: undefined }, ['a'], 1, 1);
  await ledger.close();
  const file = new DatabaseSync(path);
  t.after(() => file.close());
  assert.equal(file.prepare('PRAGMA user_version').get()?.['user_version'], MIGRATIONS.length);
  assert.equal(file.prepare(`SELECT count(*) AS n FROM sqlite_schema WHERE name = 'more'`).get()?.['n'], 0);
});

test('ledger: it is written through to the disk', async (t) => {
  const db = openDatabase(await place(t));
  t.after(() => db.close());
  assert.equal(db.get('PRAGMA journal_mode')?.['journal_mode'], 'wal');
  assert.equal(db.get('PRAGMA synchronous')?.['synchronous'], 2);
});

test('ledger: the queries of every round use indexes', async (t) => {
  const db = openDatabase(await place(t));
  t.after(() => db.close());
  const plan = (sql: string, ...values: (string | number)[]): string =>
    db
      .all(`EXPLAIN QUERY PLAN ${sql}`, ...values)
      .map((row) => String(row['detail']))
      .join('; ');
  const hot = [
    plan('SELECT id FROM series WHERE due IS NOT NULL AND due <= ? ORDER BY due LIMIT 1', 1),
    plan(
      `SELECT series FROM leg WHERE target = ? AND state = 'pending' AND next_try <= ? ORDER BY next_try LIMIT 1`,
      'x',
      1,
    ),
    plan(`SELECT min(next_try) AS time FROM leg WHERE target = ? AND state = 'pending'`, 'x'),
    plan('SELECT min(due) AS time FROM series WHERE due IS NOT NULL'),
    plan(`SELECT id, attributes FROM series WHERE state = 'quarantined'`),
    plan('SELECT * FROM series ORDER BY updated DESC LIMIT 1'),
    plan('SELECT state FROM leg WHERE series = ?', 'x'),
  ];
  for (const one of hot) {
    assert.match(one, /USING (COVERING )?INDEX|USING PRIMARY KEY/);
    assert.doesNotMatch(one, /USE TEMP B-TREE/);
  }
});
