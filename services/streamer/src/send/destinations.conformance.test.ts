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
import { progressOf, recordProgress } from '../ledger/leg.ts';
import { forwarded, openDestination, unwanted } from './sql.ts';

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
}
