import assert from 'node:assert/strict';
import { mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { damageIn, quickCheck } from '@scanflow/database';
import { putAside, openLedger } from './database.ts';
import { arrived } from '../intake/step.ts';

/** A ledger with rows, closed. */
async function made(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-ledger-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'ledger.sqlite');
  const ledger = openLedger(path);
  const ids = Array.from({ length: 500 }, (_, index) => `series-${index}`);
  await ledger.write(arrived, { seq: 1, database: undefined }, ids, 1, 1);
  await ledger.close();
  return path;
}

async function overwrite(path: string, from: number, bytes: number): Promise<void> {
  const file = await open(path, 'r+');
  await file.write(Buffer.alloc(bytes, 0x41), 0, undefined, from);
  await file.close();
}

for (const [what, from] of [
  ['its head', 0],
  ['a page in the middle', 4096 * 9],
] as const)
  test(`damage: ${what} is overwritten: the ledger is refused with what to do, and stays as it is`, async (t) => {
    const path = await made(t);
    await overwrite(path, from, 4096 * 4);
    assert.throws(() => openLedger(path), { code: 'LEDGER_CORRUPT', kind: 'permanent', message: /rebuild/ });
    // nobody holds it afterwards
    assert.throws(() => openLedger(path), { code: 'LEDGER_CORRUPT' });
  });

test('damage: other errors of SQLite are none', () => {
  const db = new DatabaseSync(':memory:');
  assert.throws(
    () => db.exec('SELECT * FROM nowhere'),
    (error) => damageIn(error) === undefined,
  );
  assert.equal(damageIn(new Error('database disk image is malformed')), undefined);
  db.close();
});

test('damage: a check that takes too long is ended between two tables', () => {
  const db = new DatabaseSync(':memory:');
  db.exec('CREATE TABLE a (x); CREATE TABLE b (x)');
  const times = [0, 0, 11];
  let looks = 0;
  const clock = (): number => times[looks++] ?? 99;
  assert.equal(quickCheck(db, 10, [], clock), undefined);
  assert.equal(looks, 3);
  db.close();
});

test('damage: what is put aside keeps its bytes, with the log beside it', async (t) => {
  const path = await made(t);
  await overwrite(`${path}-wal`, 0, 32).catch(() => undefined);
  const aside = await putAside(path, Temporal.Instant.from('2026-11-28T21:22:08.5Z'));
  assert.equal(aside, `${path}.aside-20261128T212208Z`);
  const names = await readdir(dirname(path));
  assert.ok(names.includes('ledger.sqlite.aside-20261128T212208Z') && !names.includes('ledger.sqlite'));
});
