/** What every ledger does with destinations that no longer want a series, and with those that came later. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  cursor,
  done,
  leg,
  LOST,
  state,
  toForward,
  toStore,
  type OpenLedger,
} from '../ledger/conformance-kit.test.ts';
import { arrived } from '../intake/step.ts';
import { stored } from '../store/sql.ts';
import { openCommitment } from '../ledger/aftermath.ts';
import { giveBack } from '../ledger/claims.ts';
import { progressOf, recordProgress, retryLegs } from '../ledger/leg.ts';
import { forwarded, openDestination, skipDestination, unwanted } from './sql.ts';

export function destinationConformance(name: string, open: OpenLedger): void {
  test(`${name}: a series that a destination no longer wants has nothing to do with it`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 100);
    await ledger.write(stored, await toStore(ledger, 100), done(), 110);
    const work = await toForward(ledger, 120);
    await ledger.write(recordProgress, work, [{ instance: 'i', outcome: 'done', detail: '' }]);
    await ledger.write(unwanted, work, 130);
    assert.equal(await leg(ledger, 'pacs'), undefined);
    assert.deepEqual(await ledger.read(progressOf, 'a', 'pacs'), []);
    assert.equal(await state(ledger), 'complete');
    await assert.rejects(ledger.write(unwanted, work, 140), LOST);
  });

  test(`${name}: what went to a destination before it no longer wanted the series stays known`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 100);
    await ledger.write(stored, await toStore(ledger, 100), done(), 110);
    await ledger.write(forwarded, await toForward(ledger, 120), 1, undefined, 130);
    await ledger.write(arrived, cursor(2), ['a'], 140, 140);
    await ledger.write(
      stored,
      await toStore(ledger, 140),
      done({ increment: 2, stored: 3, inOrthanc: 3 }),
      150,
    );
    await ledger.write(unwanted, await toForward(ledger, 160), 170);
    const left = await leg(ledger, 'pacs');
    assert.deepEqual([left?.state, left?.through, left?.nextTry], ['done', 1, null]);
    assert.equal(await state(ledger), 'complete');
  });

  test(`${name}: a stored series is opened for a destination once`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 100);
    assert.equal(await ledger.write(openDestination, 'a', 'later', 100), false, 'it is not stored yet');
    await ledger.write(stored, await toStore(ledger, 100), done({ targets: [] }), 110);
    assert.equal(await ledger.write(openDestination, 'a', 'later', 120), true);
    assert.equal(await ledger.write(openDestination, 'a', 'later', 120), false);
    assert.equal(await ledger.write(openDestination, 'none', 'later', 120), false);
    assert.equal(await state(ledger), 'working');
    const opened = await leg(ledger, 'later');
    assert.deepEqual([opened?.state, opened?.total, opened?.through], ['pending', 2, 0]);
    await ledger.write(forwarded, await toForward(ledger, 120, 'later'), 1, undefined, 130);
    assert.equal(await state(ledger), 'complete');
  });

  test(`${name}: images that are stored anew and sent again count once`, async (t) => {
    const { ledger } = await open(t);
    for (const increment of [1, 2]) {
      await ledger.write(arrived, cursor(increment), ['a'], 100, 100);
      await ledger.write(
        stored,
        await toStore(ledger, 100),
        done({ increment, stored: 2, inOrthanc: 2 }),
        110,
      );
      const work = await toForward(ledger, 120);
      for (const file of ['i', 'j']) {
        await ledger.write(recordProgress, work, [
          { instance: `${increment}${file}`, outcome: 'done', detail: '' },
        ]);
        const part = await leg(ledger, 'pacs');
        assert.ok((part?.done ?? 0) <= 2, 'while it is sent');
      }
      await ledger.write(forwarded, work, increment, undefined, 130);
      const sent = await leg(ledger, 'pacs');
      assert.deepEqual([sent?.done, sent?.total], [2, 2]);
    }
  });

  test(`${name}: a destination that a person gave up waits for nothing, gets no late images, and is sent to after all where it is retried`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 100);
    await ledger.write(stored, await toStore(ledger, 100), done(), 110);
    const reason = { code: 'DEST_SKIPPED', message: 'anna gave it up' };
    const skip = (now: number): Promise<string[]> => ledger.write(skipDestination, 'a', 'pacs', reason, now);
    const work = await toForward(ledger, 120);
    assert.deepEqual(await skip(121), [], 'it is being sent right now');
    await ledger.write(giveBack, work, 122);
    assert.deepEqual(await skip(123), ['pacs']);
    assert.deepEqual(await skip(124), [], 'it is given up already');
    const left = await leg(ledger, 'pacs');
    assert.deepEqual([left?.state, left?.failure?.code, left?.nextTry], ['done', 'DEST_SKIPPED', null]);
    assert.equal(await state(ledger), 'complete');
    await ledger.write(arrived, cursor(2), ['a'], 130, 130);
    const more = done({ increment: 2, stored: 3, inOrthanc: 3 });
    await ledger.write(stored, await toStore(ledger, 130), more, 140);
    assert.equal((await leg(ledger, 'pacs'))?.state, 'done', 'late images do not bring it back');
    assert.deepEqual(await ledger.write(retryLegs, 'a', undefined, 150), [], 'a retry of all neither');
    assert.deepEqual(await ledger.write(retryLegs, 'a', 'pacs', 150), ['pacs']);
    const again = await leg(ledger, 'pacs');
    assert.deepEqual([again?.state, again?.failure], ['pending', undefined]);
    assert.equal((await toForward(ledger, 160)).through, 0, 'all of it is sent');
  });

  test(`${name}: a destination that nobody works on any more is given up after its lease, with its commitment`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 100);
    await ledger.write(stored, await toStore(ledger, 100), done(), 110);
    await toForward(ledger, 120);
    await ledger.write(openCommitment, { series: 'a', target: 'pacs' }, 121);
    const reason = { code: 'DEST_SKIPPED', message: 'anna gave it up' };
    const over = 120 + ledger.leaseMs;
    assert.deepEqual(await ledger.write(skipDestination, 'a', 'pacs', reason, over), [
      'commitment:pacs',
      'pacs',
    ]);
    assert.equal(await state(ledger), 'complete');
  });
}
