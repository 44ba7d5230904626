import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import { findPostgres, startPostgres, type Postgres } from '@scanflow/testkit';
import { commitmentConformance } from '../commitment/conformance.test.ts';
import { arrivalConformance } from '../intake/conformance.test.ts';
import { eventConformance } from '../hooks/conformance.test.ts';
import { runConformance } from '../hooks/runs.conformance.test.ts';
import { noticeConformance, shareNotices } from '../notices/conformance.test.ts';
import { commitmentLeg } from '../commitment/plan.ts';
import { cursor, done, LEASE_MS, toForward, toStore } from './conformance-kit.test.ts';
import { conformance } from './conformance.test.ts';
import type { Consequences, Ledger } from './tx.ts';
import { openPostgres, MIGRATIONS, openSharedLedger } from './database.ts';
import { arrived, reconcileListed } from '../intake/step.ts';
import { readCursor, setCursor, lead, nextStore } from './claims.ts';
import { listSeries } from './views.ts';
import { legFailed } from './aftermath.ts';
import { stored } from '../store/sql.ts';
import { forwarded } from '../send/sql.ts';
import { accepted, asking, awaiting, commitmentsOf, reported } from '../commitment/sql.ts';

let server: Postgres | undefined;
let made = 0;
before(async () => {
  if (findPostgres() !== undefined) server = await startPostgres();
});
after(() => server?.stop());
const skip = findPostgres() === undefined ? 'PostgreSQL is not installed' : false;

interface Place {
  readonly server: Postgres;
  readonly name: string;
  readonly options: { readonly url: string; readonly password: () => Promise<string> };
}

/** A database of its own. */
async function place(): Promise<Place> {
  assert.ok(server !== undefined);
  made += 1;
  const name = `ledger_${made}`;
  const url = await server.makeDatabase(name);
  const { password } = server;
  return { server, name, options: { url, password: () => Promise.resolve(password) } };
}

async function opened(
  t: TestContext,
  more: { readonly consequences?: Consequences } = {},
): Promise<{ ledger: Ledger; again: () => Promise<Ledger> }> {
  const { options } = await place();
  const open = (): Ledger => openSharedLedger({ ...options, ...more, leaseMs: LEASE_MS });
  let current = open();
  t.after(() => current.close());
  return {
    ledger: current,
    again: async () => {
      await current.close();
      current = open();
      return current;
    },
  };
}

if (skip === false) {
  conformance('ledger on PostgreSQL', (t) => opened(t));
  eventConformance('events on PostgreSQL', (t, consequences) => opened(t, { consequences }));
  runConformance('hooks on PostgreSQL', (t, consequences) => opened(t, { consequences }));
  arrivalConformance('arrivals on PostgreSQL', (t, consequences) => opened(t, { consequences }));
  commitmentConformance('commitment on PostgreSQL', (t, consequences) => opened(t, { consequences }));
  noticeConformance('notices on PostgreSQL', (t, consequences) => opened(t, { consequences }));
}

/** Two streamers' ledgers on one database. */
async function two(
  t: TestContext,
  more: { readonly consequences?: Consequences } = {},
): Promise<Place & { ledgers: ReturnType<typeof openSharedLedger>[] }> {
  const found = await place();
  const ledgers = [1, 2].map(() => openSharedLedger({ ...found.options, ...more, leaseMs: LEASE_MS }));
  t.after(() => Promise.all(ledgers.map((ledger) => ledger.close().catch(() => undefined))));
  return { ...found, ledgers };
}

test(
  'shared ledger: several that open an empty database at once make its tables once',
  { skip },
  async (t) => {
    const { server: running, name, ledgers } = await two(t);
    const cursors = await Promise.all([...ledgers, ...ledgers].map((ledger) => ledger.read(readCursor)));
    assert.deepEqual(cursors, [undefined, undefined, undefined, undefined]);
    assert.equal(await running.query(name, 'SELECT version FROM ledger_version'), `${MIGRATIONS.length}\n`);
  },
);

test('shared ledger: one decides on notices, and each goes out once', { skip }, async (t) => {
  const { ledgers } = await two(t);
  const [first, second] = ledgers;
  assert.ok(first !== undefined && second !== undefined);
  await shareNotices(first, second);
});

test('shared ledger: one reads what Orthanc reports, another takes over', { skip }, async (t) => {
  const { ledgers } = await two(t);
  const [first, second] = ledgers;
  assert.ok(first !== undefined && second !== undefined);
  assert.deepEqual([await first.write(lead, 100), await second.write(lead, 100)], [true, false]);
  assert.equal(await first.write(lead, 100 + LEASE_MS / 2), true);
  assert.equal(await second.write(lead, 100 + LEASE_MS), false, 'the renewal did not count');
  await first.write(arrived, { seq: 5, database: undefined }, ['a'], 100, 100);
  assert.equal(await second.write(lead, 100 + 2 * LEASE_MS), true);
  const lost = { code: 'LEDGER_LEASE_LOST' };
  await assert.rejects(first.write(arrived, { seq: 4, database: undefined }, ['b'], 100, 100), lost);
  await assert.rejects(first.write(setCursor, { seq: 4, database: undefined }), lost);
  await assert.rejects(first.write(reconcileListed, [{ id: 'b', digest: 'd' }], 100, 100), lost);
  assert.deepEqual(
    [(await second.read(readCursor))?.seq, (await second.read(listSeries, { limit: 9 })).length],
    [5, 1],
  );
  assert.equal(await first.write(lead, 100 + 2 * LEASE_MS), false);
  await second.close();
  assert.equal(await first.write(lead, 100 + 2 * LEASE_MS), true, 'what was left is not free at once');
});

test('shared ledger: 200 series, eight workers in two streamers: each is given once', { skip }, async (t) => {
  const { ledgers } = await two(t);
  const [first] = ledgers;
  assert.ok(first !== undefined);
  const ids = Array.from({ length: 200 }, (_, index) => `s${index}`);
  await first.write(arrived, { seq: 1, database: undefined }, ids, 100, 100);
  const given: string[] = [];
  const worker = async (ledger: typeof first): Promise<void> => {
    while (given.length < ids.length) {
      const work = await ledger.write(nextStore, 100);
      if (work === undefined) continue;
      given.push(work.series);
      await ledger.write(legFailed, work, { kind: 'permanent', code: 'X', message: 'x' }, 101);
    }
  };
  await Promise.all(ledgers.flatMap((ledger) => [1, 2, 3, 4].map(() => worker(ledger))));
  assert.deepEqual(given.sort(), ids.sort());
});

test('shared ledger: the server ends and comes back: the same ledger goes on', { skip }, async (t) => {
  const { server: running, ledgers } = await two(t);
  const [ledger] = ledgers;
  assert.ok(ledger !== undefined);
  await ledger.write(arrived, { seq: 7, database: undefined }, ['a'], 100, 100);
  await running.halt();
  try {
    for (let look = 0; look < 3; look += 1)
      await assert.rejects(ledger.write(nextStore, 100), { code: 'LEDGER_UNREACHABLE', kind: 'transient' });
  } finally {
    await running.resume();
  }
  assert.deepEqual(await ledger.read(readCursor), { seq: 7, database: undefined });
  assert.equal((await ledger.write(nextStore, 100))?.series, 'a');
});

test('shared ledger: it may be opened before its server is there', { skip }, async (t) => {
  const { server: running, options } = await place();
  await running.halt();
  const ledger = openSharedLedger(options);
  t.after(() => ledger.close());
  try {
    await assert.rejects(ledger.read(readCursor), { code: 'LEDGER_UNREACHABLE' });
  } finally {
    await running.resume();
  }
  assert.equal(await ledger.read(readCursor), undefined);
});

test('shared ledger: a wrong password, a database that is not there', { skip }, async (t) => {
  const { options } = await place();
  const wrong = openSharedLedger({ ...options, password: () => Promise.resolve('wrong') });
  const nowhere = openSharedLedger({ ...options, url: `${options.url}_not` });
  t.after(() => Promise.all([wrong.close(), nowhere.close()]));
  for (const ledger of [wrong, nowhere])
    await assert.rejects(ledger.read(readCursor), { code: 'LEDGER_DENIED', kind: 'permanent' });
});

test('shared ledger: one of a newer Scanflow is left alone', { skip }, async (t) => {
  const { server: running, name, options } = await place();
  const before99 = openSharedLedger(options);
  await before99.read(readCursor);
  await before99.close();
  await running.query(name, 'UPDATE ledger_version SET version = 99');
  const ledger = openSharedLedger(options);
  t.after(() => ledger.close());
  await assert.rejects(ledger.read(readCursor), { code: 'LEDGER_TOO_NEW' });
});

test('shared ledger: before it is changed for a newer Scanflow, that is told once', { skip }, async (t) => {
  const { options } = await place();
  const old = openPostgres(options, MIGRATIONS.slice(0, -2));
  await old.read(() => Promise.resolve());
  await old.close();
  const told: number[][] = [];
  const onMigration = (from: number, to: number): void => void told.push([from, to]);
  const ledgers = [1, 2].map(() => openSharedLedger({ ...options, onMigration }));
  t.after(() => Promise.all(ledgers.map((ledger) => ledger.close())));
  await Promise.all(ledgers.map((ledger) => ledger.read(readCursor)));
  assert.deepEqual(told, [[MIGRATIONS.length - 2, MIGRATIONS.length]]);
});

test('shared ledger: a migration that fails leaves the version before it', { skip }, async () => {
  const { server: running, name, options } = await place();
  const broken = openPostgres(options, [
    ...MIGRATIONS,
    'CREATE TABLE more (x INTEGER); CREATE TABLE series (y INTEGER)',
  ]);
  await assert.rejects(
    broken.read(() => Promise.resolve()),
    { code: 'LEDGER_FAILED' },
  );
  await broken.close();
  const good = openSharedLedger(options);
  await good.read(readCursor);
  await good.close();
  assert.equal(await running.query(name, 'SELECT version FROM ledger_version'), `${MIGRATIONS.length}\n`);
  assert.equal(await running.query(name, `SELECT to_regclass('more') IS NULL`), 't\n');
});

test(
  'shared ledger: what is committed is on the disk, and a stopped transaction ends',
  { skip },
  async (t) => {
    const { options } = await place();
    const database = openPostgres(options);
    t.after(() => database.close());
    const settings = await database.read(async (db) => [
      (await db.get('SHOW synchronous_commit'))?.['synchronous_commit'],
      (await db.get('SHOW idle_in_transaction_session_timeout'))?.['idle_in_transaction_session_timeout'],
    ]);
    assert.deepEqual(settings, ['on', '30s']);
  },
);

test(
  'ledger on PostgreSQL: a report may reach another streamer than the one that asked',
  { skip },
  async (t) => {
    const consequences: Consequences = { hooksFor: () => [], sessionQuietMs: 0, commits: () => true };
    const { ledgers } = await two(t, { consequences });
    const [asker, other] = ledgers;
    assert.ok(asker !== undefined && other !== undefined);
    await asker.write(lead, 100);
    await asker.write(arrived, cursor(1), ['a'], 100, 100);
    await asker.write(stored, await toStore(asker, 100), done(), 100);
    await asker.write(forwarded, await toForward(asker, 100), 1, undefined, 100);
    const work = await toForward(asker, 100, commitmentLeg('pacs'));
    const { news } = await asker.read(commitmentsOf, work, 'pacs');
    const items = [{ instance: 'i', sopClassUid: '1.2', sopInstanceUid: '1.2.3', increment: 1 }];
    await asker.write(asking, work, { uid: '2.25.1', state: 'asked', round: 1, until: 9_000, items }, 100);
    const report = {
      transactionUid: '2.25.1',
      committed: new Set(['1.2.3']),
      failed: new Map<string, never>(),
    };
    const [taken] = await Promise.all([
      other.write(reported, ['pacs'], report, 101),
      asker.write(accepted, work, '2.25.1', 9_000),
    ]);
    assert.equal(taken.kind, 'taken');
    await asker.write(awaiting, work, { news, nextTry: 9_000, attempts: 0, failure: undefined }, 102);
    const next = await toForward(other, 102, commitmentLeg('pacs'));
    const seen = await other.read(commitmentsOf, next, 'pacs');
    assert.deepEqual([seen.rows.map(({ outcome }) => outcome), seen.transactions], [['done'], []]);
  },
);
