import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createLog } from '@scanflow/runtime';
import { FailureError, transient } from '@scanflow/failure';
import { setImmediate as turn } from 'node:timers/promises';
import { openLedger } from '../ledger/database.ts';
import { LEG_LEASE, underLease, type Lease, type LeaseDeps, Batch } from './worker.ts';
import type { Ledger, Claim } from '../ledger/tx.ts';
import type { StoreWork } from '../ledger/rows.ts';
import { arrived } from '../intake/step.ts';
import { nextStore, renew } from '../ledger/claims.ts';

const LEASE_MS = 300;
/** A timer of Node.js may end a little before its time. */
const EARLY_MS = 3;
const clock = { now: () => Temporal.Now.instant().epochMilliseconds, random: () => 0.5 };

async function claimed(t: TestContext): Promise<{ ledger: Ledger; work: StoreWork; deps: LeaseDeps }> {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-lease-'));
  const ledger = openLedger(join(folder, 'ledger.sqlite'), { leaseMs: LEASE_MS });
  t.after(async () => {
    await ledger.close();
    await rm(folder, { recursive: true, force: true });
  });
  await ledger.write(arrived, { seq: 1, database: undefined }, ['a'], 0, 0);
  const work = await ledger.write(nextStore, clock.now());
  assert.ok(work !== undefined);
  const log = createLog({ service: 'test', level: 'error' });
  return { ledger, work, deps: { ledger, clock, log } };
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

test('lease: it is renewed while the work lasts, and given back at its end', async (t) => {
  const { ledger, work, deps } = await claimed(t);
  let renewals = 0;
  const counting: Lease<Claim> = {
    ...LEG_LEASE,
    renew: async (...given) => {
      await renew(...given);
      renewals += 1;
    },
  };
  const enough = Promise.withResolvers<undefined>();
  const watch = setInterval(() => {
    if (renewals > 4) enough.resolve(undefined);
  }, 10);
  t.after(() => clearInterval(watch));
  const long = async (signal: AbortSignal): Promise<void> => {
    await enough.promise;
    assert.equal(signal.aborted, false);
  };
  await underLease(work, deps, new AbortController().signal, long, counting);
  assert.equal((await ledger.write(nextStore, clock.now()))?.series, 'a');
});

test('lease: the work is told when another has taken it over', async (t) => {
  const { ledger, work, deps } = await claimed(t);
  await underLease(work, deps, new AbortController().signal, async (signal) => {
    const other = await ledger.write(nextStore, clock.now() + 1000 * LEASE_MS);
    assert.equal(other?.series, 'a');
    await aborted(signal);
  });
  // the other one has it still
  assert.equal(await ledger.write(nextStore, clock.now()), undefined);
});

test('lease: the work is told when the ledger was out of reach for as long as the lease', async (t) => {
  const { ledger, work, deps } = await claimed(t);
  const away = new FailureError(transient('LEDGER_UNREACHABLE', 'away'));
  const cut = { leaseMs: LEASE_MS, write: () => Promise.reject(away) };
  const began = performance.now();
  await underLease(work, { ...deps, ledger: cut }, new AbortController().signal, aborted);
  assert.ok(performance.now() - began >= LEASE_MS - EARLY_MS);
  assert.equal((await ledger.write(nextStore, clock.now() + LEASE_MS))?.series, 'a');
});

test('lease: an error of the work is passed on, and the claim given back', async (t) => {
  const { ledger, work, deps } = await claimed(t);
  const failing = underLease(work, deps, new AbortController().signal, () => Promise.reject(new Error('no')));
  await assert.rejects(failing, /no/);
  assert.equal((await ledger.write(nextStore, clock.now()))?.series, 'a');
});

test('batch: rows are handed on in order, and the rest at the end', async () => {
  const batches: number[][] = [];
  const batch = new Batch<number>(3, async (rows) => {
    await turn();
    batches.push([...rows]);
  });
  for (let row = 1; row <= 7; row += 1) await batch.add(row);
  await batch.end();
  assert.deepEqual(batches, [[1, 2, 3], [4, 5, 6], [7]]);
});
