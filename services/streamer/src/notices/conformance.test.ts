/** What every ledger does with notices: the queue, and what one look after the other tells whom; run against each of them by its tests. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { legFailed } from '../ledger/aftermath.ts';
import { nextStore } from '../ledger/claims.ts';
import { cursor, done, FAILURE, LEASE_MS, toForward, toStore } from '../ledger/conformance-kit.test.ts';
import type { Ledger } from '../ledger/tx.ts';
import type { OpenFollowed } from '../hooks/conformance.test.ts';
import { arrived } from '../intake/step.ts';
import { retryLegs } from '../ledger/leg.ts';
import { nextSession } from '../sessions/step.ts';
import { quarantine, stored } from '../store/sql.ts';
import { forgetSeries } from '../erase/sql.ts';
import { attributes, desk, OPS, settled } from './desk.test.ts';
import { verdictConformance } from './verdict.conformance.test.ts';
import { NO_HOOKS, queueConformance, take } from './queue.conformance.test.ts';
import { forgetNotices, messages, sent } from './sql.ts';

async function quarantined(ledger: Ledger, id: string, now: number): Promise<void> {
  await ledger.write(arrived, cursor(now), [id], now, now);
  const reason = { code: 'ROUTE_NO_MATCH', message: 'no booking' };
  await ledger.write(
    quarantine,
    await toStore(ledger, now),
    { attributes, inOrthanc: 1, digest: 'd', reason },
    now,
  );
}

export function noticeConformance(name: string, open: OpenFollowed): void {
  queueConformance(name, open);
  verdictConformance(name, open);

  const opened = async (t: TestContext): Promise<Ledger> => (await open(t, NO_HOOKS)).ledger;

  test(`${name}: quarantine is one matter: gathered, summed up, told again with news alone, resolved`, async (t) => {
    const ledger = await opened(t);
    const one = desk(ledger);
    await quarantined(ledger, 'a', 1);
    await one.look(10);
    await quarantined(ledger, 'b', 20);
    await one.look(500);
    assert.deepEqual(await one.deliver(), [], 'it gathers');
    await one.look(1_100);
    assert.deepEqual(await one.deliver(), [
      'it@example.org new: 2 series in quarantine',
      'ops new: 2 series in quarantine',
    ]);
    for (const at of [2_000, 200_000]) await one.look(at);
    assert.deepEqual(await one.deliver(), [], 'nothing changed');
    await quarantined(ledger, 'c', 200_001);
    await one.look(200_002);
    assert.deepEqual((await one.deliver()).length, 2, 'the last message is long ago');
    await quarantined(ledger, 'd', 200_003);
    await one.look(200_004);
    assert.deepEqual(await one.deliver(), [], 'too soon');
    await ledger.write(forgetSeries, ['a', 'b', 'c', 'd'], [], 200_010);
    await one.look(200_020);
    assert.deepEqual(await one.deliver(), [], 'it may come back');
    await one.look(201_100);
    assert.deepEqual(await one.deliver(), [
      'it@example.org resolved: 3 series in quarantine',
      'ops resolved: 3 series in quarantine',
    ]);
    await one.look(400_000);
    assert.deepEqual(await one.deliver(), []);
  });

  test(`${name}: a failure at a destination, one that waits too long, and a root that is urgent`, async (t) => {
    const ledger = await opened(t);
    const one = desk(ledger);
    await ledger.write(arrived, cursor(1), ['a'], 1, 1);
    await ledger.write(stored, await toStore(ledger, 1), done({ attributes }), 1);
    await ledger.write(legFailed, await toForward(ledger, 1), FAILURE, 1);
    one.quiet.until = 5_000;
    one.condition.rootsRefused([
      { path: '/project', failure: { kind: 'transient', code: 'STORE_ROOT_MISSING', message: 'm' } },
    ]);
    await one.look(2);
    assert.deepEqual(await one.deliver(), [
      'it@example.org new: Trouble with /project: STORE_ROOT_MISSING',
      'ops new: Trouble with /project: STORE_ROOT_MISSING',
    ]);
    await one.look(4_999);
    assert.deepEqual(await one.deliver(), [], 'quiet hours');
    await one.look(5_000);
    assert.deepEqual(await one.deliver(), [
      'it@example.org new: 1 series failed at pacs',
      'ops new: 1 series failed at pacs',
    ]);
    await ledger.write(retryLegs, 'a', 'pacs', 6_000);
    one.condition.rootsRefused([]);
    await one.look(6_001);
    await one.look(8_000);
    assert.deepEqual((await one.deliver()).map((line) => line.replace(/:.*/, '')).sort(), [
      ...['it@example.org resolved', 'it@example.org resolved', 'ops resolved', 'ops resolved'],
    ]);
  });

  test(`${name}: a session is told to its booker of an allowed domain and its project, each increment once`, async (t) => {
    const ledger = await opened(t);
    const store = async (id: string, now: number, over = {}): Promise<void> => {
      await ledger.write(arrived, cursor(now), [id], now, now);
      await ledger.write(stored, await toStore(ledger, now), done({ attributes, targets: [], ...over }), now);
    };
    await store('old', 1, { attributes: { ...attributes, AccessionNumber: 'A0' } });
    await settled(ledger, 200);
    const one = desk(ledger);
    await one.look(300);
    assert.deepEqual(await one.deliver(), [], 'what was there before is not told');
    await store('a', 400);
    await one.look(450);
    assert.deepEqual(await one.deliver(), [], 'not complete yet');
    await settled(ledger, 600);
    await one.look(601);
    const line = (address: string, state: string, series = 1): string =>
      `${address} ${state}: Stored: ${series} series of p s t`;
    assert.deepEqual(await one.deliver(), [line('anna@example.org', 'said'), line('pi@example.org', 'said')]);
    await one.look(700);
    assert.deepEqual(await one.deliver(), []);
    await store('b', 800);
    await settled(ledger, 1_000);
    await one.look(1_001);
    assert.deepEqual(await one.deliver(), [
      line('anna@example.org', 'changed', 2),
      line('pi@example.org', 'changed', 2),
    ]);
    const again = desk(ledger);
    await again.look(1_100);
    assert.deepEqual(await again.deliver(), [], 'another process');
  });

  test(`${name}: quiet hours and the rate hold a session back until they are over`, async (t) => {
    const ledger = await opened(t);
    const one = desk(ledger, { most: 1 });
    await one.look(1);
    for (const [id, accession] of [
      ['a', 'A1'],
      ['b', 'B2'],
    ] as const) {
      await ledger.write(arrived, cursor(2), [id], 2, 2);
      const labelled = { ...attributes, AccessionNumber: accession };
      await ledger.write(stored, await toStore(ledger, 2), done({ attributes: labelled, targets: [] }), 2);
    }
    await settled(ledger, 200);
    await settled(ledger, 200);
    one.quiet.until = 1_000;
    await one.look(500);
    assert.deepEqual(await one.deliver(), []);
    await one.look(1_000);
    assert.deepEqual((await one.deliver()).length, 2, 'one to the booker, one to the project');
    await one.look(2_000);
    assert.deepEqual(await one.deliver(), [], 'no room within the hour');
    await one.look(3_700_000);
    assert.deepEqual((await one.deliver()).length, 1);
  });

  test(`${name}: while nothing gets through, a matter has one message with the latest news, or none once it is over`, async (t) => {
    const ledger = await opened(t);
    const one = desk(ledger);
    await quarantined(ledger, 'a', 1);
    await one.look(1);
    await one.look(1_001);
    await quarantined(ledger, 'b', 200_000);
    await one.look(200_001);
    const waiting = (await ledger.read(messages, 9)).filter(({ state }) => state === 'pending');
    assert.deepEqual(
      waiting.map(({ kind }) => kind),
      ['new', 'new'],
    );
    const held = await take(ledger, 200_002, 'ops');
    assert.equal(held.notice.heading, '2 series in quarantine');
    await ledger.write(forgetSeries, ['a', 'b'], [], 200_003);
    await one.look(200_004);
    await one.look(202_000);
    assert.deepEqual(
      (await ledger.read(messages, 9)).map(({ channel, kind }) => [channel, kind]),
      [['ops', 'new']],
      'nobody got the mail: it is withdrawn; the other is being sent',
    );
    await ledger.write(sent, held, 202_001);
    await one.look(202_002);
    assert.deepEqual(await one.deliver(), ['ops resolved: 2 series in quarantine']);
  });

  test(`${name}: a recipient who left the configuration hears of nothing more`, async (t) => {
    const ledger = await opened(t);
    const before = desk(ledger);
    await quarantined(ledger, 'a', 1);
    await before.look(1);
    await before.look(1_001);
    assert.equal((await before.deliver()).length, 2);
    const after = desk(ledger, {}, [OPS]);
    for (const at of [2_000, 4_000, 6_000]) await after.look(at);
    assert.deepEqual(await after.deliver(), []);
    await ledger.write(forgetSeries, ['a'], [], 7_000);
    for (const at of [8_000, 10_000]) await after.look(at);
    assert.deepEqual(await after.deliver(), ['ops resolved: 1 series in quarantine']);
  });

  test(`${name}: an erased session leaves nothing behind, and turning notices off forgets all`, async (t) => {
    const ledger = await opened(t);
    const one = desk(ledger);
    await one.look(1);
    await ledger.write(arrived, cursor(2), ['a'], 2, 2);
    await ledger.write(stored, await toStore(ledger, 2), done({ attributes, targets: [] }), 2);
    const session = (await ledger.read(nextSession, 1_000))?.id ?? '';
    await settled(ledger, 200);
    await one.look(201);
    assert.equal((await ledger.read(messages, 9)).length, 2);
    await ledger.write(forgetSeries, ['a'], [session], 300);
    assert.deepEqual(await ledger.read(messages, 9), []);
    await ledger.write(forgetNotices);
    assert.equal(await ledger.write(nextStore, 1e9), undefined);
  });
}

/** Two streamers on one ledger: one of them looks, both send. */
export async function shareNotices(first: Ledger, second: Ledger): Promise<void> {
  const [a, b] = [desk(first), desk(second)];
  await quarantined(first, 'a', 1);
  const looks = async (at: number): Promise<unknown[]> =>
    (await Promise.all([a.look(at), b.look(at)])).filter((written) => written !== undefined);
  assert.deepEqual(await looks(1), [0]);
  assert.deepEqual(await looks(1_001 + 1), [2], 'one looked, and wrote a message to each');
  const got = (await Promise.all([a.deliver(), b.deliver()])).flat().sort();
  assert.deepEqual(got, ['it@example.org new: 1 series in quarantine', 'ops new: 1 series in quarantine']);
  const later = 1_002 + 3 * LEASE_MS;
  assert.equal(await b.look(later), 0, 'whoever looks first after the lease');
  assert.equal(await a.look(later), undefined);
}
