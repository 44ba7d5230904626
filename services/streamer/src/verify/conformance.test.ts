/** What every ledger does with verification. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  cursor,
  done,
  FAILURE,
  LEASE_MS,
  LOST,
  state,
  toForward,
  toStore,
  type OpenLedger,
} from '../ledger/conformance-kit.test.ts';
import { COPY } from '../model/series.ts';
import type { Ledger } from '../ledger/tx.ts';
import type { JobView, Look, VerificationView, VerifyWork } from './types.ts';
import { arrived } from '../intake/step.ts';
import { stored } from '../store/sql.ts';
import {
  adjustVerify,
  endVerify,
  giveBackVerify,
  claimLegOf,
  isStoring,
  recordLook,
  nextVerify,
  notLooked,
  renewVerify,
  verifySummary,
} from './sql.ts';
import { listSeries } from '../ledger/views.ts';
import { forgetSeries } from '../erase/sql.ts';
import { cleanable } from '../cleanup/step.ts';
import { acknowledgeFindings, askVerify, jobById, jobResults, nextAsked, stopJob } from './sql-jobs.ts';
import { prune } from '../hooks/sql.ts';
import { giveBack, nextStore, renew } from '../ledger/claims.ts';
import { copied } from '../copy/step.ts';

const GOOD: Look = { files: 2, bytes: 20, failure: undefined, findings: [], digest: undefined };
const bad = (digest: string): Look => ({
  files: 2,
  bytes: 20,
  failure: { code: 'VERIFY_MISSING', message: '1 of 2 files is missing.' },
  findings: [{ file: 'a.dcm', kind: 'missing' }],
  digest,
});
const ASKED = { repair: false, by: 'somebody' };

async function store(ledger: Ledger, id: string, now: number, project = 'p'): Promise<void> {
  await ledger.write(arrived, cursor(now), [id], now, now);
  const labels = { project, subject: 's', session: 't' };
  await ledger.write(stored, await toStore(ledger, now), done({ targets: [], labels }), now);
}

async function due(ledger: Ledger, now: number): Promise<VerifyWork> {
  const work = await ledger.write(nextVerify, now);
  assert.ok(work !== undefined, 'nothing is due');
  return work;
}

async function known(ledger: Ledger, id = 'a'): Promise<VerificationView> {
  const [view] =
    (await ledger.read(listSeries, { limit: 9 })).find((one) => one.id === id)?.verification ?? [];
  assert.ok(view !== undefined);
  return view;
}

const idOf = (job: JobView | undefined): string => job?.id ?? assert.fail('nothing was asked for');

const EVERY = { every: 1_000, until: undefined };

export function verifyConformance(name: string, open: OpenLedger): void {
  test(`${name}: a series that is erased while it is verified takes its verification along`, async (t) => {
    const { ledger } = await open(t);
    await store(ledger, 'a', 100);
    await store(ledger, 'b', 100);
    await ledger.write(adjustVerify, EVERY, 200);
    const work = await due(ledger, 200);
    assert.equal(
      await ledger.write(forgetSeries, [work.series], [], 210),
      true,
      'nobody seems to work on it',
    );
    await assert.rejects(ledger.write(renewVerify, work, 220), LOST);
    const other = await due(ledger, 220);
    assert.notEqual(other.series, work.series);
  });

  test(`${name}: what is stored is verified in its time, by one, and again`, async (t) => {
    const { ledger, again } = await open(t);
    await store(ledger, 'a', 100);
    // these ledgers are told of no schedule: nothing is due before it is turned on
    assert.equal(await ledger.write(nextVerify, 999_999), undefined);
    assert.equal((await ledger.read(verifySummary)).oldest, undefined, 'nothing is looked at by itself');
    await ledger.write(adjustVerify, EVERY, 200);
    assert.ok(((await ledger.read(verifySummary)).oldest ?? 999) < 200, 'when they were stored');
    const work = await due(ledger, 200);
    assert.deepEqual([work.series, work.target, work.job, work.attempts], ['a', 'storage', undefined, 0]);
    assert.equal(await ledger.write(nextVerify, 201), undefined, 'two have it');
    await ledger.write(renewVerify, work, 200 + LEASE_MS - 1);
    assert.equal(await ledger.write(nextVerify, 200 + LEASE_MS), undefined);
    await ledger.write(recordLook, work, GOOD, { due: 3_000 }, 2_000);
    const later = await again();
    const view = await known(later);
    assert.deepEqual(
      [view.good, view.looked, view.due, view.files, view.failure],
      [2_000, 2_000, 3_000, 2, undefined],
    );
    assert.equal(await later.write(nextVerify, 2_999), undefined);
    assert.equal((await due(later, 3_000)).series, 'a');
  });

  test(`${name}: whoever lost a verification writes nothing, and another goes on`, async (t) => {
    const { ledger } = await open(t);
    await store(ledger, 'a', 100);
    await ledger.write(adjustVerify, EVERY, 200);
    const lost = await due(ledger, 200);
    const taken = await due(ledger, 200 + LEASE_MS);
    await assert.rejects(ledger.write(recordLook, lost, bad('d'), { due: 9 }, 300), LOST);
    await assert.rejects(ledger.write(notLooked, lost, FAILURE, 9), LOST);
    await assert.rejects(ledger.write(renewVerify, lost, 300), LOST);
    await ledger.write(giveBackVerify, lost, 300);
    await ledger.write(giveBackVerify, taken, 301);
    const work = await due(ledger, 301);
    // stored anew meanwhile: what was read is old
    await store(ledger, 'a', 400);
    await assert.rejects(ledger.write(recordLook, work, bad('d'), { due: 9 }, 500), LOST);
    assert.equal(await state(ledger), 'complete');
  });

  test(`${name}: missing files make a series failed until they are there again, and are told once`, async (t) => {
    const { ledger } = await open(t);
    await store(ledger, 'a', 100);
    await ledger.write(adjustVerify, EVERY, 200);
    await ledger.write(recordLook, await due(ledger, 200), bad('d'), { due: 300 }, 210);
    assert.equal(await state(ledger), 'failed');
    const view = await known(ledger);
    assert.deepEqual([view.failure?.code, view.good, view.since], ['VERIFY_MISSING', null, 210]);
    assert.equal((await ledger.read(verifySummary)).oldest, 210, 'when files were looked at last');
    assert.deepEqual(view.findings, [{ file: 'a.dcm', kind: 'missing' }]);
    assert.deepEqual((await ledger.read(verifySummary)).failing, { VERIFY_MISSING: 1 });
    assert.deepEqual(await ledger.read(cleanable, 999_999, 9), [], 'what is damaged is deleted from Orthanc');
    await ledger.write(recordLook, await due(ledger, 300), bad('d'), { due: 400 }, 310);
    assert.equal((await known(ledger)).since, 210, 'the same is news');
    await ledger.write(recordLook, await due(ledger, 400), GOOD, { due: null }, 410);
    assert.equal(await state(ledger), 'complete');
    assert.deepEqual([(await known(ledger)).good, (await known(ledger)).since], [410, 410]);
    assert.deepEqual((await ledger.read(verifySummary)).failing, {});
  });

  test(`${name}: what is acknowledged is known, and something else is not`, async (t) => {
    const { ledger } = await open(t);
    await store(ledger, 'a', 100, 'p');
    await store(ledger, 'b', 101, 'p"q');
    await ledger.write(adjustVerify, EVERY, 200);
    for (const digest of ['d', 'e'])
      await ledger.write(recordLook, await due(ledger, 200), bad(digest), { due: 300 }, 210);
    const who = { by: 'somebody', reason: 'moved to the archive' };
    assert.deepEqual(await ledger.write(acknowledgeFindings, { project: 'q' }, who, 220), []);
    assert.deepEqual(await ledger.write(acknowledgeFindings, { project: 'p"q' }, who, 220), [
      { series: 'b', place: 'storage' },
    ]);
    assert.deepEqual(await ledger.write(acknowledgeFindings, { project: 'p' }, who, 220), [
      { series: 'a', place: 'storage' },
    ]);
    assert.equal(await state(ledger, 'a'), 'complete');
    assert.deepEqual((await known(ledger)).acknowledged, { ...who, at: 220 });
    const { failing, acknowledged } = await ledger.read(verifySummary);
    assert.deepEqual([failing, acknowledged], [{}, 2]);
    // the same again is still known, more of it is not
    const again = await due(ledger, 300);
    await ledger.write(recordLook, again, bad(again.series === 'a' ? 'd' : 'e'), { due: 400 }, 310);
    assert.equal(await state(ledger, again.series), 'complete');
    await ledger.write(askVerify, { series: again.series }, ASKED, 320);
    const asked = await ledger.write(nextAsked, 320);
    assert.ok(asked !== undefined);
    await ledger.write(recordLook, asked, bad('more'), { due: 400 }, 330);
    assert.equal(await state(ledger, again.series), 'failed');
    assert.equal((await known(ledger, again.series)).acknowledged, undefined);
  });

  test(`${name}: what could not be looked at waits, and says why`, async (t) => {
    const { ledger } = await open(t);
    await store(ledger, 'a', 100);
    await ledger.write(adjustVerify, EVERY, 200);
    await ledger.write(notLooked, await due(ledger, 200), FAILURE, 500);
    assert.equal(await ledger.write(nextVerify, 499), undefined);
    assert.equal((await known(ledger)).trouble?.code, 'X');
    assert.deepEqual((await ledger.read(verifySummary)).trouble, { X: 1 });
    const work = await due(ledger, 500);
    assert.equal(work.attempts, 1);
    await ledger.write(recordLook, work, GOOD, { due: null }, 510);
    assert.equal((await known(ledger)).trouble, undefined);
    await ledger.write(adjustVerify, EVERY, 600);
    await ledger.write(endVerify, await due(ledger, 600));
    assert.equal((await known(ledger)).due, null);
  });

  test(`${name}: a changed schedule holds for what waits already`, async (t) => {
    const { ledger } = await open(t);
    await store(ledger, 'a', 1_000);
    await ledger.write(adjustVerify, { every: 10_000, until: 500 }, 2_000);
    assert.equal((await known(ledger)).due, null, 'too old');
    await ledger.write(adjustVerify, { every: 10_000, until: 5_000 }, 2_000);
    assert.equal((await known(ledger)).due, 2_000);
    await ledger.write(recordLook, await due(ledger, 2_000), GOOD, { due: 12_000 }, 2_000);
    await ledger.write(adjustVerify, { every: 100, until: undefined }, 2_000);
    assert.equal((await known(ledger)).due, 2_100);
    await ledger.write(adjustVerify, { every: undefined, until: undefined }, 2_000);
    assert.equal((await known(ledger)).due, null);
  });

  test(`${name}: what a person asks for is done series by series, and survives a restart`, async (t) => {
    const { ledger, again } = await open(t);
    await store(ledger, 'a', 100);
    await store(ledger, 'b', 200);
    assert.equal(await ledger.write(askVerify, { series: 'none' }, ASKED, 300), undefined);
    assert.equal((await ledger.write(askVerify, { since: 150 }, ASKED, 300))?.total, 1);
    const job = await ledger.write(askVerify, {}, { repair: true, by: 'somebody' }, 301);
    assert.deepEqual([job?.total, job?.done, job?.repair], [2, 0, true]);
    const later = await again();
    const id = idOf(job);
    for (const look of [GOOD, GOOD, bad('d')]) {
      const work = await later.write(nextAsked, 400);
      assert.ok(work !== undefined);
      await later.write(recordLook, work, look, { due: null, repair: { restored: 3, left: 0 } }, 400);
    }
    assert.equal(await later.write(nextAsked, 400), undefined);
    const now = await later.read(jobById, id);
    assert.deepEqual([now?.done, now?.good, now?.repaired], [2, 1, 6]);
    const outcomes = (await later.read(jobResults, id, 9)).map(({ outcome }) => [
      outcome?.state,
      outcome?.code,
    ]);
    assert.deepEqual(outcomes, [
      ['failing', 'VERIFY_MISSING'],
      ['good', undefined],
    ]);
  });

  test(`${name}: a request that is stopped, or cannot be met, ends`, async (t) => {
    const { ledger } = await open(t);
    await store(ledger, 'a', 100);
    const job = await ledger.write(askVerify, {}, ASKED, 300);
    const id = idOf(job);
    const work = await ledger.write(nextAsked, 300);
    assert.ok(work !== undefined);
    await ledger.write(notLooked, work, FAILURE, 310);
    const second = await ledger.write(nextAsked, 310);
    assert.equal(second?.attempts, 1);
    await ledger.write(notLooked, second, FAILURE, undefined);
    assert.equal((await ledger.read(jobResults, id, 9))[0]?.outcome?.code, 'X');
    const other = (await ledger.write(askVerify, {}, ASKED, 400))?.id ?? '';
    const running = await ledger.write(nextAsked, 400);
    assert.ok(running !== undefined);
    assert.equal(await ledger.write(stopJob, other), true);
    await assert.rejects(ledger.write(recordLook, running, GOOD, { due: null }, 410), LOST);
    assert.equal((await ledger.read(jobById, other))?.done, 1);
    assert.equal(await ledger.write(stopJob, 'none'), false);
    await ledger.write(prune, 9_999);
    assert.equal(await ledger.read(jobById, other), undefined);
  });

  test(`${name}: a folder is held from whoever stores, and the reverse`, async (t) => {
    const { ledger } = await open(t);
    await store(ledger, 'a', 100);
    assert.equal(await ledger.read(isStoring), false);
    const held = await ledger.write(claimLegOf, 'a', 'storage', 200);
    assert.ok(held !== undefined);
    assert.equal(await ledger.write(claimLegOf, 'a', 'storage', 201), undefined);
    await ledger.write(arrived, cursor(2), ['a'], 210, 210);
    assert.equal(await ledger.read(isStoring), true);
    assert.equal(
      await ledger.write(nextStore, 210),
      undefined,
      'it is stored while somebody else writes there',
    );
    await ledger.write(renew, held, 220);
    await ledger.write(giveBack, held, 230);
    const work = await toStore(ledger, 230);
    assert.equal(await ledger.write(claimLegOf, 'a', 'storage', 240), undefined);
    await ledger.write(stored, work, done({ targets: [] }), 250);
    assert.equal(await ledger.read(isStoring), false);
  });

  test(`${name}: the copy is verified by itself`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 100);
    const storing = await ledger.write(nextStore, 100, [COPY]);
    assert.ok(storing !== undefined);
    await ledger.write(stored, storing, done({ targets: [] }), 110);
    const copy = await toForward(ledger, 110, COPY);
    await ledger.write(copied, copy, { done: 2, total: 2, failure: undefined }, 120);
    await ledger.write(askVerify, {}, ASKED, 200);
    const places = [await ledger.write(nextAsked, 200), await ledger.write(nextAsked, 200)];
    assert.deepEqual(places.map((work) => work?.target).sort(), ['copy', 'storage']);
    const ofCopy = places.find((work) => work?.target === 'copy');
    assert.ok(ofCopy !== undefined);
    await ledger.write(recordLook, ofCopy, bad('d'), { due: null }, 210);
    assert.equal(await state(ledger), 'failed');
  });
}
