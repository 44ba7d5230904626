/** What every ledger does when it is made anew, or brought up to date. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecoveredSeries } from './sql.ts';
import {
  cursor,
  done,
  leg,
  state,
  toForward,
  toStore,
  type OpenLedger,
} from '../ledger/conformance-kit.test.ts';
import { awaitUnknown, doubtSent, quietSessions, recover } from './sql.ts';
import { nextLeg, nextStore } from '../ledger/claims.ts';
import { nextSession } from '../sessions/step.ts';
import { arrived, reconcileListed } from '../intake/step.ts';
import { stored } from '../store/sql.ts';
import { retryLegs, progressOf, recordProgress } from '../ledger/leg.ts';
import { forwarded } from '../send/sql.ts';

const series = (over: Partial<RecoveredSeries> = {}): RecoveredSeries => ({
  id: 'a',
  attributes: { Modality: 'MR', AccessionNumber: 'ACC' },
  labels: { project: 'p', subject: 's', session: 't' },
  path: 'p/s/t',
  increment: 1,
  inOrthanc: 2,
  stored: 2,
  untagged: 0,
  differing: 0,
  digest: 'd1',
  firstSeen: 50,
  targets: ['pacs'],
  again: false,
  copy: undefined,
  gone: false,
  ...over,
});

export function recoveryConformance(name: string, open: OpenLedger): void {
  test(`${name}: a stored series is taken over; where it was sent is unknown until a person retries`, async (t) => {
    const { ledger } = await open(t);
    assert.equal(await ledger.write(recover, series(), 100), 'new');
    assert.equal(await ledger.write(recover, series(), 100), 'known');
    await ledger.write(quietSessions);
    assert.equal(await state(ledger), 'failed');
    assert.equal((await leg(ledger, 'storage'))?.state, 'done');
    const unknown = await leg(ledger, 'pacs');
    assert.deepEqual(
      [unknown?.state, unknown?.failure?.code, unknown?.through],
      ['failed', 'SENT_UNKNOWN', 1],
    );
    assert.equal(await ledger.write(nextLeg, 'pacs', 1_000), undefined);
    assert.equal(await ledger.write(nextStore, 1_000), undefined);
    assert.equal(await ledger.read(nextSession, 10_000), undefined);
    assert.equal(await ledger.write(reconcileListed, [{ id: 'a', digest: 'd1' }], 100, 100), 0);
    assert.deepEqual(await ledger.write(retryLegs, 'a', undefined, 200), ['pacs']);
    const work = await toForward(ledger, 200);
    assert.deepEqual(
      (await ledger.read(progressOf, 'a', 'pacs')).map(({ instance, outcome }) => [instance, outcome]),
      [['*', 'again']],
    );
    await ledger.write(recordProgress, work, [
      { instance: '1', outcome: 'done', detail: '' },
      { instance: '2', outcome: 'done', detail: '' },
      { instance: '*', outcome: 'done', detail: '' },
    ]);
    await ledger.write(forwarded, work, 1, undefined, 210);
    assert.equal(await state(ledger), 'complete');
    assert.equal((await leg(ledger, 'pacs'))?.done, 2);
    assert.deepEqual(await ledger.read(progressOf, 'a', 'pacs'), []);
  });

  test(`${name}: an older ledger learns what was stored since, and doubts what it has waiting`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a', 'b'], 100, 100);
    const [one, two] = [await toStore(ledger, 100), await toStore(ledger, 100)];
    await ledger.write(stored, one, done(), 110);
    await ledger.write(stored, two, done({ path: 'p/s/u' }), 110);
    const sent = await toForward(ledger, 120);
    await ledger.write(forwarded, sent, 1, undefined, 120);
    assert.equal(await ledger.write(doubtSent, 130), 1);
    assert.equal(await ledger.write(nextLeg, 'pacs', 1_000), undefined);
    const grown = series({
      id: sent.series,
      increment: 2,
      stored: 3,
      path: sent.series === 'a' ? 'p/s/t' : 'p/s/u',
    });
    assert.equal(await ledger.write(recover, grown, 140), 'grown');
    const [row] = (await ledger.read(progressOf, sent.series, 'pacs')).map(
      ({ detail }) => JSON.parse(detail) as object,
    );
    assert.deepEqual([row && 'after' in row && row.after, row && 'through' in row && row.through], [1, 2]);
  });

  test(`${name}: project storage that is older than the ledger is filled, and nothing goes out by itself`, async (t) => {
    const { ledger } = await open(t);
    assert.equal(await ledger.write(recover, series({ increment: 2 }), 100), 'new');
    assert.equal(await ledger.write(recover, series({ increment: 1 }), 110), 'grown');
    const work = await toStore(ledger, 120);
    await ledger.write(stored, work, done({ increment: 3 }), 130);
    assert.equal((await leg(ledger, 'pacs'))?.failure?.code, 'SENT_UNKNOWN');
    assert.equal(await ledger.write(nextLeg, 'pacs', 1_000), undefined);
  });

  test(`${name}: what Orthanc alone has is stored, and its sending is unknown; the next images go by themselves`, async (t) => {
    const { ledger } = await open(t);
    assert.equal(await ledger.write(awaitUnknown, ['a'], 100, 100), 1);
    assert.equal(await ledger.write(awaitUnknown, ['a'], 100, 100), 0);
    await ledger.write(stored, await toStore(ledger, 100), done(), 110);
    assert.equal((await leg(ledger, 'pacs'))?.failure?.code, 'SENT_UNKNOWN');
    await ledger.write(arrived, cursor(1), ['a'], 120, 120);
    await ledger.write(stored, await toStore(ledger, 120), done({ increment: 2, stored: 3 }), 130);
    const work = await toForward(ledger, 130);
    assert.equal(work.through, 1);
  });

  test(`${name}: a pull that had only begun goes on, and its session is told when it is complete`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(recover, series({ increment: 0, stored: 0, targets: [], again: true }), 100);
    const work = await toStore(ledger, 100);
    assert.deepEqual([work.path, work.increment, work.labels?.project], ['p/s/t', 0, 'p']);
    await ledger.write(stored, work, done(), 110);
    assert.equal((await toForward(ledger, 110)).through, 0);
  });
}
