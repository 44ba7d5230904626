/** What every ledger does with legs that are opened alongside storage. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COPY } from '../model/series.ts';
import {
  cursor,
  done,
  FAILURE,
  leg,
  LEASE_MS,
  LOST,
  state,
  toForward,
  type OpenLedger,
} from '../ledger/conformance-kit.test.ts';
import { arrived } from '../intake/step.ts';
import { nextStore, nextTime } from '../ledger/claims.ts';
import { progressOf, recordProgress } from '../ledger/leg.ts';
import { copied } from './step.ts';
import { quarantine, stored } from '../store/sql.ts';
import { legLater } from '../ledger/aftermath.ts';

const reason = { code: 'ROUTE_NO_MATCH', message: 'x' };

export function copyingConformance(name: string, open: OpenLedger): void {
  test(`${name}: a leg alongside is opened with storage, and does not wait for it`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 100);
    assert.equal(await ledger.read(nextTime, COPY), undefined);
    const storing = await ledger.write(nextStore, 100, [COPY]);
    assert.ok(storing !== undefined);
    assert.equal(await ledger.read(nextTime, COPY), 100);
    const copying = await toForward(ledger, 100, COPY);
    await ledger.write(recordProgress, copying, [{ instance: 'i', outcome: 'done', detail: '{}' }]);
    await ledger.write(copied, copying, { done: 2, total: 2, failure: undefined }, 110);
    const copy = await leg(ledger, COPY);
    assert.deepEqual([copy?.state, copy?.done, copy?.total], ['done', 2, 2]);
    assert.deepEqual(await ledger.read(progressOf, 'a', COPY), []);
    assert.equal(await state(ledger), 'working');
    await ledger.write(stored, storing, done({ targets: [] }), 120);
    assert.equal(await state(ledger), 'complete');
  });

  test(`${name}: a quarantined series has its leg alongside`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 100);
    const storing = await ledger.write(nextStore, 100, [COPY]);
    assert.ok(storing !== undefined);
    await ledger.write(quarantine, storing, { attributes: {}, inOrthanc: 2, digest: 'd', reason }, 110);
    const copying = await toForward(ledger, 110, COPY);
    await ledger.write(copied, copying, { done: 2, total: 2, failure: undefined }, 120);
    assert.equal(await state(ledger), 'quarantined');
    assert.equal((await leg(ledger, COPY))?.state, 'done');
  });

  test(`${name}: a leg alongside that missed what came meanwhile cannot end, and begins anew`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 100);
    const first = await ledger.write(nextStore, 100, [COPY]);
    assert.ok(first !== undefined);
    const copying = await toForward(ledger, 100, COPY);
    await ledger.write(stored, first, done({ targets: [] }), 110);
    await ledger.write(arrived, cursor(2), ['a'], 120, 130);
    await ledger.write(nextStore, 130, [COPY]);
    await assert.rejects(ledger.write(copied, copying, { done: 2, total: 2, failure: undefined }, 140), LOST);
    const again = await toForward(ledger, 140, COPY);
    await ledger.write(copied, again, { done: 3, total: 3, failure: undefined }, 150);
    assert.equal((await leg(ledger, COPY))?.done, 3);
  });

  test(`${name}: a leg alongside fails and waits by itself, and storing that is tried again leaves it`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 100);
    const storing = await ledger.write(nextStore, 100, [COPY]);
    assert.ok(storing !== undefined);
    const copying = await toForward(ledger, 100, COPY);
    await ledger.write(
      copied,
      copying,
      { done: 1, total: 2, failure: { ...FAILURE, kind: 'permanent' } },
      110,
    );
    await ledger.write(legLater, storing, { attempts: 1, nextTry: 200, failure: FAILURE }, 110);
    assert.ok((await ledger.write(nextStore, 200 + LEASE_MS, [COPY])) !== undefined);
    const copy = await leg(ledger, COPY);
    assert.deepEqual([copy?.state, copy?.failure?.code, copy?.done, copy?.total], ['failed', 'X', 1, 2]);
  });
}
