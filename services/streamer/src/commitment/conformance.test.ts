/** Storage commitment in every ledger: run against each of them by its tests. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commitmentLeg, named, readNamed, type CommitmentItem } from './plan.ts';
import type { Consequences, Ledger } from '../ledger/tx.ts';
import type { LegWork } from '../ledger/rows.ts';
import type { OpenFollowed } from '../hooks/conformance.test.ts';
import {
  cursor,
  done,
  FAILURE,
  leg,
  LEASE_MS,
  LOST,
  state,
  toForward,
  toStore,
} from '../ledger/conformance-kit.test.ts';
import { arrived } from '../intake/step.ts';
import { stored } from '../store/sql.ts';
import { progressOf, recordProgress } from '../ledger/leg.ts';
import { forwarded } from '../send/sql.ts';
import {
  accepted,
  asking,
  awaiting,
  commitmentsOf,
  committed,
  decided,
  notAsked,
  reported,
  resendFiles,
} from './sql.ts';
import { cleanable } from '../cleanup/step.ts';
import { nextLeg } from '../ledger/claims.ts';
import { prune } from '../hooks/sql.ts';

const LEG = commitmentLeg('pacs');
const item = (instance: string, increment = 1): CommitmentItem => ({
  instance,
  sopClassUid: '1.2',
  sopInstanceUid: `1.2.${instance === 'i' ? 1 : 2}`,
  increment,
});
const ITEMS = [item('i'), item('j')];
const none = { committed: new Set<string>(), failed: new Map<string, never>() };
const COMMITTED = { ...none, committed: new Set(['1.2.1', '1.2.2']) };
const HALF = {
  committed: new Set(['1.2.1']),
  failed: new Map([['1.2.2', { text: '0112, no such object instance', askAgain: false }]]),
};

/** Both images were sent at `now`; the claim of the commitment's leg. */
async function sent(ledger: Ledger, now = 100): Promise<LegWork> {
  await ledger.write(arrived, cursor(1), ['a'], now, now);
  await ledger.write(stored, await toStore(ledger, now), done(), now);
  const work = await toForward(ledger, now);
  await ledger.write(recordProgress, work, [
    { instance: 'i', outcome: 'done', detail: '' },
    { instance: 'j', outcome: 'done', detail: '' },
  ]);
  await ledger.write(forwarded, work, 1, undefined, now);
  return toForward(ledger, now, LEG);
}

async function ask(ledger: Ledger, work: LegWork, uid: string, round = 1, now = 100): Promise<void> {
  await ledger.write(asking, work, { uid, state: 'asked', round, until: now + 500, items: ITEMS }, now);
  await ledger.write(accepted, work, uid, now + 500);
}

const consequences: Consequences = {
  hooksFor: () => [],
  sessionQuietMs: 0,
  commits: (destination) => destination === 'pacs',
};

const wait = (news: number, nextTry: number) => ({ news, nextTry, attempts: 0, failure: undefined });

export function commitmentConformance(name: string, open: OpenFollowed): void {
  test(`${name}: what was sent is complete only when it is committed`, async (t) => {
    const { ledger } = await open(t, consequences);
    const work = await sent(ledger);
    assert.deepEqual([work.target, work.through], [LEG, 0]);
    assert.equal(await state(ledger), 'working');
    assert.equal((await ledger.read(cleanable, 1e9, 9)).length, 0);
    const { news, sent: through, unsent, transactions } = await ledger.read(commitmentsOf, work, 'pacs');
    assert.deepEqual([through, unsent.size, transactions.length], [1, 0, 0]);
    await ask(ledger, work, '2.25.1');
    await ledger.write(awaiting, work, wait(news, 600), 101);
    assert.equal(await ledger.write(nextLeg, LEG, 599), undefined, 'a report is due');
    const taken = await ledger.write(reported, ['pacs'], { transactionUid: '2.25.1', ...COMMITTED }, 200);
    const told = { series: 'a', target: LEG, late: false };
    assert.deepEqual(taken, { kind: 'taken', committed: 2, failed: 0, ...told });
    const again = await toForward(ledger, 200, LEG);
    const now = await ledger.read(commitmentsOf, again, 'pacs');
    assert.deepEqual(
      now.rows.map(({ outcome }) => outcome),
      ['done', 'done'],
    );
    await ledger.write(committed, again, { news: now.news, through: 1, failure: undefined }, 201);
    assert.equal(await state(ledger), 'complete');
    const view = await leg(ledger, LEG);
    assert.deepEqual([view?.state, view?.done, view?.total, view?.through], ['done', 2, 2, 1]);
    assert.equal((await ledger.read(cleanable, 1e9, 9)).length, 1);
  });

  test(`${name}: a report counts once, for the destination that was asked, and only if somebody asked`, async (t) => {
    const { ledger, again } = await open(t, consequences);
    const work = await sent(ledger);
    await ask(ledger, work, '2.25.1');
    const report = { transactionUid: '2.25.1', ...COMMITTED };
    assert.deepEqual(await ledger.write(reported, ['other'], report, 101), { kind: 'unknown' });
    assert.deepEqual(await ledger.write(reported, ['pacs'], { ...report, transactionUid: '2.25.2' }, 101), {
      kind: 'unknown',
    });
    // whoever asked is gone
    const later = await again();
    assert.equal((await later.write(reported, ['other', 'pacs'], report, 102)).kind, 'taken');
    assert.deepEqual(await later.write(reported, ['pacs'], { ...report, ...HALF }, 103), {
      kind: 'duplicate',
      series: 'a',
    });
    const held = await toForward(later, 200_000, LEG);
    assert.ok(
      (await later.read(commitmentsOf, held, 'pacs')).rows.every(({ outcome }) => outcome === 'done'),
    );
  });

  test(`${name}: a report that comes while the leg is held is not missed`, async (t) => {
    const { ledger } = await open(t, consequences);
    const work = await sent(ledger);
    const { news } = await ledger.read(commitmentsOf, work, 'pacs');
    const transaction = { uid: '2.25.1', state: 'asked', round: 1, until: 600, items: ITEMS } as const;
    await ledger.write(asking, work, transaction, 100);
    await ledger.write(reported, ['pacs'], { transactionUid: '2.25.1', ...COMMITTED }, 101);
    // the response to the request comes after the report
    await ledger.write(accepted, work, '2.25.1', 600);
    assert.equal((await ledger.read(commitmentsOf, work, 'pacs')).transactions.length, 0);
    await ledger.write(awaiting, work, wait(news, 600), 102);
    const next = await toForward(ledger, 102, LEG);
    // nor an end that has not seen it
    await ledger.write(committed, next, { news, through: 1, failure: undefined }, 103);
    assert.equal(await state(ledger), 'working');
    assert.equal((await toForward(ledger, 103, LEG)).series, 'a');
  });

  test(`${name}: what is named as failed is sent again, when nobody is sending`, async (t) => {
    const { ledger } = await open(t, consequences);
    const work = await sent(ledger);
    await ask(ledger, work, '2.25.1');
    await ledger.write(reported, ['pacs'], { transactionUid: '2.25.1', ...HALF }, 101);
    const { rows, news } = await ledger.read(commitmentsOf, work, 'pacs');
    const again = rows.filter(({ outcome }) => outcome === 'again');
    assert.deepEqual(
      again.map(({ instance, detail }) => [instance, readNamed(detail).tries, readNamed(detail).resent]),
      [['j', 1, false]],
    );
    // late images are being sent
    await ledger.write(arrived, cursor(2), ['a'], 101, 101);
    await ledger.write(stored, await toStore(ledger, 101), done({ increment: 2, stored: 3 }), 101);
    const sending = await toForward(ledger, 101);
    assert.equal(await ledger.write(resendFiles, work, 'pacs', again, 102), false);
    await ledger.write(recordProgress, sending, [{ instance: 'k', outcome: 'done', detail: '' }]);
    await ledger.write(forwarded, sending, 2, undefined, 103);
    assert.equal(await ledger.write(resendFiles, work, 'pacs', again, 104), true);
    await ledger.write(awaiting, work, wait(news, 600), 104);
    const resending = await toForward(ledger, 104);
    assert.deepEqual(await ledger.read(progressOf, 'a', 'pacs'), [
      { instance: 'j', outcome: 'again', detail: '' },
    ]);
    await ledger.write(recordProgress, resending, [{ instance: 'j', outcome: 'done', detail: '' }]);
    await ledger.write(forwarded, resending, 2, undefined, 105);
    const pacs = await leg(ledger, 'pacs');
    assert.deepEqual([pacs?.state, pacs?.done, pacs?.total], ['done', 3, 3]);
    const next = await toForward(ledger, 105, LEG);
    const now = await ledger.read(commitmentsOf, next, 'pacs');
    assert.deepEqual([now.sent, now.unsent.size], [2, 0]);
    assert.deepEqual(
      now.rows.map(({ instance, outcome }) => [instance, outcome]),
      [
        ['i', 'done'],
        ['j', 'again'],
      ],
    );
  });

  test(`${name}: a request that never got there is forgotten, one in vain still takes its report`, async (t) => {
    const { ledger } = await open(t, consequences);
    const work = await sent(ledger);
    await ledger.write(
      asking,
      work,
      { uid: '2.25.1', state: 'asked', round: 1, until: 600, items: ITEMS },
      100,
    );
    await ledger.write(notAsked, work, '2.25.1');
    assert.equal((await ledger.read(commitmentsOf, work, 'pacs')).transactions.length, 0);
    await ask(ledger, work, '2.25.2');
    await ledger.write(notAsked, work, '2.25.2');
    await ledger.write(decided, work, { rows: [], ended: [{ uid: '2.25.2', state: 'expired' }] }, 700);
    assert.equal((await ledger.read(commitmentsOf, work, 'pacs')).transactions[0]?.state, 'expired');
    const late = await ledger.write(reported, ['pacs'], { transactionUid: '2.25.2', ...COMMITTED }, 701);
    assert.equal(late.kind === 'taken' && late.late, true);
  });

  test(`${name}: what was given up for want of a report is mended by a late one`, async (t) => {
    const { ledger } = await open(t, consequences);
    const work = await sent(ledger);
    await ask(ledger, work, '2.25.1');
    const failure = { kind: 'permanent', code: 'COMMITMENT_EXPIRED', message: 'm' } as const;
    const rows = ITEMS.map(({ instance }) => ({
      instance,
      outcome: 'failed' as const,
      detail: JSON.stringify(failure),
    }));
    await ledger.write(decided, work, { rows, ended: [{ uid: '2.25.1', state: 'closed' }] }, 700);
    const { news } = await ledger.read(commitmentsOf, work, 'pacs');
    await ledger.write(committed, work, { news, through: 1, failure }, 700);
    assert.equal(await state(ledger), 'failed');
    assert.equal((await leg(ledger, LEG))?.failure?.code, 'COMMITMENT_EXPIRED');
    await ledger.write(reported, ['pacs'], { transactionUid: '2.25.1', ...COMMITTED }, 800);
    assert.equal(await state(ledger), 'working');
    const next = await toForward(ledger, 800, LEG);
    const now = await ledger.read(commitmentsOf, next, 'pacs');
    await ledger.write(committed, next, { news: now.news, through: 1, failure: undefined }, 801);
    assert.equal(await state(ledger), 'complete');
    assert.deepEqual([(await leg(ledger, LEG))?.done, (await leg(ledger, LEG))?.failure], [2, undefined]);
  });

  test(`${name}: without the claim nothing is written, and old requests are forgotten`, async (t) => {
    const { ledger } = await open(t, consequences);
    const work = await sent(ledger);
    await ask(ledger, work, '2.25.1');
    const taker = await toForward(ledger, 100 + LEASE_MS, LEG);
    for (const late of [
      () =>
        ledger.write(decided, work, { rows: [{ instance: 'i', outcome: 'done', detail: '' }], ended: [] }, 1),
      () => ledger.write(asking, work, { uid: '2.25.9', state: 'asked', round: 1, until: 1, items: [] }, 1),
      () => ledger.write(accepted, work, '2.25.1', 1),
      () => ledger.write(notAsked, work, '2.25.1'),
      () =>
        ledger.write(
          resendFiles,
          work,
          'pacs',
          [{ instance: 'i', outcome: 'again', detail: named(1, false) }],
          1,
        ),
      () => ledger.write(awaiting, work, { ...wait(1, 1), failure: FAILURE }, 1),
      () => ledger.write(committed, work, { news: 1, through: 1, failure: undefined }, 1),
    ])
      await assert.rejects(late(), LOST);
    assert.equal((await ledger.read(commitmentsOf, taker, 'pacs')).transactions.length, 1);
    await ledger.write(reported, ['pacs'], { transactionUid: '2.25.1', ...COMMITTED }, 2_000);
    await ledger.write(prune, 2_000);
    assert.equal(
      (await ledger.write(reported, ['pacs'], { transactionUid: '2.25.1', ...none }, 2_001)).kind,
      'duplicate',
    );
    await ledger.write(prune, 2_001);
    assert.equal(
      (await ledger.write(reported, ['pacs'], { transactionUid: '2.25.1', ...none }, 2_001)).kind,
      'unknown',
    );
  });
}
