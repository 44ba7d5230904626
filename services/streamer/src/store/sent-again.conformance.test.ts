/** What every ledger does with images that were sent again with other bytes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { STORAGE } from '../model/series.ts';
import type { LegView } from '../ledger/rows.ts';
import {
  cursor,
  decision,
  done,
  leg,
  state,
  toForward,
  toStore,
  type OpenLedger,
} from '../ledger/conformance-kit.test.ts';
import { arrived, reconcileListed } from '../intake/step.ts';
import { quarantine, stored } from './sql.ts';
import { recordProgress } from '../ledger/leg.ts';
import { forwarded, openDestination } from '../send/sql.ts';
import { listSeries, quarantinedSeries, ofUid } from '../ledger/views.ts';
import { moveDone, orderMove, storedAnew } from '../move/sql.ts';

const CORRECTED = { kind: 'permanent', code: 'ROUTE_CORRECTED', message: 'x' } as const;
const countOf = (one: LegView | undefined): unknown[] => [one?.state, one?.done, one?.total];

export function versionsConformance(name: string, open: OpenLedger): void {
  test(`${name}: other bytes of an image are no further image, neither stored nor sent`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 100);
    await ledger.write(stored, await toStore(ledger, 100), done(), 110);
    const first = await toForward(ledger, 110);
    const sent = (instance: string) => ({ instance, outcome: 'done', detail: '' }) as const;
    await ledger.write(recordProgress, first, [sent('i'), sent('j')]);
    await ledger.write(forwarded, first, 1, undefined, 111);
    await ledger.write(arrived, cursor(2), ['a'], 120, 120);
    const corrected = done({ increment: 2, stored: 3, differing: 1 });
    await ledger.write(stored, await toStore(ledger, 120), corrected, 130);
    assert.deepEqual(countOf(await leg(ledger, STORAGE)), ['done', 2, 2]);
    const second = await toForward(ledger, 130);
    assert.equal(second.through, 1, 'what came last is sent');
    await ledger.write(recordProgress, second, [sent('i2')]);
    await ledger.write(forwarded, second, 2, undefined, 131);
    assert.deepEqual(countOf(await leg(ledger, 'pacs')), ['done', 2, 2]);
    const [view] = await ledger.read(listSeries, { limit: 1 });
    assert.deepEqual([view?.state, view?.stored, view?.differing], ['complete', 3, 1]);
    assert.equal(await ledger.write(openDestination, 'a', 'later', 140), true);
    assert.deepEqual(countOf(await leg(ledger, 'later')), ['pending', 0, 2]);
  });

  test(`${name}: a correction that speaks against the labels shows, until they are decided on or changed`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 100);
    const failed = done({ targets: [], failure: CORRECTED });
    await ledger.write(stored, await toStore(ledger, 100), failed, 110);
    assert.equal(await state(ledger), 'failed');
    const labels = { project: 'q', subject: 's', session: 't' };
    const order = {
      decision: { ...decision({ labels, reason: 'x' }), kind: 'move' as const },
      keep: false,
      send: false,
    };
    await ledger.write(orderMove, 'a', order, 120);
    const work = await toStore(ledger, 120);
    const moved = { at: order.decision.at, by: 'anna', reason: 'x', from: { path: 'p' }, to: { path: 'q' } };
    await ledger.write(storedAnew, work, { path: 'q', images: 2, renamed: false, moved, targets: [] }, 121);
    await ledger.write(moveDone, work, [], 122);
    assert.deepEqual(countOf(await leg(ledger, STORAGE)), ['done', 2, 2]);
    assert.equal(await state(ledger), 'complete');
  });

  test(`${name}: a series that was corrected in part waits for its images or a person, not for bookings`, async (t) => {
    const { ledger } = await open(t);
    for (const [seq, id] of ['a', 'b'].entries()) {
      await ledger.write(arrived, cursor(seq + 1), [id], 100, 100);
      const code = id === 'a' ? 'ROUTE_CORRECTED_IN_PART' : 'ROUTE_NO_MATCH';
      const found = { attributes: {}, inOrthanc: 2, digest: 'd', reason: { code, message: 'x' } };
      await ledger.write(quarantine, await toStore(ledger, 100), found, 101);
    }
    assert.deepEqual(
      (await ledger.read(quarantinedSeries)).map(({ id }) => id),
      ['b'],
    );
  });

  test(`${name}: a series that was sent again under another patient is found by its UID`, async (t) => {
    const { ledger } = await open(t);
    const attributes = { SeriesInstanceUID: '1.2' };
    await ledger.write(arrived, cursor(1), ['a', 'b'], 100, 100);
    for (const at of [101, 102])
      await ledger.write(stored, await toStore(ledger, at), done({ targets: [], attributes }), at);
    assert.deepEqual(
      (await ledger.read(ofUid, '1.2')).map(({ id }) => id),
      ['a', 'b'],
    );
    assert.deepEqual(await ledger.read(ofUid, '1'), []);
  });

  test(`${name}: a version that Orthanc no longer reports is found by what it lists`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 100);
    await ledger.write(stored, await toStore(ledger, 100), done({ targets: [], digest: 'd' }), 110);
    assert.equal(await ledger.write(reconcileListed, [{ id: 'a', digest: 'd' }], 120, 130), 0);
    assert.equal(await ledger.write(reconcileListed, [{ id: 'a', digest: 'd with a version' }], 120, 130), 1);
    assert.equal(await state(ledger), 'collecting');
  });
}
