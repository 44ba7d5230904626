/** What every ledger does with legs that are done and whose files may be missing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COPY, STORAGE } from '../model/series.ts';
import {
  cursor,
  done,
  FAILURE,
  leg,
  state,
  toForward,
  toStore,
  type OpenLedger,
} from '../ledger/conformance-kit.test.ts';
import { arrived } from '../intake/step.ts';
import { nextStore } from '../ledger/claims.ts';
import { stored } from './sql.ts';
import { copied } from '../copy/step.ts';
import { listSeries } from '../ledger/views.ts';
import { recheck } from '../ledger/leg.ts';

export function recheckingConformance(name: string, open: OpenLedger): void {
  test(`${name}: a complete series whose files may be missing is open again, and says why`, async (t) => {
    const { ledger, again } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 100);
    const first = await ledger.write(nextStore, 100, [COPY]);
    assert.ok(first !== undefined);
    assert.equal(first.recheck, false);
    await ledger.write(stored, first, done({ targets: [] }), 110);
    const copying = await toForward(ledger, 110, COPY);
    await ledger.write(copied, copying, { done: 2, total: 2, failure: undefined, path: 'c/d' }, 110);
    assert.equal(await state(ledger), 'complete');
    assert.equal((await ledger.read(listSeries, { limit: 1 }))[0]?.copyPath, 'c/d');
    assert.deepEqual(await ledger.write(recheck, 'a', [STORAGE, COPY], 120), [STORAGE, COPY]);
    assert.equal(await state(ledger), 'working');
    // killed here, it is still known
    const later = await again();
    assert.deepEqual(await later.write(recheck, 'a', [STORAGE], 121), [STORAGE]);
    const work = await toStore(later, 130);
    assert.deepEqual([work.recheck, work.stored, work.digest, work.increment], [true, 2, 'd1', 1]);
    await later.write(stored, work, done({ targets: [] }), 140);
    const copy = await toForward(later, 140, COPY);
    assert.deepEqual([copy.recheck, copy.increment], [true, 1]);
    await later.write(copied, copy, { done: 2, total: 2, failure: undefined }, 140);
    assert.equal(await state(later), 'complete');
  });

  test(`${name}: late images make a look at the files a common storing again`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 100);
    await ledger.write(stored, await toStore(ledger, 100), done({ targets: [] }), 110);
    await ledger.write(recheck, 'a', [STORAGE], 120);
    await ledger.write(arrived, cursor(2), ['a'], 130, 130);
    assert.equal((await toStore(ledger, 140)).recheck, false);
  });

  test(`${name}: a leg that failed is not opened by a look at the files`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 100);
    const failure = { ...FAILURE, kind: 'permanent' } as const;
    await ledger.write(stored, await toStore(ledger, 100), done({ targets: [], failure }), 110);
    assert.deepEqual(await ledger.write(recheck, 'a', [STORAGE], 120), []);
    assert.equal((await leg(ledger, STORAGE))?.state, 'failed');
    assert.equal(await state(ledger), 'failed');
  });
}
