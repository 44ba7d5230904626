/** What every ledger does, whatever the database: run against each of them by its tests. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { STORAGE } from '../../domain/series.ts';
import type { ForwardWork, Ledger, StoreDone, StoreWork } from '../../ports.ts';

const FAILURE = { kind: 'transient', code: 'X', message: 'x' } as const;
const cursor = (seq: number): { seq: number; database: undefined } => ({ seq, database: undefined });

const done = (over: Partial<StoreDone> = {}): StoreDone => ({
  attributes: { Modality: 'MR' },
  labels: { project: 'p', subject: 's', session: 't' },
  path: 'p/s/t',
  increment: 1,
  inOrthanc: 2,
  stored: 2,
  untagged: 0,
  digest: 'd1',
  failure: undefined,
  targets: ['pacs'],
  ...over,
});

export const LEASE_MS = 1_000;

/** Opens an empty ledger with leases of LEASE_MS; `again` opens it anew after its process is gone. */
export type OpenLedger = (t: TestContext) => Promise<{ ledger: Ledger; again: () => Promise<Ledger> }>;

export function conformance(name: string, open: OpenLedger): void {
  const state = async (ledger: Ledger, id = 'a'): Promise<string | undefined> =>
    (await ledger.list({ limit: 100 })).find((series) => series.id === id)?.state;
  const leg = async (ledger: Ledger, target: string) =>
    (await ledger.list({ limit: 100 }))[0]?.legs.find((one) => one.target === target);

  const toStore = async (ledger: Ledger, now: number): Promise<StoreWork> => {
    const work = await ledger.nextStore(now);
    assert.ok(work !== undefined, 'nothing is due');
    return work;
  };
  const toForward = async (ledger: Ledger, now: number): Promise<ForwardWork> => {
    const work = await ledger.nextForward('pacs', now);
    assert.ok(work !== undefined, 'nothing is due');
    return work;
  };
  const LOST = { code: 'LEDGER_LEASE_LOST', kind: 'transient' };

  test(`${name}: the cursor and the timers of what it saw are one`, async (t) => {
    const { ledger, again } = await open(t);
    assert.equal(await ledger.cursor(), undefined);
    await ledger.arrived({ seq: 7, database: 'db' }, ['a', 'b'], 100, 160);
    const later = await again();
    assert.deepEqual(await later.cursor(), { seq: 7, database: 'db' });
    assert.deepEqual((await later.list({ limit: 9 })).map(({ id, due }) => [id, due]).sort(), [
      ['a', 160],
      ['b', 160],
    ]);
    assert.equal(await later.nextTime(STORAGE), 160);
  });

  test(`${name}: a series is given when its quiet time is over`, async (t) => {
    const { ledger } = await open(t);
    await ledger.arrived(cursor(1), ['a'], 100, 160);
    assert.equal(await ledger.nextStore(159), undefined);
    await ledger.arrived(cursor(2), ['a'], 150, 210);
    assert.equal(await ledger.nextStore(160), undefined, 'the timer did not start anew');
    assert.equal((await toStore(ledger, 210)).series, 'a');
    assert.equal(await state(ledger), 'working');
  });

  test(`${name}: two claims at once: one gets the work`, async (t) => {
    const { ledger } = await open(t);
    await ledger.arrived(cursor(1), ['a'], 100, 100);
    const claims = await Promise.all([1, 2, 3, 4].map(() => ledger.nextStore(100)));
    assert.deepEqual(
      claims.flatMap((work) => work?.series ?? []),
      ['a'],
    );
    const [work] = claims.filter((one) => one !== undefined);
    assert.ok(work !== undefined);
    await ledger.stored(work, done(), 110);
    const sends = await Promise.all([1, 2, 3, 4].map(() => ledger.nextForward('pacs', 110)));
    assert.equal(sends.filter((one) => one !== undefined).length, 1);
  });

  test(`${name}: many series, many claims at once: each is given once`, async (t) => {
    const { ledger } = await open(t);
    const ids = Array.from({ length: 12 }, (_, index) => `s${String(index).padStart(2, '0')}`);
    await ledger.arrived(cursor(1), ids, 100, 100);
    const given: string[] = [];
    const worker = async (): Promise<void> => {
      while (given.length < ids.length) {
        const work = await ledger.nextStore(100);
        if (work === undefined) continue;
        given.push(work.series);
        await ledger.stored(work, done({ targets: [] }), 101);
      }
    };
    await Promise.all([worker(), worker(), worker(), worker()]);
    assert.deepEqual(given.sort(), ids);
  });

  test(`${name}: what is in a worker's hands is nobody else's, late images or not, until its lease ends`, async (t) => {
    const { ledger } = await open(t);
    await ledger.arrived(cursor(1), ['a'], 100, 100);
    const work = await toStore(ledger, 100);
    await ledger.arrived(cursor(2), ['a'], 101, 101);
    assert.equal(await ledger.nextStore(102), undefined);
    assert.equal(await ledger.nextTime(STORAGE), 100 + LEASE_MS);
    await ledger.renew(work, 600);
    assert.equal(await ledger.nextStore(100 + LEASE_MS), undefined, 'the renewal did not count');
    assert.equal((await leg(ledger, STORAGE))?.nextTry, null);
    assert.equal((await toStore(ledger, 600 + LEASE_MS)).series, 'a');
  });

  test(`${name}: a lease that ran out is taken over, and its former owner's writes are refused`, async (t) => {
    const { ledger } = await open(t);
    await ledger.arrived(cursor(1), ['a'], 100, 100);
    const former = await toStore(ledger, 100);
    await ledger.bind(former, done(), 100);
    const later = 100 + LEASE_MS;
    const work = await toStore(ledger, later);
    assert.equal(work.path, 'p/s/t');
    const retry = { attempts: 1, nextTry: later, failure: FAILURE };
    const reason = { code: 'ROUTE_NO_MATCH', message: 'm' };
    const writes: readonly (() => Promise<unknown>)[] = [
      () => ledger.renew(former, later),
      () => ledger.bind(former, done({ path: 'q' }), later),
      () => ledger.record(former, [{ instance: 'i', outcome: 'done', detail: '{}' }]),
      () => ledger.stored(former, done({ stored: 1 }), later),
      () => ledger.storeLater(former, retry, later),
      () => ledger.storeFailed(former, FAILURE, later),
      () => ledger.quarantine(former, { attributes: {}, inOrthanc: 1, digest: 'd', reason }, later),
    ];
    for (const write of writes) await assert.rejects(write(), LOST, String(write));
    await ledger.giveBack(former, later);
    assert.equal(await ledger.nextStore(later), undefined, 'the former owner gave back what is not its own');
    const before = await ledger.list({ limit: 1 });
    assert.deepEqual(before[0]?.path, 'p/s/t');
    assert.deepEqual(await ledger.progress('a', STORAGE), []);
    await ledger.stored(work, done(), later);
    await assert.rejects(
      ledger.stored(former, done({ stored: 1 }), later),
      LOST,
      'after the successor’s end',
    );
    assert.equal((await ledger.list({ limit: 1 }))[0]?.stored, 2);

    const sender = await toForward(ledger, later);
    const successor = await toForward(ledger, later + LEASE_MS);
    const sends: readonly (() => Promise<unknown>)[] = [
      () => ledger.forwarded(sender, 1, undefined, later),
      () => ledger.forwardFailed(sender, FAILURE, later),
      () => ledger.forwardLater(sender, retry, later),
    ];
    for (const write of sends) await assert.rejects(write(), LOST, String(write));
    await ledger.forwarded(successor, 1, undefined, later);
    assert.equal(await state(ledger), 'complete');
  });

  test(`${name}: what is given back is free at once`, async (t) => {
    const { ledger } = await open(t);
    await ledger.arrived(cursor(1), ['a'], 100, 100);
    const work = await toStore(ledger, 100);
    await ledger.giveBack(work, 101);
    assert.equal(await ledger.nextTime(STORAGE), 101);
    const again = await toStore(ledger, 101);
    await ledger.stored(again, done(), 102);
    await ledger.giveBack(again, 103);
    assert.equal((await leg(ledger, STORAGE))?.state, 'done', 'what has ended is opened by giving it back');
  });

  test(`${name}: storing opens the destinations' legs, and these end the series`, async (t) => {
    const { ledger } = await open(t);
    await ledger.arrived(cursor(1), ['a'], 100, 100);
    const claim = await toStore(ledger, 100);
    await ledger.bind(claim, done(), 100);
    await ledger.record(claim, [{ instance: 'i', outcome: 'done', detail: '{}' }]);
    assert.deepEqual([(await leg(ledger, STORAGE))?.done, (await leg(ledger, STORAGE))?.total], [1, 2]);
    await ledger.stored(claim, done(), 110);
    assert.equal(await state(ledger), 'working');
    assert.deepEqual(await ledger.progress('a', STORAGE), []);
    const work = await toForward(ledger, 110);
    assert.deepEqual([work.series, work.path, work.through], ['a', 'p/s/t', 0]);
    await ledger.record(work, [
      { instance: 'i', outcome: 'done', detail: '' },
      { instance: 'j', outcome: 'done', detail: '' },
    ]);
    await ledger.forwarded(work, 1, undefined, 120);
    assert.equal(await state(ledger), 'complete');
    const pacs = await leg(ledger, 'pacs');
    assert.deepEqual([pacs?.state, pacs?.done, pacs?.total, pacs?.through], ['done', 2, 2, 1]);
    assert.deepEqual(await ledger.progress('a', 'pacs'), []);
  });

  test(`${name}: what arrives while a series is stored is not forgotten`, async (t) => {
    const { ledger } = await open(t);
    await ledger.arrived(cursor(1), ['a'], 100, 100);
    const work = await toStore(ledger, 100);
    await ledger.arrived(cursor(2), ['a'], 105, 165);
    await ledger.stored(work, done({ targets: [] }), 110);
    assert.equal(await state(ledger), 'collecting');
    assert.equal(await ledger.nextTime(STORAGE), 165);
    assert.equal((await toStore(ledger, 165)).series, 'a');
  });

  test(`${name}: an increment stored while the one before is sent is sent too`, async (t) => {
    const { ledger } = await open(t);
    await ledger.arrived(cursor(1), ['a'], 100, 100);
    await ledger.stored(await toStore(ledger, 100), done(), 100);
    const sending = await toForward(ledger, 100);
    await ledger.arrived(cursor(2), ['a'], 101, 101);
    await ledger.stored(await toStore(ledger, 101), done({ increment: 2, stored: 3 }), 102);
    assert.equal(await ledger.nextForward('pacs', 102), undefined, 'it is being sent');
    await ledger.forwarded(sending, 1, undefined, 103);
    const work = await toForward(ledger, 103);
    assert.deepEqual([work.series, work.through], ['a', 1]);
    await ledger.forwarded(work, 2, undefined, 104);
    assert.equal(await state(ledger), 'complete');
    // the same increment again opens nothing
    await ledger.arrived(cursor(3), ['a'], 104, 104);
    await ledger.stored(await toStore(ledger, 104), done({ increment: 2, stored: 3 }), 105);
    assert.equal(await ledger.nextForward('pacs', 999), undefined);
  });

  test(`${name}: failures show, are tried later, or end the leg`, async (t) => {
    const { ledger } = await open(t);
    await ledger.arrived(cursor(1), ['a'], 100, 100);
    const first = await toStore(ledger, 100);
    await ledger.storeLater(first, { attempts: 1, nextTry: 200, failure: FAILURE }, 100);
    assert.equal(await ledger.nextStore(199), undefined);
    const second = await toStore(ledger, 200);
    assert.equal(second.attempts, 1);
    assert.equal((await leg(ledger, STORAGE))?.failure?.code, 'X');
    await ledger.stored(second, done(), 201);
    assert.equal((await leg(ledger, STORAGE))?.failure, undefined);
    const work = await toForward(ledger, 201);
    await ledger.record(work, [{ instance: 'i', outcome: 'failed', detail: '{}' }]);
    await ledger.forwarded(work, 1, { ...FAILURE, kind: 'permanent' }, 202);
    assert.equal(await state(ledger), 'failed');
    assert.equal((await ledger.progress('a', 'pacs')).length, 1, 'which one failed is forgotten');
  });

  test(`${name}: quarantine waits for no time, and is released`, async (t) => {
    const { ledger } = await open(t);
    await ledger.arrived(cursor(1), ['a'], 100, 100);
    const work = await toStore(ledger, 100);
    const reason = { code: 'ROUTE_NO_MATCH', message: 'm' };
    await ledger.quarantine(work, { attributes: { StudyID: '1' }, inOrthanc: 2, digest: 'd1', reason }, 101);
    assert.equal(await state(ledger), 'quarantined');
    assert.equal(await ledger.nextStore(1e12), undefined);
    assert.equal(await ledger.nextTime(STORAGE), undefined);
    assert.deepEqual(await ledger.quarantined(), [{ id: 'a', attributes: { StudyID: '1' } }]);
    assert.equal(await ledger.reconcile([{ id: 'a', digest: 'd1' }], 102, 102), 0);
    await ledger.release('a', 103);
    assert.equal((await toStore(ledger, 103)).series, 'a');
    assert.equal(await state(ledger), 'working');
  });

  test(`${name}: reconciliation finds what is unknown or has changed`, async (t) => {
    const { ledger } = await open(t);
    await ledger.arrived(cursor(1), ['a'], 100, 100);
    await ledger.arrived(cursor(1), ['b'], 100, 101);
    await ledger.stored(await toStore(ledger, 100), done({ targets: [] }), 101);
    const listed = (digest: string) => [
      { id: 'a', digest },
      { id: 'b', digest: 'any' },
      { id: 'c', digest: 'any' },
    ];
    assert.equal(await ledger.reconcile(listed('d1'), 102, 150), 1);
    assert.equal(await state(ledger, 'c'), 'collecting');
    assert.equal(await state(ledger, 'a'), 'complete');
    assert.equal(await ledger.reconcile(listed('d2'), 102, 150), 1);
    assert.equal(await state(ledger, 'a'), 'collecting');
  });

  test(`${name}: after the clock stepped back nothing waits for the old time`, async (t) => {
    const { ledger } = await open(t);
    await ledger.arrived(cursor(1), ['a'], 100_000, 100_060);
    await ledger.arrived(cursor(1), ['b'], 100_000, 100_061);
    const first = await toStore(ledger, 100_060);
    await ledger.storeLater(first, { attempts: 1, nextTry: 200_000, failure: FAILURE }, 100_060);
    await ledger.clampTimers(560, 700);
    assert.equal(await ledger.nextTime(STORAGE), 560);
    assert.equal((await toStore(ledger, 560)).series, 'b');
    assert.equal((await toStore(ledger, 700)).series, 'a');
  });

  test(`${name}: the summary counts series and legs`, async (t) => {
    const { ledger } = await open(t);
    await ledger.arrived(cursor(1), ['a'], 100, 100);
    await ledger.arrived(cursor(1), ['b'], 100, 101);
    await ledger.stored(await toStore(ledger, 100), done(), 101);
    const summary = await ledger.summary();
    assert.equal(summary.series.collecting, 1);
    assert.equal(summary.series.working, 1);
    assert.equal(summary.oldestPending, 100);
    const counted = summary.legs.map(({ target, state: one, count }) => `${target} ${one} ${count}`);
    assert.deepEqual(counted.sort(), ['pacs pending 1', 'storage done 1']);
  });
}
