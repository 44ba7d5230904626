/**
 * Claiming the next work in a ledger of many finished series takes at most twice as long as in an empty one. Of
 * 1,000,000 series: `npm run bench:ledger`.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { findPostgres, startPostgres } from '@scanflow/testkit';
import type { Database } from '@scanflow/database';
import type { Ledger } from './tx.ts';
import { ledgerOn, openPostgres, openSqlite } from './database.ts';
import { addFinished } from './many.test.ts';
import { giveBack, nextLeg, nextStore, nextTime } from './claims.ts';
import { nextVerify } from '../verify/sql.ts';
import { nextAsked } from '../verify/sql-jobs.ts';
import { arrived } from '../intake/step.ts';

const FINISHED = Number(process.env['LEDGER_FINISHED'] ?? 50_000);
const ROUNDS = 100;
const BOUND = 2;

/** Milliseconds that it takes to claim a series that is due, and to see that nothing is to be sent. */
async function claim(ledger: Ledger, now: number): Promise<number> {
  const began = performance.now();
  const work = await ledger.write(nextStore, now);
  await ledger.write(nextLeg, 'pacs', now);
  await ledger.read(nextTime, 'storage');
  await ledger.write(nextVerify, now);
  await ledger.write(nextAsked, now);
  const ms = performance.now() - began;
  assert.ok(work !== undefined, 'nothing is due');
  await ledger.write(giveBack, work, now);
  return ms;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

async function compare(t: TestContext, empty: Database, full: Database): Promise<void> {
  await addFinished(full, FINISHED);
  const [none, many] = [ledgerOn(empty), ledgerOn(full)];
  for (const ledger of [none, many])
    await ledger.write(arrived, { seq: 1, database: undefined }, ['due'], 1, 1);
  const times = { none: [] as number[], many: [] as number[] };
  // in turn, so that whatever else this machine does is met by both
  for (let round = 0; round < ROUNDS; round += 1) {
    times.none.push(await claim(none, 10 + round));
    times.many.push(await claim(many, 10 + round));
  }
  const ratio = median(times.many) / median(times.none);
  t.diagnostic(
    `${FINISHED} finished series: ${median(times.many).toFixed(2)} ms; none: ${median(times.none).toFixed(2)} ms; ratio ${ratio.toFixed(2)}`,
  );
  assert.ok(ratio <= BOUND, `${ratio.toFixed(2)} times as long as in an empty ledger`);
}

test('ledger: claiming among many finished series, on SQLite', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-finished-'));
  const databases = ['empty', 'full'].map((name) => openSqlite(join(folder, name)));
  const [empty, full] = databases;
  assert.ok(empty !== undefined && full !== undefined);
  t.after(async () => {
    for (const database of databases) await database.close();
    await rm(folder, { recursive: true, force: true });
  });
  await compare(t, empty, full);
});

const skip = findPostgres() === undefined ? 'PostgreSQL is not installed' : false;

test('ledger: claiming among many finished series, on PostgreSQL', { skip }, async (t) => {
  const server = await startPostgres();
  const open = async (name: string): Promise<Database> =>
    openPostgres({
      url: await server.makeDatabase(name),
      password: () => Promise.resolve(server.password),
      statementMs: 600_000,
    });
  const [empty, full] = [await open('empty'), await open('filled')];
  t.after(async () => {
    await empty.close();
    await full.close();
    await server.stop();
  });
  await compare(t, empty, full);
});
