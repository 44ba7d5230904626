/** What every ledger does with a destination that a person paused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  cursor,
  done,
  FAILURE,
  leg,
  LEASE_MS,
  toForward,
  toStore,
  type OpenLedger,
} from '../ledger/conformance-kit.test.ts';
import { arrived } from '../intake/step.ts';
import { giveBack, nextLeg, nextTime } from '../ledger/claims.ts';
import { legLater } from '../ledger/aftermath.ts';
import { retryLegs } from '../ledger/leg.ts';
import { endedPauses, openPauses, pauseDestination, resumeDestination } from '../ledger/pauses.ts';
import { allWaiting, ledgerMarks, searchSeries, waitingLegs } from '../ledger/search.ts';
import type { Ledger } from '../ledger/tx.ts';
import { stored } from '../store/sql.ts';
import { forwarded } from './sql.ts';

const order = (at: number, reason = 'the archive is updated') => ({
  at,
  by: 'anna',
  from: '127.0.0.1',
  reason,
});
const PAUSE = { destination: 'pacs', since: 200, by: 'anna', reason: 'the archive is updated' };

async function withSeries(ledger: Ledger, ...ids: string[]): Promise<void> {
  await ledger.write(arrived, cursor(1), ids, 100, 100);
  for (const [index, id] of ids.entries())
    await ledger.write(
      stored,
      await toStore(ledger, 100),
      done({ path: `p/${id}`, targets: ['pacs', 'other', 'commitment:pacs'] }),
      110 + index,
    );
}

export function pauseConformance(name: string, open: OpenLedger): void {
  test(`${name}: what waits has a reason, and waits since its leg opened, whatever was tried since`, async (t) => {
    const { ledger } = await open(t);
    await withSeries(ledger, 'a', 'b');
    const waiting = async (): Promise<string[]> =>
      (await ledger.read(allWaiting)).map(
        ({ target, reason = '-', count, since }) => `${target} ${reason} ${count} ${since}`,
      );
    assert.deepEqual(await waiting(), ['commitment:pacs - 2 110', 'other - 2 110', 'pacs - 2 110']);
    const later = { attempts: 1, nextTry: 400, failure: FAILURE };
    await ledger.write(legLater, await toForward(ledger, 300), later, 310);
    assert.deepEqual((await waiting()).slice(-2), ['pacs - 1 111', 'pacs X 1 110']);
    for (const now of [320, 420]) await ledger.write(legLater, await toForward(ledger, now), later, now);
    await ledger.write(forwarded, await toForward(ledger, 440, 'other'), 1, undefined, 450);
    await ledger.write(pauseDestination, 'other', order(460));
    assert.deepEqual(await waiting(), ['commitment:pacs - 2 110', 'other paused 1 111', 'pacs X 2 110']);
    await ledger.write(forwarded, await toForward(ledger, 500), 1, undefined, 510);
    await ledger.write(forwarded, await toForward(ledger, 500), 1, undefined, 510);
    assert.ok((await waiting()).every((one) => !one.startsWith('pacs ')));
  });

  test(`${name}: nothing is claimed for a paused destination, also after a restart; others go on`, async (t) => {
    const { ledger, again } = await open(t);
    await withSeries(ledger, 'a', 'b');
    const before = await ledger.read(ledgerMarks);
    assert.equal(await ledger.write(pauseDestination, 'pacs', order(200)), undefined);
    assert.deepEqual(
      await ledger.write(pauseDestination, 'pacs', order(210, 'again')),
      PAUSE,
      'the first counts',
    );
    assert.notDeepEqual(await ledger.read(ledgerMarks), before, 'pages learn of it');
    const later = await again();
    for (const target of ['pacs', 'commitment:pacs']) {
      assert.equal(await later.write(nextLeg, target, 300), undefined, target);
      assert.equal(await later.read(nextTime, target), undefined, `nobody looks again and again: ${target}`);
    }
    assert.ok(await later.write(nextLeg, 'other', 300));
    // a person who retries it changes nothing
    await later.write(retryLegs, 'a', 'pacs', 310);
    assert.equal(await later.write(nextLeg, 'pacs', 320), undefined);
    assert.deepEqual(await later.read(openPauses), [{ ...PAUSE, waiting: 2 }]);
    assert.deepEqual((await leg(later, 'pacs'))?.paused, PAUSE);
    assert.deepEqual((await leg(later, 'commitment:pacs'))?.paused, PAUSE);
    assert.equal((await leg(later, 'other'))?.paused, undefined);
    const page = { offset: 0, limit: 10 };
    assert.equal((await later.read(searchSeries, { target: 'pacs', leg: 'paused' }, page)).total, 2);
    assert.equal((await later.read(searchSeries, { target: 'other', leg: 'paused' }, page)).total, 0);
  });

  test(`${name}: a send that runs when its destination is paused ends; what failed meanwhile waits`, async (t) => {
    const { ledger } = await open(t);
    await withSeries(ledger, 'a', 'b', 'c');
    const [first, second, third] = [
      await toForward(ledger, 150),
      await toForward(ledger, 150),
      await toForward(ledger, 150),
    ];
    await ledger.write(pauseDestination, 'pacs', order(200));
    await ledger.write(forwarded, first, 1, undefined, 210);
    await ledger.write(legLater, second, { attempts: 1, nextTry: 220, failure: FAILURE }, 210);
    await ledger.write(giveBack, third, 210);
    assert.equal(await ledger.write(nextLeg, 'pacs', 210 + 2 * LEASE_MS), undefined);
    assert.equal((await ledger.read(openPauses))[0]?.waiting, 2);
    assert.deepEqual(await ledger.read(waitingLegs), [], 'a paused one waits for a person');
    const page = { offset: 0, limit: 10 };
    assert.equal((await ledger.read(searchSeries, { target: 'pacs', waits: true }, page)).total, 0);
    await ledger.write(resumeDestination, 'pacs', order(300));
    assert.equal((await ledger.read(waitingLegs)).length, 1);
  });

  test(`${name}: a destination that is resumed gets what waited; the pause stays known`, async (t) => {
    const { ledger } = await open(t);
    await withSeries(ledger, 'a');
    assert.equal(await ledger.write(resumeDestination, 'pacs', order(190)), false, 'it was not paused');
    await ledger.write(pauseDestination, 'pacs', order(200));
    assert.equal(await ledger.write(resumeDestination, 'pacs', order(400, 'done')), true);
    assert.equal(await ledger.write(resumeDestination, 'pacs', order(401)), false);
    assert.ok((await ledger.read(nextTime, 'pacs')) !== undefined);
    assert.equal((await toForward(ledger, 410)).series, 'a');
    assert.equal((await leg(ledger, 'pacs'))?.paused, undefined);
    assert.deepEqual(await ledger.read(openPauses), []);
    const ended = { ...PAUSE, ended: 400, endedBy: 'anna', endedReason: 'done' };
    assert.deepEqual(await ledger.read(endedPauses), [ended]);
    await ledger.write(pauseDestination, 'pacs', order(500));
    assert.equal((await ledger.read(openPauses)).length, 1, 'it can be paused again');
  });
}
