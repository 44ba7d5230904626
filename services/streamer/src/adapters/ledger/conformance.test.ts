/** What every ledger does, whatever the database: run against each of them by its tests. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { STORAGE } from '../../domain/series.ts';
import type { Ledger, StoreDone } from '../../ports.ts';

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

/** Opens an empty ledger; `again` opens it anew after its process is gone. */
export type OpenLedger = (t: TestContext) => Promise<{ ledger: Ledger; again: () => Promise<Ledger> }>;

export function conformance(name: string, open: OpenLedger): void {
  const state = async (ledger: Ledger, id = 'a'): Promise<string | undefined> =>
    (await ledger.list({ limit: 100 })).find((series) => series.id === id)?.state;
  const leg = async (ledger: Ledger, target: string) =>
    (await ledger.list({ limit: 100 }))[0]?.legs.find((one) => one.target === target);

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

  test(`${name}: a series is given when its quiet time is over, and to one worker`, async (t) => {
    const { ledger } = await open(t);
    await ledger.arrived(cursor(1), ['a'], 100, 160);
    assert.equal(await ledger.nextStore(159, []), undefined);
    await ledger.arrived(cursor(2), ['a'], 150, 210);
    assert.equal(await ledger.nextStore(160, []), undefined, 'the timer did not start anew');
    assert.equal((await ledger.nextStore(210, []))?.series, 'a');
    assert.equal(await ledger.nextStore(300, ['a']), undefined);
    assert.equal((await ledger.nextStore(300, []))?.series, 'a', 'a claim that died is not given again');
    assert.equal(await state(ledger), 'working');
  });

  test(`${name}: storing opens the destinations' legs, and these end the series`, async (t) => {
    const { ledger } = await open(t);
    await ledger.arrived(cursor(1), ['a'], 100, 100);
    await ledger.nextStore(100, []);
    await ledger.bind('a', done(), 100);
    await ledger.record('a', STORAGE, [{ instance: 'i', outcome: 'done', detail: '{}' }]);
    assert.deepEqual([(await leg(ledger, STORAGE))?.done, (await leg(ledger, STORAGE))?.total], [1, 2]);
    await ledger.stored('a', done(), 110);
    assert.equal(await state(ledger), 'working');
    assert.deepEqual(await ledger.progress('a', STORAGE), []);
    const work = await ledger.nextForward('pacs', 110, []);
    assert.deepEqual([work?.series, work?.path, work?.through], ['a', 'p/s/t', 0]);
    await ledger.record('a', 'pacs', [
      { instance: 'i', outcome: 'done', detail: '' },
      { instance: 'j', outcome: 'done', detail: '' },
    ]);
    await ledger.forwarded('a', 'pacs', 1, undefined, 120);
    assert.equal(await state(ledger), 'complete');
    const pacs = await leg(ledger, 'pacs');
    assert.deepEqual([pacs?.state, pacs?.done, pacs?.total, pacs?.through], ['done', 2, 2, 1]);
    assert.deepEqual(await ledger.progress('a', 'pacs'), []);
  });

  test(`${name}: what arrives while a series is stored is not forgotten`, async (t) => {
    const { ledger } = await open(t);
    await ledger.arrived(cursor(1), ['a'], 100, 100);
    await ledger.nextStore(100, []);
    await ledger.arrived(cursor(2), ['a'], 105, 165);
    await ledger.stored('a', done({ targets: [] }), 110);
    assert.equal(await state(ledger), 'collecting');
    assert.equal((await ledger.nextStore(165, []))?.series, 'a');
  });

  test(`${name}: an increment stored while the one before is sent is sent too`, async (t) => {
    const { ledger } = await open(t);
    await ledger.arrived(cursor(1), ['a'], 100, 100);
    await ledger.nextStore(100, []);
    await ledger.stored('a', done(), 100);
    await ledger.nextForward('pacs', 100, []);
    await ledger.arrived(cursor(2), ['a'], 101, 101);
    await ledger.nextStore(101, []);
    await ledger.stored('a', done({ increment: 2, stored: 3 }), 102);
    await ledger.forwarded('a', 'pacs', 1, undefined, 103);
    const work = await ledger.nextForward('pacs', 103, []);
    assert.deepEqual([work?.series, work?.through], ['a', 1]);
    await ledger.forwarded('a', 'pacs', 2, undefined, 104);
    assert.equal(await state(ledger), 'complete');
    // the same increment again opens nothing
    await ledger.stored('a', done({ increment: 2, stored: 3 }), 105);
    assert.equal(await ledger.nextForward('pacs', 999, []), undefined);
  });

  test(`${name}: failures show, are tried later, or end the leg`, async (t) => {
    const { ledger } = await open(t);
    await ledger.arrived(cursor(1), ['a'], 100, 100);
    await ledger.nextStore(100, []);
    await ledger.storeLater('a', { attempts: 1, nextTry: 200, failure: FAILURE }, 100);
    assert.equal(await ledger.nextStore(199, []), undefined);
    assert.equal((await ledger.nextStore(200, []))?.attempts, 1);
    assert.equal((await leg(ledger, STORAGE))?.failure?.code, 'X');
    await ledger.stored('a', done(), 201);
    assert.equal((await leg(ledger, STORAGE))?.failure, undefined);
    await ledger.record('a', 'pacs', [{ instance: 'i', outcome: 'failed', detail: '{}' }]);
    await ledger.forwarded('a', 'pacs', 1, { ...FAILURE, kind: 'permanent' }, 202);
    assert.equal(await state(ledger), 'failed');
    assert.equal((await ledger.progress('a', 'pacs')).length, 1, 'which one failed is forgotten');
  });

  test(`${name}: quarantine waits for no time, and is released`, async (t) => {
    const { ledger } = await open(t);
    await ledger.arrived(cursor(1), ['a'], 100, 100);
    await ledger.nextStore(100, []);
    const reason = { code: 'ROUTE_NO_MATCH', message: 'm' };
    await ledger.quarantine('a', { attributes: { StudyID: '1' }, inOrthanc: 2, digest: 'd1', reason }, 101);
    assert.equal(await state(ledger), 'quarantined');
    assert.equal(await ledger.nextStore(1e12, []), undefined);
    assert.equal(await ledger.nextTime(STORAGE), undefined);
    assert.deepEqual(await ledger.quarantined(), [{ id: 'a', attributes: { StudyID: '1' } }]);
    assert.equal(await ledger.reconcile([{ id: 'a', digest: 'd1' }], 102, 102), 0);
    await ledger.release('a', 103);
    assert.equal((await ledger.nextStore(103, []))?.series, 'a');
    assert.equal(await state(ledger), 'working');
  });

  test(`${name}: reconciliation finds what is unknown or has changed`, async (t) => {
    const { ledger } = await open(t);
    await ledger.arrived(cursor(1), ['a', 'b'], 100, 100);
    await ledger.nextStore(100, []);
    await ledger.stored('a', done({ targets: [] }), 101);
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
    await ledger.arrived(cursor(1), ['a', 'b'], 100_000, 100_060);
    await ledger.nextStore(100_060, []);
    await ledger.storeLater('a', { attempts: 1, nextTry: 200_000, failure: FAILURE }, 100_060);
    await ledger.clampTimers(560, 700);
    assert.equal(await ledger.nextTime(STORAGE), 560);
    assert.equal((await ledger.nextStore(560, []))?.series, 'b');
    assert.equal((await ledger.nextStore(700, ['b']))?.series, 'a');
  });

  test(`${name}: the summary counts series and legs`, async (t) => {
    const { ledger } = await open(t);
    await ledger.arrived(cursor(1), ['a', 'b'], 100, 100);
    await ledger.nextStore(100, []);
    await ledger.stored('a', done(), 101);
    const summary = await ledger.summary();
    assert.equal(summary.series.collecting, 1);
    assert.equal(summary.series.working, 1);
    assert.equal(summary.oldestPending, 100);
    const counted = summary.legs.map(({ target, state: one, count }) => `${target} ${one} ${count}`);
    assert.deepEqual(counted.sort(), ['pacs pending 1', 'storage done 1']);
  });
}
