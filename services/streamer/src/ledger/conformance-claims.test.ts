/** What every ledger does about who works on what. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { STORAGE } from '../model/series.ts';
import {
  cursor,
  done,
  FAILURE,
  LEASE_MS,
  leg,
  LOST,
  state,
  toForward,
  toStore,
  type OpenLedger,
} from './conformance-kit.test.ts';
import { arrived, reconcileListed } from '../intake/step.ts';
import { giveBack, nextLeg, nextStore, nextTime, renew, lead } from './claims.ts';
import { bindFolder, quarantine, stored } from '../store/sql.ts';
import { progressOf, recordProgress } from './leg.ts';
import { legFailed, legLater } from './aftermath.ts';
import { listSeries } from './views.ts';
import { forwarded } from '../send/sql.ts';

export function claimsConformance(name: string, open: OpenLedger): void {
  test(`${name}: a series is given when its quiet time is over`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 160);
    assert.equal(await ledger.write(nextStore, 159), undefined);
    await ledger.write(arrived, cursor(2), ['a'], 150, 210);
    assert.equal(await ledger.write(nextStore, 160), undefined, 'the timer did not start anew');
    assert.equal((await toStore(ledger, 210)).series, 'a');
    assert.equal(await state(ledger), 'working');
  });

  test(`${name}: two claims at once: one gets the work`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 100);
    const claims = await Promise.all([1, 2, 3, 4].map(() => ledger.write(nextStore, 100)));
    assert.deepEqual(
      claims.flatMap((work) => work?.series ?? []),
      ['a'],
    );
    const [work] = claims.filter((one) => one !== undefined);
    assert.ok(work !== undefined);
    await ledger.write(stored, work, done(), 110);
    const sends = await Promise.all([1, 2, 3, 4].map(() => ledger.write(nextLeg, 'pacs', 110)));
    assert.equal(sends.filter((one) => one !== undefined).length, 1);
  });

  test(`${name}: many series, many claims at once: each is given once`, async (t) => {
    const { ledger } = await open(t);
    const ids = Array.from({ length: 12 }, (_, index) => `s${String(index).padStart(2, '0')}`);
    await ledger.write(arrived, cursor(1), ids, 100, 100);
    const given: string[] = [];
    const worker = async (): Promise<void> => {
      while (given.length < ids.length) {
        const work = await ledger.write(nextStore, 100);
        if (work === undefined) continue;
        given.push(work.series);
        await ledger.write(stored, work, done({ targets: [] }), 101);
      }
    };
    await Promise.all([worker(), worker(), worker(), worker()]);
    assert.deepEqual(given.sort(), ids);
  });

  test(`${name}: what is in a worker's hands is nobody else's, late images or not, until its lease ends`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 100);
    const work = await toStore(ledger, 100);
    await ledger.write(arrived, cursor(2), ['a'], 101, 101);
    assert.equal(await ledger.write(nextStore, 102), undefined);
    assert.equal(await ledger.read(nextTime, STORAGE), 100 + LEASE_MS);
    await ledger.write(renew, work, 600);
    assert.equal(await ledger.write(nextStore, 100 + LEASE_MS), undefined, 'the renewal did not count');
    assert.equal((await leg(ledger, STORAGE))?.nextTry, null);
    assert.equal((await toStore(ledger, 600 + LEASE_MS)).series, 'a');
  });

  test(`${name}: a lease that ran out is taken over, and its former owner's writes are refused`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 100);
    const former = await toStore(ledger, 100);
    await ledger.write(bindFolder, former, done(), 100);
    const later = 100 + LEASE_MS;
    const work = await toStore(ledger, later);
    assert.equal(work.path, 'p/s/t');
    const retry = { attempts: 1, nextTry: later, failure: FAILURE };
    const reason = { code: 'ROUTE_NO_MATCH', message: 'm' };
    const writes: readonly (() => Promise<unknown>)[] = [
      () => ledger.write(renew, former, later),
      () => ledger.write(bindFolder, former, done({ path: 'q' }), later),
      () => ledger.write(recordProgress, former, [{ instance: 'i', outcome: 'done', detail: '{}' }]),
      () => ledger.write(stored, former, done({ stored: 1 }), later),
      () => ledger.write(legLater, former, retry, later),
      () => ledger.write(legFailed, former, FAILURE, later),
      () => ledger.write(quarantine, former, { attributes: {}, inOrthanc: 1, digest: 'd', reason }, later),
    ];
    for (const write of writes) await assert.rejects(write(), LOST, String(write));
    await ledger.write(giveBack, former, later);
    assert.equal(
      await ledger.write(nextStore, later),
      undefined,
      'the former owner gave back what is not its own',
    );
    const before = await ledger.read(listSeries, { limit: 1 });
    assert.deepEqual(before[0]?.path, 'p/s/t');
    assert.deepEqual(await ledger.read(progressOf, 'a', STORAGE), []);
    await ledger.write(stored, work, done(), later);
    await assert.rejects(
      ledger.write(stored, former, done({ stored: 1 }), later),
      LOST,
      'after the successor’s end',
    );
    assert.equal((await ledger.read(listSeries, { limit: 1 }))[0]?.stored, 2);

    const sender = await toForward(ledger, later);
    const successor = await toForward(ledger, later + LEASE_MS);
    const sends: readonly (() => Promise<unknown>)[] = [
      () => ledger.write(forwarded, sender, 1, undefined, later),
      () => ledger.write(legFailed, sender, FAILURE, later),
      () => ledger.write(legLater, sender, retry, later),
    ];
    for (const write of sends) await assert.rejects(write(), LOST, String(write));
    await ledger.write(forwarded, successor, 1, undefined, later);
    assert.equal(await state(ledger), 'complete');
  });

  test(`${name}: who reads what Orthanc reports goes on doing so, also after the clock stepped back`, async (t) => {
    const { ledger, again } = await open(t);
    assert.equal(await ledger.write(lead, 100_000), true);
    assert.equal(await ledger.write(lead, 100_001), true);
    assert.equal(await ledger.write(lead, 5), true);
    const next = await again();
    assert.equal(await next.write(lead, 6), true);
    assert.equal(await next.write(reconcileListed, [{ id: 'c', digest: 'd' }], 7, 8), 1);
  });

  test(`${name}: what is given back is free at once`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 100);
    const work = await toStore(ledger, 100);
    await ledger.write(giveBack, work, 101);
    assert.equal(await ledger.read(nextTime, STORAGE), 101);
    const again = await toStore(ledger, 101);
    await ledger.write(stored, again, done(), 102);
    await ledger.write(giveBack, again, 103);
    assert.equal((await leg(ledger, STORAGE))?.state, 'done', 'what has ended is opened by giving it back');
  });
}
