/** A ledger that meets with everything, in any order: no step is refused, every state follows from the rest. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Ledger } from './tx.ts';
import { stateOf, type SeriesState, isLegal } from '../model/series.ts';
import { done, FAILURE, LEASE_MS } from './conformance-kit.test.ts';
import { openLedger } from './database.ts';
import { giveBack, nextLeg, nextStore } from './claims.ts';
import { quarantine, releaseSeries, stored } from '../store/sql.ts';
import { retryLegs } from './leg.ts';
import { legFailed, legLater } from './aftermath.ts';
import { forwarded } from '../send/sql.ts';
import { arrived, reconcileListed } from '../intake/step.ts';
import { listSeries } from './views.ts';

const STEPS = 600;
const SEED = 20_261_122;

/** The same sequence each time (a linear congruential generator). */
function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

type Step = (ledger: Ledger, now: number, pick: (below: number) => number) => Promise<unknown>;

const IDS = ['a', 'b', 'c'];
const REASON = { code: 'ROUTE_NO_MATCH', message: 'm' };
let seq = 0;
let increment = 0;

const store: Step = async (ledger, now, pick) => {
  const work = await ledger.write(nextStore, now);
  if (work === undefined) return;
  increment += 1;
  const retry = { attempts: work.attempts + 1, nextTry: now + 50, failure: FAILURE };
  const found = { attributes: {}, inOrthanc: 2, digest: 'd', reason: REASON };
  const ends = [
    () => ledger.write(stored, work, done({ increment }), now),
    () => ledger.write(stored, work, done({ increment, targets: [] }), now),
    () => ledger.write(stored, work, done({ increment, failure: FAILURE }), now),
    () => ledger.write(legLater, work, retry, now),
    () => ledger.write(legFailed, work, FAILURE, now),
    () => ledger.write(quarantine, work, found, now),
    () => ledger.write(giveBack, work, now),
    // it dies
    () => Promise.resolve(),
  ];
  await ends[pick(ends.length)]?.();
};

const forward: Step = async (ledger, now, pick) => {
  const work = await ledger.write(nextLeg, 'pacs', now);
  if (work === undefined) return;
  const retry = { attempts: work.attempts + 1, nextTry: now + 50, failure: FAILURE };
  const ends = [
    () => ledger.write(forwarded, work, increment, undefined, now),
    () => ledger.write(forwarded, work, work.through, FAILURE, now),
    () => ledger.write(legFailed, work, FAILURE, now),
    () => ledger.write(legLater, work, retry, now),
    () => ledger.write(giveBack, work, now),
    () => Promise.resolve(),
  ];
  await ends[pick(ends.length)]?.();
};

const arrive: Step = (ledger, now, pick) => {
  seq += 1;
  return ledger.write(
    arrived,
    { seq, database: undefined },
    [IDS[pick(IDS.length)] ?? 'a'],
    now,
    now + pick(60),
  );
};
const release: Step = (ledger, now, pick) =>
  ledger.write(releaseSeries, IDS[pick(IDS.length)] ?? 'a', undefined, now);
const retry: Step = (ledger, now, pick) =>
  ledger.write(retryLegs, IDS[pick(IDS.length)] ?? 'a', undefined, now);
const reconcile: Step = (ledger, now, pick) =>
  ledger.write(
    reconcileListed,
    [{ id: IDS[pick(IDS.length)] ?? 'a', digest: pick(2) === 0 ? 'd' : 'd1' }],
    now,
    now + 20,
  );

test('ledger: whatever happens in whatever order, every step is a legal one', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-walk-'));
  const ledger = openLedger(join(folder, 'ledger.sqlite'), { leaseMs: LEASE_MS });
  t.after(async () => {
    await ledger.close();
    await rm(folder, { recursive: true, force: true });
  });
  const pick = chance(SEED);
  const steps = [arrive, store, store, store, forward, forward, forward, release, retry, reconcile];
  const before = new Map<string, SeriesState>();
  const seen = new Set<string>();
  let now = 1_000;
  for (let count = 0; count < STEPS; count += 1) {
    // now and then longer than a lease
    now += pick(40) === 0 ? 2 * LEASE_MS : pick(60);
    await steps[pick(steps.length)]?.(ledger, now, pick);
    for (const { id, state, due, reason, legs } of await ledger.read(listSeries, { limit: 9 })) {
      const was = before.get(id) ?? state;
      // a claim and its end may be one round here
      assert.ok(isLegal(was, state) || isLegal('working', state), `${id}: ${was} to ${state}`);
      const facts = { due, quarantined: reason !== undefined, legs: legs.map((leg) => leg.state) };
      assert.equal(state, stateOf(facts), `${id} after ${count} steps`);
      before.set(id, state);
      seen.add(state);
    }
  }
  assert.deepEqual([...seen].sort(), ['collecting', 'complete', 'failed', 'quarantined', 'working']);
});
