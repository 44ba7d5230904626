import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { FailureError, permanent, transient } from '@scanflow/failure';
import type { Database } from './database.ts';
import { LEASE_MIGRATIONS } from './lease.ts';
import { Leadership } from './leadership.ts';
import { openSqlite } from './sqlite.ts';

const LEASE_MS = 10_000;

interface Scene {
  readonly database: Database;
  /** Of a process with a clock of its own. */
  readonly process: () => { leadership: Leadership; later: (ms: number) => void };
  /** The database's clock goes on: leases end earlier. */
  readonly databaseLater: (ms: number) => Promise<void>;
  readonly away: (is: boolean) => void;
}

function scene(t: TestContext): Scene {
  const folder = mkdtempSync(join(tmpdir(), 'scanflow-leadership-'));
  const unusable = (): FailureError => new FailureError(permanent('UNEXPECTED', 'unusable'));
  const file = openSqlite({
    path: join(folder, 'leases.sqlite'),
    migrations: LEASE_MIGRATIONS,
    faults: { inUse: unusable, damaged: unusable, tooNew: unusable },
  });
  t.after(async () => {
    await file.close();
    rmSync(folder, { recursive: true });
  });
  let isAway = false;
  const reached = (): Promise<void> =>
    isAway
      ? Promise.reject(new FailureError(transient('LEDGER_UNREACHABLE', 'It is away.')))
      : Promise.resolve();
  const database: Database = {
    ...file,
    transaction: (work) => reached().then(() => file.transaction(work)),
    read: (work) => reached().then(() => file.read(work)),
  };
  return {
    database,
    process() {
      let now = 1_000;
      const leadership = new Leadership({ database, name: 'cal2wl', leaseMs: LEASE_MS, clock: () => now });
      return { leadership, later: (ms) => (now += ms) };
    },
    databaseLater: async (ms) => {
      await file.transaction((tx) => tx.run('UPDATE lease SET until = until - ?', [ms]));
    },
    away: (is) => {
      isAway = is;
    },
  };
}

const leads = async (one: Leadership): Promise<boolean> => (await one.look()).leads;
const STANDBY = { code: 'STANDBY' };

test('leadership: one leads and renews; the other names it, and takes over after the lease', async (t) => {
  const { process: start, databaseLater } = scene(t);
  const [one, two] = [start(), start()];
  assert.deepEqual([await leads(one.leadership), await leads(two.leadership)], [true, false]);
  await one.leadership.guard().require();
  assert.match(two.leadership.standing().leader ?? '', new RegExp(`:${process.pid}$`));
  assert.match(two.leadership.refusal().message, /^This cal2wl stands by: .*:\d+ leads\./);
  await assert.rejects(two.leadership.guard().require(), STANDBY);
  one.later(LEASE_MS / 2);
  await databaseLater(LEASE_MS / 2);
  assert.equal(await leads(one.leadership), true);
  await databaseLater(LEASE_MS * 0.8);
  assert.equal(await leads(two.leadership), false, 'the renewal did not count');
  await databaseLater(LEASE_MS * 0.2);
  assert.equal(await leads(two.leadership), true);
});

test('leadership: the own clock ends it a tenth before the lease ends, whatever the database says', async (t) => {
  const { process: start } = scene(t);
  const { leadership, later } = start();
  await leadership.look();
  const guard = leadership.guard();
  later(LEASE_MS * 0.9 - 1);
  guard.mustHold();
  later(1);
  assert.equal(guard.holds(), false);
  assert.throws(() => guard.mustHold(), STANDBY);
  assert.equal(await leads(leadership), true, 'nobody else wanted it');
  await assert.rejects(guard.require(), STANDBY, 'a step of before the pause');
  await leadership.guard().require();
});

test('leadership: the row counts where the own clock stood still', async (t) => {
  const { process: start, databaseLater } = scene(t);
  const [one, two] = [start(), start()];
  await one.leadership.look();
  const guard = one.leadership.guard();
  await databaseLater(LEASE_MS);
  await assert.rejects(guard.require(), STANDBY, 'the lease ended, and nobody has taken it yet');
  assert.equal(await leads(two.leadership), true);
  await assert.rejects(guard.require(), STANDBY);
  assert.equal(one.leadership.holds(), false);
});

test('leadership: who takes a lease anew learns that another may have led', async (t) => {
  const { process: start, databaseLater } = scene(t);
  const [one, two] = [start(), start()];
  await one.leadership.look();
  const guard = one.leadership.guard();
  await databaseLater(LEASE_MS);
  await two.leadership.look();
  await two.leadership.leave();
  assert.equal(await leads(one.leadership), true);
  assert.equal(guard.holds(), false, 'what was read before is old');
  assert.equal(one.leadership.guard().holds(), true);
});

test('leadership: without the database nobody leads beyond the lease, and no step is taken', async (t) => {
  const { process: start, away } = scene(t);
  const [one, two] = [start(), start()];
  await one.leadership.look();
  away(true);
  const guard = one.leadership.guard();
  await assert.rejects(guard.require(), { code: 'LEASE_UNKNOWN', message: /cannot show.* It is away\.$/ });
  assert.equal((await one.leadership.look()).failure?.code, 'LEASE_UNKNOWN');
  assert.equal((await two.leadership.look()).failure?.code, 'LEASE_UNKNOWN');
  assert.equal(one.leadership.holds(), true);
  one.later(LEASE_MS);
  assert.equal(one.leadership.holds(), false);
  away(false);
  assert.deepEqual(await one.leadership.look(), { leads: true, leader: undefined, failure: undefined });
});

test('leadership: who leaves or rests makes way at once', async (t) => {
  const { process: start } = scene(t);
  const [one, two] = [start(), start()];
  await one.leadership.look();
  await one.leadership.rest();
  assert.equal(await leads(one.leadership), false);
  assert.equal(await leads(two.leadership), true);
  await two.leadership.leave();
  one.later(LEASE_MS);
  assert.equal(await leads(one.leadership), true);
});

test('leadership: follow tells when it begins, and ends with its signal', async (t) => {
  const { database } = scene(t);
  const leadership = new Leadership({ database, name: 'cal2wl', leaseMs: 100 });
  const ending = new AbortController();
  await new Promise<void>((resolve) => {
    void leadership.follow((isLeader) => {
      assert.equal(isLeader, true);
      resolve();
    }, ending.signal);
  });
  ending.abort();
});
