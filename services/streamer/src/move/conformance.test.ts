/** What every ledger does with a series that a person wants moved, and with who sent it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MoveOrder } from '../model/decision.ts';
import { STORAGE } from '../model/series.ts';
import type { Ledger } from '../ledger/tx.ts';
import type { StoredAnew, StoreWork } from '../ledger/rows.ts';
import {
  cursor,
  decision,
  done,
  FAILURE,
  leg,
  LEASE_MS,
  LOST,
  state,
  toForward,
  toStore,
  type OpenLedger,
} from '../ledger/conformance-kit.test.ts';
import { arrived } from '../intake/step.ts';
import { stored } from '../store/sql.ts';
import { forwarded } from '../send/sql.ts';
import { moveDone, moveFailed, orderMove, storedAnew } from './sql.ts';
import { erasableSeries, rewriteMoves } from '../erase/sql.ts';
import { giveBack, nextStore } from '../ledger/claims.ts';
import { listSeries, knownSenders, noteSender } from '../ledger/views.ts';

const TO = { project: 'q', subject: 's', session: 't' };
const ORDER = {
  decision: { ...decision({ labels: TO, reason: 'wrong item' }), kind: 'move' },
  keep: false,
  send: false,
} as const satisfies Omit<MoveOrder, 'was'>;
const ANEW: StoredAnew = {
  path: 'q/s/t',
  images: 2,
  renamed: false,
  moved: {
    at: ORDER.decision.at,
    by: 'anna',
    reason: 'wrong item',
    from: { path: 'p/s/t' },
    to: { path: 'q/s/t', labels: TO },
  },
  targets: [],
};

async function complete(ledger: Ledger): Promise<void> {
  await ledger.write(arrived, cursor(1), ['a'], 100, 100);
  await ledger.write(stored, await toStore(ledger, 100), done(), 110);
  await ledger.write(forwarded, await toForward(ledger, 110), 1, undefined, 110);
}

const refusal = (ledger: Ledger, now: number): Promise<string> =>
  ledger.write(orderMove, 'a', ORDER, now).then(
    () => 'taken',
    (error: unknown) => (error instanceof Error ? error.message : ''),
  );

export function movingConformance(name: string, open: OpenLedger): void {
  test(`${name}: what is on record of moves can be written anew`, async (t) => {
    const { ledger } = await open(t);
    await complete(ledger);
    await ledger.write(rewriteMoves, 'a', [{ ...ANEW.moved, reason: '(erased)' }], 120);
    const [held] = await ledger.read(erasableSeries, '', 9);
    assert.deepEqual(
      held?.moved?.map(({ reason }) => reason),
      ['(erased)'],
    );
  });

  test(`${name}: a move is ordered, done under the lease of storage, and survives its streamer`, async (t) => {
    const { ledger, again } = await open(t);
    await complete(ledger);
    await ledger.write(orderMove, 'a', ORDER, 120);
    assert.equal(await state(ledger), 'working');
    const work = await toStore(ledger, 120);
    assert.deepEqual(work.moving, { ...ORDER, was: { path: 'p/s/t', labels: done().labels } });
    assert.equal(await ledger.write(nextStore, 121), undefined, 'another one moves it, too');
    // killed here
    const later = await again();
    const second = await toStore(later, 120 + LEASE_MS);
    await assert.rejects(later.write(storedAnew, work, ANEW, 130), LOST);
    await later.write(storedAnew, second, ANEW, 130);
    const [half] = await later.read(listSeries, { limit: 1 });
    assert.deepEqual([half?.path, half?.labels, half?.decision], ['q/s/t', TO, ORDER.decision]);
    assert.deepEqual(half?.moving?.stored, {});
    await later.write(moveDone, second, ['notes.txt'], 140);
    const [view] = await later.read(listSeries, { limit: 1 });
    assert.deepEqual([view?.state, view?.moving], ['complete', undefined]);
    assert.deepEqual(view?.moved, [{ ...ANEW.moved, left: ['notes.txt'] }]);
    assert.equal((await leg(later, 'pacs'))?.state, 'done', 'nobody wanted it sent again');
  });

  test(`${name}: a series that is not at rest is not moved, and says why`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 200);
    assert.match(await refusal(ledger, 101), /still arrive/);
    await ledger.write(stored, await toStore(ledger, 200), done(), 210);
    await ledger.write(arrived, cursor(2), ['a'], 220, 300);
    assert.match(await refusal(ledger, 221), /still arrive/);
    const work = await toStore(ledger, 300);
    assert.match(await refusal(ledger, 301), /is being stored/);
    await ledger.write(stored, work, done(), 310);
    // a destination that is down is no reason: pacs is pending
    assert.equal(await refusal(ledger, 311), 'taken');
    assert.match(await refusal(ledger, 312), /is being moved already/);
    const other = { ...ORDER, decision: { ...ORDER.decision, labels: done().labels ?? TO } };
    await ledger.write(moveFailed, await toStore(ledger, 320), { ...FAILURE, kind: 'permanent' }, 320);
    assert.equal((await leg(ledger, STORAGE))?.failure?.code, FAILURE.code);
    await assert.rejects(ledger.write(orderMove, 'a', other, 321), /under these labels already/);
  });

  test(`${name}: who sends a series while it is moved begins anew; wanted, all destinations get it once more`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 100);
    await ledger.write(stored, await toStore(ledger, 100), done(), 110);
    const sending = await toForward(ledger, 110);
    await ledger.write(orderMove, 'a', ORDER, 120);
    await ledger.write(storedAnew, await toStore(ledger, 120), { ...ANEW, targets: ['pacs', 'other'] }, 130);
    await assert.rejects(ledger.write(forwarded, sending, 1, undefined, 131), LOST);
    const anew = await toForward(ledger, 131);
    assert.deepEqual([anew.path, anew.through], ['q/s/t', 0]);
    assert.equal((await toForward(ledger, 131, 'other')).path, 'q/s/t');
  });

  test(`${name}: what comes while a series is moved is stored after that`, async (t) => {
    const { ledger } = await open(t);
    await complete(ledger);
    await ledger.write(orderMove, 'a', ORDER, 120);
    const first: StoreWork = await toStore(ledger, 120);
    await ledger.write(arrived, cursor(2), ['a'], 125, 125);
    await ledger.write(giveBack, first, 126);
    // claimed by its timer, it is moved first, and the timer stays
    const work = await toStore(ledger, 130);
    assert.notEqual(work.moving, undefined);
    await ledger.write(storedAnew, work, ANEW, 131);
    await ledger.write(moveDone, work, [], 132);
    assert.equal(await state(ledger), 'collecting');
    const late = await toStore(ledger, 133);
    assert.deepEqual([late.moving, late.path, late.labels], [undefined, 'q/s/t', TO]);
  });

  test(`${name}: what storing had failed for is still so after a move`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 100);
    const failure = { ...FAILURE, kind: 'permanent' } as const;
    await ledger.write(stored, await toStore(ledger, 100), done({ targets: [], failure }), 110);
    await ledger.write(orderMove, 'a', ORDER, 120);
    const work = await toStore(ledger, 120);
    await ledger.write(storedAnew, work, ANEW, 130);
    await ledger.write(moveDone, work, [], 140);
    assert.equal(await state(ledger), 'failed');
    assert.deepEqual((await leg(ledger, STORAGE))?.failure, { code: 'X', message: 'x' });
  });

  test(`${name}: the latest senders are known, however many there were`, async (t) => {
    const { ledger } = await open(t);
    const sender = (aet: string) => ({ aet, called: 'ORTHANC', address: '10.0.0.1' });
    for (let at = 1; at <= 205; at += 1) await ledger.write(noteSender, sender(`S${at}`), at);
    await ledger.write(noteSender, sender('S100'), 300);
    const senders = await ledger.read(knownSenders);
    assert.equal(senders.length, 200);
    assert.deepEqual(senders[0], { ...sender('S100'), firstSeen: 100, lastSeen: 300 });
    assert.equal(
      senders.some(({ aet }) => aet === 'S1'),
      false,
    );
  });
}
