/** The statements of every round find their rows by indexes, in a ledger of many finished series. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findPostgres, startPostgres } from '@scanflow/testkit';
import type { Database, Row, Statements, Value } from '@scanflow/database';
import type { Ledger } from './tx.ts';
import { done, FAILURE, toForward, toStore } from './conformance-kit.test.ts';
import { ledgerOn, openPostgres, openSqlite } from './database.ts';
import { addFinished } from './many.test.ts';
import { giveBack, nextTime, renew, clampTimers, lead, readCursor } from './claims.ts';
import { arrived, reconcileListed } from '../intake/step.ts';
import { listSeries, quarantinedSeries } from './views.ts';
import { bindFolder, stored } from '../store/sql.ts';
import { progressOf, recordProgress } from './leg.ts';
import { findSessions, searchSeries, sessionsOfDay, type SeriesFilter } from './search.ts';
import { legLater } from './aftermath.ts';
import { forwarded } from '../send/sql.ts';
import { nextDelivery, nextDeliveryTime } from '../hooks/sql.ts';
import {
  adjustVerify,
  giveBackVerify,
  claimLegOf,
  isStoring,
  recordLook,
  nextVerify,
  renewVerify,
  verifySummary,
} from '../verify/sql.ts';
import { askVerify, nextAsked } from '../verify/sql-jobs.ts';

/** The database, and the plan of each statement that was run on it. */
function explained(database: Database, explain: string): { database: Database; plans: Map<string, string> } {
  const plans = new Map<string, string>();
  const watched = (tx: Statements): Statements => {
    const note = async (sql: string, values: readonly Value[]): Promise<void> => {
      const rows = await tx.all(`${explain} ${sql}`, values);
      const line = (row: Row): string => String(row['detail'] ?? row['QUERY PLAN']);
      plans.set(sql, rows.map(line).join('\n'));
    };
    return {
      dialect: tx.dialect,
      get: async (sql, values = []) => (await note(sql, values), tx.get(sql, values)),
      all: async (sql, values = []) => (await note(sql, values), tx.all(sql, values)),
      run: async (sql, values = []) => (await note(sql, values), tx.run(sql, values)),
    };
  };
  return {
    plans,
    database: {
      transaction: (work) => database.transaction((tx) => work(watched(tx))),
      read: (work) => database.read((tx) => work(watched(tx))),
      close: () => database.close(),
    },
  };
}

/** What is asked of the ledger all the time. */
async function everyRound(ledger: Ledger): Promise<void> {
  await ledger.write(lead, 1_000);
  await ledger.read(readCursor);
  await ledger.write(arrived, { seq: 1, database: undefined }, ['a', 'b'], 1_000, 1_000);
  await ledger.write(reconcileListed, [{ id: 'finished-7', digest: 'd' }], 1_000, 1_000);
  await ledger.write(clampTimers, 1_000_000, 1_000_000);
  await ledger.read(quarantinedSeries);
  const work = await toStore(ledger, 1_000);
  await ledger.write(renew, work, 1_000);
  await ledger.write(bindFolder, work, done(), 1_000);
  await ledger.write(recordProgress, work, [{ instance: 'i', outcome: 'done', detail: '{}' }]);
  await ledger.read(progressOf, work.series, work.target);
  await ledger.write(stored, work, done(), 1_000);
  const other = await toStore(ledger, 1_000);
  await ledger.write(legLater, other, { attempts: 1, nextTry: 2_000, failure: FAILURE }, 1_000);
  await ledger.write(giveBack, await toStore(ledger, 2_000), 2_000);
  const sending = await toForward(ledger, 2_000);
  await ledger.write(forwarded, sending, 1, undefined, 2_000);
  await everyVerification(ledger);
  for (const target of ['storage', 'pacs']) await ledger.read(nextTime, target);
  await ledger.write(nextDelivery, 'hook', 2_000);
  await ledger.read(nextDeliveryTime, 'hook');
  await ledger.read(listSeries, { limit: 10 });
}

async function everyVerification(ledger: Ledger): Promise<void> {
  await ledger.write(adjustVerify, { every: 1_000_000_000, until: 100_000 }, 1_000);
  const work = await ledger.write(nextVerify, 100_000_000);
  assert.ok(work !== undefined, 'nothing is due');
  await ledger.write(renewVerify, work, 1_000);
  await ledger.write(giveBackVerify, work, 1_000);
  const again = await ledger.write(nextVerify, 100_000_000);
  assert.ok(again !== undefined);
  const good = { files: 1, bytes: 1, failure: undefined, findings: [], digest: undefined };
  await ledger.write(recordLook, again, good, { due: 2_000 }, 1_000);
  await ledger.write(askVerify, { series: again.series }, { repair: false, by: 'somebody' }, 1_000);
  const asked = await ledger.write(nextAsked, 1_000);
  assert.ok(asked !== undefined);
  await ledger.write(recordLook, asked, good, { due: 2_000 }, 1_000);
  await ledger.read(verifySummary);
  await ledger.read(isStoring);
  await ledger.write(claimLegOf, again.series, 'storage', 1_000);
}

test('ledger plans: SQLite looks through no table, and sorts nothing', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-plans-'));
  const file = openSqlite(join(folder, 'ledger.sqlite'));
  t.after(async () => {
    await file.close();
    await rm(folder, { recursive: true, force: true });
  });
  await addFinished(file, 2_000);
  const { database, plans } = explained(file, 'EXPLAIN QUERY PLAN');
  await everyRound(ledgerOn(database, 100));
  assert.ok(plans.size > 25, `only ${plans.size} statements were seen`);
  const bad = [...plans].filter(([, plan]) => plan.split('\n').some(looksThrough));
  assert.deepEqual(bad, []);
});

/** As a facility has them: four series in a session, ten sessions in a project. */
const describeFinished = (file: Database): Promise<void> =>
  file.transaction(async (tx) => {
    await tx.run(
      `UPDATE series SET session = 'session-' || (first_seen / 4), sender = 'PRISMA',
         accession = 'A' || (first_seen / 4), study = '1.' || (first_seen / 4), uid = '1.2.' || first_seen,
         labels = '{"project":"p' || (first_seen / 40) || '","subject":"s' || (first_seen / 8) || '","session":"t' || (first_seen / 4) || '"}',
         attributes = '{"Modality":"MR","AccessionNumber":"A' || (first_seen / 4) || '","StudyInstanceUID":"1.' || (first_seen / 4)
           || '","SeriesInstanceUID":"1.2.' || first_seen || '"}'`,
    );
    await tx.run(
      'INSERT INTO session (id, first_seen, updated) SELECT session, min(first_seen), min(first_seen) FROM series GROUP BY session',
    );
    await tx.run('ANALYZE');
  });

test('ledger plans: each filter of the board finds its series by an index, and a page reads its own rows alone', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-plans-'));
  const file = openSqlite(join(folder, 'ledger.sqlite'));
  t.after(async () => {
    await file.close();
    await rm(folder, { recursive: true, force: true });
  });
  await addFinished(file, 10_000);
  await describeFinished(file);
  const { database, plans } = explained(file, 'EXPLAIN QUERY PLAN');
  const ledger = ledgerOn(database, 100);
  const filters: SeriesFilter[] = [
    ...[{}, { state: 'failed' as const }, { target: 'pacs', leg: 'failed' as const }, { code: 'X' }],
    ...[{ project: 'p' }, { subject: 's' }, { session: 't' }, { accession: 'A' }, { modality: 'CT' }],
    ...[{ senders: ['PRISMA'] }, { from: 9_000, to: 9_100 }, { projects: ['p', 'q'] }],
    ...[
      { target: 'pacs', waits: true },
      { target: 'pacs', leg: 'paused' as const },
    ],
  ];
  for (const filter of filters) await ledger.read(searchSeries, filter, { offset: 0, limit: 50 });
  for (const sort of ['came', 'session', 'state'] as const)
    await ledger.read(searchSeries, {}, { offset: 0, limit: 50, sort, up: true });
  await ledger.read(findSessions, 'A1');
  await ledger.read(sessionsOfDay, 9_000, 9_100, { accessions: ['A1'], studies: [], series: [] });
  const bad = [...plans].filter(([, plan]) => plan.split('\n').some(looksThrough));
  assert.deepEqual(bad, []);
  const through = [...plans].filter(
    ([sql, plan]) => sql.includes('WHERE session IN') && /SCAN series/.test(plan),
  );
  assert.deepEqual(through, []);
  const sorted = [...plans].filter(
    ([sql, plan]) => / FROM series\s+ORDER BY/.test(sql) && plan.includes('TEMP B-TREE FOR ORDER BY'),
  );
  assert.deepEqual(sorted, []);
  const whole = [...plans.keys()].filter((sql) => sql.startsWith('SELECT * FROM series'));
  assert.ok(whole.every((sql) => /WHERE (id IN \(\?|session IN)/.test(sql)));
});

/** A scan without an index, or a sort of rows of the large tables. */
const looksThrough = (line: string): boolean =>
  /^SCAN (series|leg|progress|verification|s|l|v|i)\b(?!.* USING )/.test(line) ||
  /USE TEMP B-TREE FOR (GROUP|DISTINCT)/.test(line);

const skip = findPostgres() === undefined ? 'PostgreSQL is not installed' : false;

test('ledger plans: PostgreSQL looks through no table', { skip }, async (t) => {
  const server = await startPostgres();
  const { password } = server;
  const shared = openPostgres({ url: server.url, password: () => Promise.resolve(password) });
  t.after(async () => {
    await shared.close();
    await server.stop();
  });
  await addFinished(shared, 20_000);
  const { database, plans } = explained(shared, 'EXPLAIN');
  await everyRound(ledgerOn(database, 100));
  assert.ok(plans.size > 25, `only ${plans.size} statements were seen`);
  const bad = [...plans].filter(([, plan]) => /Seq Scan on (series|leg|verification)\b/.test(plan));
  assert.deepEqual(bad, []);
});
