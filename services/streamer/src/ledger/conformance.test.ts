/** What every ledger does, whatever the database: run against each of them by its tests. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { STORAGE } from '../model/series.ts';
import { claimsConformance } from './conformance-claims.test.ts';
import { recoveryConformance } from '../rebuild/conformance.test.ts';
import { copyingConformance } from '../copy/conformance.test.ts';
import { searchConformance } from './conformance-search.test.ts';
import { destinationConformance } from '../send/destinations.conformance.test.ts';
import { pauseConformance } from '../send/pause.conformance.test.ts';
import { movingConformance } from '../move/conformance.test.ts';
import { versionsConformance } from '../store/sent-again.conformance.test.ts';
import { verifyConformance } from '../verify/conformance.test.ts';
import { recheckingConformance } from '../store/recheck.conformance.test.ts';
import { rootsConformance } from '../roots/conformance.test.ts';
import {
  cursor,
  decision,
  done,
  FAILURE,
  leg,
  state,
  toForward,
  toStore,
  type OpenLedger,
} from './conformance-kit.test.ts';
import { arrived, reconcileListed } from '../intake/step.ts';
import { clampTimers, lead, nextLeg, nextStore, nextTime, readCursor, setCursor } from './claims.ts';
import { listSeries, quarantinedSeries, summarise } from './views.ts';
import { bindFolder, quarantine, releaseSeries, stored } from '../store/sql.ts';
import { retryLegs, progressCount, progressOf, recordProgress } from './leg.ts';
import { forwarded } from '../send/sql.ts';
import { legFailed, legLater } from './aftermath.ts';

export function conformance(name: string, open: OpenLedger): void {
  claimsConformance(name, open);
  copyingConformance(name, open);
  searchConformance(name, open);
  recoveryConformance(name, open);
  destinationConformance(name, open);
  pauseConformance(name, open);
  movingConformance(name, open);
  recheckingConformance(name, open);
  rootsConformance(name, open);
  verifyConformance(name, open);
  versionsConformance(name, open);

  test(`${name}: the cursor and the timers of what it saw are one`, async (t) => {
    const { ledger, again } = await open(t);
    assert.equal(await ledger.read(readCursor), undefined);
    await ledger.write(arrived, { seq: 7, database: 'db' }, ['a', 'b'], 100, 160);
    const later = await again();
    assert.deepEqual(await later.read(readCursor), { seq: 7, database: 'db' });
    assert.deepEqual((await later.read(listSeries, { limit: 9 })).map(({ id, due }) => [id, due]).sort(), [
      ['a', 160],
      ['b', 160],
    ]);
    assert.equal(await later.read(nextTime, STORAGE), 160);
  });

  test(`${name}: who goes on reads the numbers that were missing, too`, async (t) => {
    const { ledger, again } = await open(t);
    const gaps = { open: [{ from: 3, to: 5, since: 100 }], forgotten: 90 };
    await ledger.write(arrived, { seq: 7, database: 'db', gaps }, ['a'], 100, 160);
    const later = await again();
    assert.deepEqual(await later.read(readCursor), { seq: 7, database: 'db', gaps });
    await later.write(lead, 101);
    await later.write(setCursor, { seq: 7, database: 'db', gaps: { open: [] } });
    assert.deepEqual(await later.read(readCursor), { seq: 7, database: 'db' });
  });

  test(`${name}: storing opens the destinations' legs, and these end the series`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 100);
    const claim = await toStore(ledger, 100);
    await ledger.write(bindFolder, claim, done(), 100);
    await ledger.write(recordProgress, claim, [{ instance: 'i', outcome: 'done', detail: '{}' }]);
    assert.deepEqual([(await leg(ledger, STORAGE))?.done, (await leg(ledger, STORAGE))?.total], [1, 2]);
    await ledger.write(stored, claim, done(), 110);
    assert.equal(await state(ledger), 'working');
    assert.deepEqual(await ledger.read(progressOf, 'a', STORAGE), []);
    const work = await toForward(ledger, 110);
    assert.deepEqual([work.series, work.path, work.through], ['a', 'p/s/t', 0]);
    await ledger.write(recordProgress, work, [
      { instance: 'i', outcome: 'done', detail: '' },
      { instance: 'j', outcome: 'done', detail: '' },
    ]);
    await ledger.write(forwarded, work, 1, undefined, 120);
    assert.equal(await state(ledger), 'complete');
    const pacs = await leg(ledger, 'pacs');
    assert.deepEqual([pacs?.state, pacs?.done, pacs?.total, pacs?.through], ['done', 2, 2, 1]);
    assert.deepEqual(await ledger.read(progressOf, 'a', 'pacs'), []);
  });

  test(`${name}: what arrives while a series is stored is not forgotten`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 100);
    const work = await toStore(ledger, 100);
    await ledger.write(arrived, cursor(2), ['a'], 105, 165);
    await ledger.write(stored, work, done({ targets: [] }), 110);
    assert.equal(await state(ledger), 'collecting');
    assert.equal(await ledger.read(nextTime, STORAGE), 165);
    assert.equal((await toStore(ledger, 165)).series, 'a');
  });

  test(`${name}: an increment stored while the one before is sent is sent too`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 100);
    await ledger.write(stored, await toStore(ledger, 100), done(), 100);
    const sending = await toForward(ledger, 100);
    await ledger.write(arrived, cursor(2), ['a'], 101, 101);
    await ledger.write(stored, await toStore(ledger, 101), done({ increment: 2, stored: 3 }), 102);
    assert.equal(await ledger.write(nextLeg, 'pacs', 102), undefined, 'it is being sent');
    await ledger.write(forwarded, sending, 1, undefined, 103);
    const work = await toForward(ledger, 103);
    assert.deepEqual([work.series, work.through], ['a', 1]);
    await ledger.write(forwarded, work, 2, undefined, 104);
    assert.equal(await state(ledger), 'complete');
    // the same increment again opens nothing
    await ledger.write(arrived, cursor(3), ['a'], 104, 104);
    await ledger.write(stored, await toStore(ledger, 104), done({ increment: 2, stored: 3 }), 105);
    assert.equal(await ledger.write(nextLeg, 'pacs', 999), undefined);
  });

  test(`${name}: failures show, are tried later, or end the leg`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 100);
    const first = await toStore(ledger, 100);
    await ledger.write(legLater, first, { attempts: 1, nextTry: 200, failure: FAILURE }, 100);
    assert.equal(await ledger.write(nextStore, 199), undefined);
    const second = await toStore(ledger, 200);
    assert.equal(second.attempts, 1);
    assert.equal((await leg(ledger, STORAGE))?.failure?.code, 'X');
    await ledger.write(stored, second, done(), 201);
    assert.equal((await leg(ledger, STORAGE))?.failure, undefined);
    const work = await toForward(ledger, 201);
    await ledger.write(recordProgress, work, [{ instance: 'i', outcome: 'failed', detail: '{}' }]);
    await ledger.write(forwarded, work, 1, { ...FAILURE, kind: 'permanent' }, 202);
    assert.equal(await state(ledger), 'failed');
    assert.equal((await ledger.read(progressOf, 'a', 'pacs')).length, 1, 'which one failed is forgotten');
    assert.deepEqual(
      [await ledger.read(progressCount, 'a', 'pacs'), await ledger.read(progressCount, 'a', 'other')],
      [1, 0],
    );
  });

  test(`${name}: of which images a converted copy was sent stays known once all is sent`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 100);
    await ledger.write(stored, await toStore(ledger, 100), done(), 100);
    const work = await toForward(ledger, 100);
    await ledger.write(recordProgress, work, [
      { instance: 'i', outcome: 'done', detail: '', transcoded: '1.2.840.10008.1.2.1' },
      { instance: 'j', outcome: 'done', detail: '' },
    ]);
    const sending = await leg(ledger, 'pacs');
    assert.deepEqual([sending?.done, sending?.transcoded], [2, 1]);
    await ledger.write(forwarded, work, 1, undefined, 101);
    const sent = await leg(ledger, 'pacs');
    assert.deepEqual([sent?.state, sent?.done, sent?.transcoded], ['done', 2, 1]);
    assert.equal((await leg(ledger, STORAGE))?.transcoded, 0);
    assert.deepEqual(await ledger.read(progressOf, 'a', 'pacs'), []);
  });

  test(`${name}: quarantine waits for no time, and is released`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 100);
    const work = await toStore(ledger, 100);
    const reason = { code: 'ROUTE_NO_MATCH', message: 'm' };
    await ledger.write(
      quarantine,
      work,
      { attributes: { StudyID: '1' }, inOrthanc: 2, digest: 'd1', reason },
      101,
    );
    assert.equal(await state(ledger), 'quarantined');
    assert.equal(await ledger.write(nextStore, 1e12), undefined);
    assert.equal(await ledger.read(nextTime, STORAGE), undefined);
    assert.deepEqual(await ledger.read(quarantinedSeries), [{ id: 'a', attributes: { StudyID: '1' } }]);
    assert.equal(await ledger.write(reconcileListed, [{ id: 'a', digest: 'd1' }], 102, 102), 0);
    assert.equal(await ledger.write(releaseSeries, 'nobody', undefined, 103), false);
    assert.equal(await ledger.write(releaseSeries, 'a', undefined, 103), true);
    const again = await toStore(ledger, 103);
    assert.deepEqual([again.series, again.labels], ['a', undefined]);
    assert.equal(await state(ledger), 'working');
    await ledger.write(quarantine, again, { attributes: {}, inOrthanc: 2, digest: 'd1', reason }, 104);
    await ledger.write(releaseSeries, 'a', decision(), 105);
    const released = await toStore(ledger, 105);
    assert.deepEqual(released.labels, decision().labels, 'the labels that a person gave');
    assert.deepEqual(released.decision, decision());
  });

  test(`${name}: what failed is tried again when a person says so, what was done is not done again`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 100);
    assert.deepEqual(await ledger.write(retryLegs, 'a', undefined, 100), []);
    await ledger.write(stored, await toStore(ledger, 100), done({ targets: ['pacs', 'archive'] }), 101);
    const work = await toForward(ledger, 101);
    assert.deepEqual(await ledger.write(retryLegs, 'a', 'pacs', 101), [], 'it is being worked on');
    await ledger.write(recordProgress, work, [
      { instance: 'i', outcome: 'done', detail: '' },
      { instance: 'j', outcome: 'failed', detail: '{}' },
    ]);
    await ledger.write(forwarded, work, 1, { ...FAILURE, kind: 'permanent' }, 102);
    assert.deepEqual(await ledger.write(retryLegs, 'a', 'nowhere', 103), []);
    assert.deepEqual(await ledger.write(retryLegs, 'a', undefined, 103), ['archive', 'pacs']);
    assert.equal(await state(ledger), 'working');
    const again = await toForward(ledger, 103);
    assert.deepEqual([again.attempts, again.through], [0, 1]);
    assert.deepEqual(
      (await ledger.read(progressOf, 'a', 'pacs')).map(({ instance, outcome }) => [instance, outcome]),
      [['j', 'again']],
    );
    await ledger.write(recordProgress, again, [{ instance: 'j', outcome: 'done', detail: '' }]);
    await ledger.write(forwarded, again, 1, undefined, 104);
    const pacs = await leg(ledger, 'pacs');
    assert.deepEqual([pacs?.state, pacs?.done, pacs?.total], ['done', 2, 2]);
  });

  test(`${name}: a series in quarantine is not retried, one whose storing failed is`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 100);
    const work = await toStore(ledger, 100);
    const reason = { code: 'ROUTE_NO_MATCH', message: 'm' };
    await ledger.write(quarantine, work, { attributes: {}, inOrthanc: 2, digest: 'd1', reason }, 101);
    assert.deepEqual(await ledger.write(retryLegs, 'a', undefined, 102), []);
    await ledger.write(releaseSeries, 'a', undefined, 103);
    await ledger.write(legFailed, await toStore(ledger, 103), FAILURE, 103);
    assert.equal(await state(ledger), 'failed');
    assert.deepEqual(await ledger.write(retryLegs, 'a', STORAGE, 104), [STORAGE]);
    assert.equal((await toStore(ledger, 104)).attempts, 0);
  });

  test(`${name}: reconciliation finds what is unknown or has changed`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 100);
    await ledger.write(arrived, cursor(1), ['b'], 100, 101);
    await ledger.write(stored, await toStore(ledger, 100), done({ targets: [] }), 101);
    const listed = (digest: string) => [
      { id: 'a', digest },
      { id: 'b', digest: 'any' },
      { id: 'c', digest: 'any' },
    ];
    assert.equal(await ledger.write(reconcileListed, listed('d1'), 102, 150), 1);
    assert.equal(await state(ledger, 'c'), 'collecting');
    assert.equal(await state(ledger, 'a'), 'complete');
    assert.equal(await ledger.write(reconcileListed, listed('d2'), 102, 150), 1);
    assert.equal(await state(ledger, 'a'), 'collecting');
  });

  test(`${name}: after the clock stepped back nothing waits for the old time`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100_000, 100_060);
    await ledger.write(arrived, cursor(1), ['b'], 100_000, 100_061);
    const first = await toStore(ledger, 100_060);
    await ledger.write(legLater, first, { attempts: 1, nextTry: 200_000, failure: FAILURE }, 100_060);
    await ledger.write(clampTimers, 560, 700);
    assert.equal(await ledger.read(nextTime, STORAGE), 560);
    assert.equal((await toStore(ledger, 560)).series, 'b');
    assert.equal((await toStore(ledger, 700)).series, 'a');
  });

  test(`${name}: the summary counts series and legs`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 100);
    await ledger.write(arrived, cursor(1), ['b'], 100, 101);
    await ledger.write(stored, await toStore(ledger, 100), done(), 101);
    const summary = await ledger.read(summarise);
    assert.equal(summary.series.collecting, 1);
    assert.equal(summary.series.working, 1);
    assert.equal(summary.oldestPending, 100);
    const counted = summary.legs.map(({ target, state: one, count }) => `${target} ${one} ${count}`);
    assert.deepEqual(counted.sort(), ['pacs pending 1', 'storage done 1']);
  });
}
