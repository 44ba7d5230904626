/** What every ledger does with events, sessions and what may be deleted: run against each of them by its tests. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { COPY } from '../model/series.ts';
import { sessionDigest } from '../sessions/plan.ts';
import type { Consequences, Ledger } from '../ledger/tx.ts';
import type { StoreDone, DeliveryWork, SessionView } from '../ledger/rows.ts';
import * as kit from '../ledger/conformance-kit.test.ts';
import { arrived } from '../intake/step.ts';
import { quarantine, releaseSeries, stored } from '../store/sql.ts';
import { deliveriesIn, deliveriesOf } from '../ledger/deliveries.ts';
import {
  delivered,
  nextDelivery,
  nextDeliveryTime,
  notDelivered,
  renewDelivery,
  retryDeliveries,
  skipDeliveries,
  prune,
} from './sql.ts';
import { listSessions, nextSession, sessionComplete, sessionLater } from '../sessions/step.ts';
import { findSession, matching } from '../ledger/views.ts';
import { cleanable, markCleaned, markCleaning } from '../cleanup/step.ts';
import { nextStore } from '../ledger/claims.ts';
import { copied } from '../copy/step.ts';
import { forwarded } from '../send/sql.ts';
import { legFailed } from '../ledger/aftermath.ts';
import { collecting, expectImages, hasten } from '../intake/expected.ts';

const { decision, cursor, done, FAILURE, LEASE_MS, toForward, toStore } = kit;

/** Opens an empty ledger with leases of LEASE_MS; `again` opens it anew after its process is gone. */
export type OpenFollowed = (
  t: TestContext,
  consequences: Consequences,
) => Promise<{ ledger: Ledger; again: () => Promise<Ledger> }>;

export const QUIET = 100;
/** Hook `all` wants everything, `mr` what becomes of MR. */
export const consequences: Consequences = {
  hooksFor: (_, modality) => ['all', ...(modality === 'MR' ? ['mr'] : [])],
  sessionQuietMs: QUIET,
};
export const attributes = { Modality: 'MR', AccessionNumber: 'A1', PatientID: 'p' };

/** Series `id` arrives and is stored. */
export async function store(
  ledger: Ledger,
  id: string,
  now: number,
  over: Partial<StoreDone> = {},
): Promise<void> {
  await ledger.write(arrived, cursor(now), [id], now, now);
  await ledger.write(stored, await toStore(ledger, now), done({ attributes, targets: [], ...over }), now);
}

export async function next(ledger: Ledger, now: number, hook = 'all'): Promise<DeliveryWork> {
  const work = await ledger.write(nextDelivery, hook, now);
  assert.ok(work !== undefined, 'nothing is to be told');
  return work;
}

export async function dueSession(ledger: Ledger, now: number): Promise<SessionView> {
  const session = await ledger.read(nextSession, now);
  assert.ok(session !== undefined, 'no session is due');
  return session;
}

/** The session is quiet, and its hooks are told. */
async function tellSession(ledger: Ledger, now: number): Promise<void> {
  const session = await dueSession(ledger, now);
  const digest = sessionDigest(session.series);
  assert.ok(await ledger.write(sessionComplete, session, { digest, folder: '/r' }, now));
  for (const hook of consequences.hooksFor('complete', undefined))
    await ledger.write(delivered, await next(ledger, now, hook), '', now);
}

export const END = { failure: FAILURE, output: 'why' };

export function eventConformance(name: string, open: OpenFollowed): void {
  test(`${name}: what is stored is told to each hook that wants it, once for each increment`, async (t) => {
    const { ledger, again } = await open(t, consequences);
    await store(ledger, 'a', 1);
    const first = await next(ledger, 1);
    const { hook, kind, subject, increment, attempts } = first;
    assert.deepEqual([hook, kind, subject, increment, attempts], ['all', 'stored', 'a', 1, 0]);
    const mr = await next(ledger, 1, 'mr');
    assert.equal(mr.event, first.event, 'another id for the same event');
    assert.equal(await ledger.write(nextDelivery, 'other', 1), undefined);
    await ledger.write(delivered, first, 'fine', 2);
    // duplicates bring no increment
    await store(ledger, 'a', 3);
    assert.equal(await ledger.write(nextDelivery, 'all', 3), undefined);
    await store(ledger, 'a', 4, { increment: 2 });
    const later = await again();
    const second = await next(later, 4);
    assert.equal(second.increment, 2);
    assert.notEqual(second.event, first.event);
    const views = (await later.read(deliveriesOf, ['a', 'b'])).get('a') ?? [];
    assert.deepEqual(
      views.map((one) => [one.hook, one.increment, one.state, one.output]),
      [
        ['all', 2, 'pending', ''],
        ['mr', 2, 'pending', ''],
        ['all', 1, 'done', 'fine'],
        ['mr', 1, 'pending', ''],
      ],
    );
  });

  test(`${name}: of one series events are told in order, of others meanwhile`, async (t) => {
    const { ledger } = await open(t, consequences);
    await store(ledger, 'a', 1);
    await store(ledger, 'a', 2, { increment: 2 });
    await store(ledger, 'b', 3);
    const [a, b] = [await next(ledger, 3), await next(ledger, 3)];
    assert.deepEqual([a.subject, a.increment, b.subject], ['a', 1, 'b']);
    assert.equal(await ledger.write(nextDelivery, 'all', 3), undefined, 'the second of a before its first');
    await ledger.write(notDelivered, a, { ...END, nextTry: 50 }, 4);
    assert.equal(await ledger.write(nextDelivery, 'all', 40), undefined);
    assert.equal(await ledger.read(nextDeliveryTime, 'all'), 3 + LEASE_MS < 50 ? 3 + LEASE_MS : 50);
    const retried = await next(ledger, 50);
    assert.deepEqual([retried.increment, retried.attempts], [1, 1]);
    await ledger.write(notDelivered, retried, { ...END, nextTry: undefined }, 51);
    assert.equal((await next(ledger, 51)).increment, 2, 'what was given up holds up the rest');
    const [, failed] = ((await ledger.read(deliveriesOf, ['a'])).get('a') ?? []).filter(
      ({ hook }) => hook === 'all',
    );
    assert.deepEqual([failed?.state, failed?.attempts, failed?.output], ['failed', 2, 'why']);
    assert.deepEqual(await ledger.write(retryDeliveries, 'a', 'hook:all', 60), ['hook:all']);
    assert.equal((await ledger.read(deliveriesIn, 'failed', 9)).length, 0);
    assert.deepEqual(await ledger.write(retryDeliveries, 'a', 'pacs', 60), []);
  });

  test(`${name}: a hook that is skipped is told no more and holds nothing up; one under way is left alone`, async (t) => {
    const { ledger } = await open(t, consequences);
    await store(ledger, 'a', 1);
    const [failed, running] = [await next(ledger, 1), await next(ledger, 1, 'mr')];
    await ledger.write(notDelivered, failed, { ...END, nextTry: undefined }, 2);
    assert.deepEqual(await ledger.write(skipDeliveries, 'a', 'hook:mr', 3), []);
    assert.deepEqual(await ledger.write(skipDeliveries, 'b', 'hook:all', 3), []);
    assert.deepEqual(await ledger.write(skipDeliveries, 'a', 'hook:all', 3), ['hook:all']);
    assert.deepEqual(await ledger.write(skipDeliveries, 'a', 'hook:all', 3), []);
    assert.deepEqual(await ledger.write(retryDeliveries, 'a', undefined, 4), []);
    const [all] = (await ledger.read(deliveriesOf, ['a'])).get('a') ?? [];
    assert.deepEqual([all?.state, all?.failure?.code, all?.output], ['done', 'HOOK_SKIPPED', 'why']);
    assert.deepEqual(await ledger.read(cleanable, QUIET * 9, 9), [], 'the other hook is not done');
    await ledger.write(delivered, running, '', 5);
    assert.deepEqual(await ledger.read(cleanable, QUIET * 9, 9), [], 'the session is not told');
    await tellSession(ledger, QUIET * 2);
    assert.equal((await ledger.read(cleanable, QUIET * 9, 9)).length, 1);
    // one that waits for its next try
    await store(ledger, 'a', 6, { increment: 2 });
    await ledger.write(notDelivered, await next(ledger, 6), { ...END, nextTry: 900 }, 7);
    assert.deepEqual(await ledger.write(skipDeliveries, 'a', 'hook:all', 8), ['hook:all']);
    assert.equal(await ledger.write(nextDelivery, 'all', 5000), undefined);
  });

  test(`${name}: a delivery whose worker is gone is made again, and the old worker is refused`, async (t) => {
    const { ledger } = await open(t, consequences);
    await store(ledger, 'a', 1);
    const lost = await next(ledger, 1);
    assert.equal(await ledger.write(nextDelivery, 'all', LEASE_MS), undefined);
    assert.equal(await ledger.write(renewDelivery, lost, 100), true);
    assert.equal(await ledger.write(nextDelivery, 'all', 1 + LEASE_MS), undefined);
    const taken = await next(ledger, 100 + LEASE_MS);
    assert.equal(taken.event, lost.event);
    assert.equal(await ledger.write(renewDelivery, lost, 2000), false);
    await assert.rejects(ledger.write(delivered, lost, '', 2000), { code: 'LEDGER_LEASE_LOST' });
    await ledger.write(notDelivered, taken, { failure: undefined, output: '', nextTry: undefined }, 2000);
    assert.equal((await next(ledger, 2000)).attempts, 0, 'an interruption counts as a failure');
  });

  test(`${name}: a copy that ends after its series is stored is told to nobody`, async (t) => {
    const { ledger } = await open(t, consequences);
    await ledger.write(arrived, cursor(1), ['a'], 1, 1);
    const storing = await ledger.write(nextStore, 1, [COPY]);
    assert.ok(storing !== undefined);
    await ledger.write(stored, storing, done({ attributes, targets: [] }), 2);
    assert.equal((await next(ledger, 2)).kind, 'stored');
    const copying = await toForward(ledger, 3, COPY);
    await ledger.write(copied, copying, { done: 2, total: 2, failure: undefined }, 3);
    assert.equal(await ledger.write(nextDelivery, 'all', 4), undefined);
    for (const { kind } of (await ledger.read(deliveriesOf, ['a'])).get('a') ?? [])
      assert.equal(kind, 'stored');
  });

  test(`${name}: what is forwarded, and what failed, is told`, async (t) => {
    const { ledger } = await open(t, consequences);
    await store(ledger, 'a', 1, { targets: ['pacs', 'other'], failure: FAILURE });
    const told = async (now: number): Promise<unknown[]> => {
      const work = await next(ledger, now);
      await ledger.write(delivered, work, '', now);
      return [work.kind, work.target, work.increment, work.cause?.code];
    };
    assert.deepEqual(await told(2), ['stored', undefined, 1, undefined]);
    assert.deepEqual(await told(2), ['failed', 'storage', 1, 'X']);
    await ledger.write(forwarded, await toForward(ledger, 3), 1, undefined, 3);
    assert.deepEqual(await told(3), ['forwarded', 'pacs', 1, undefined]);
    await ledger.write(legFailed, await toForward(ledger, 4, 'other'), FAILURE, 4);
    assert.deepEqual(await told(4), ['failed', 'other', 1, 'X']);
    assert.equal(await ledger.write(nextDelivery, 'all', 5), undefined);
    assert.equal(await ledger.write(prune, 4), 3);
    assert.equal(
      (await ledger.read(deliveriesOf, ['a'])).get('a')?.filter(({ hook }) => hook === 'all').length,
      1,
    );
  });

  test(`${name}: a session is complete when it was quiet and all of it is done, again when it has grown`, async (t) => {
    const { ledger, again } = await open(t, consequences);
    await store(ledger, 'a', 1, { targets: ['pacs'] });
    await store(ledger, 'b', 50);
    assert.equal(await ledger.read(nextSession, 1000), undefined, 'a is under way still');
    await ledger.write(forwarded, await toForward(ledger, 60), 1, undefined, 60);
    assert.equal(await ledger.read(nextSession, 60 + QUIET - 1), undefined);
    const session = await dueSession(ledger, 60 + QUIET);
    assert.deepEqual(
      session.series.map(({ id }) => id),
      ['a', 'b'],
    );
    const complete = (one: SessionView, now: number): Promise<boolean> =>
      ledger.write(sessionComplete, one, { digest: sessionDigest(one.series), folder: '/r' }, now);
    // news between the look and the word
    await store(ledger, 'c', 170);
    assert.equal(await complete(session, 171), false);
    const grown = await dueSession(ledger, 300);
    assert.equal(await complete(grown, 301), true);
    const events = (await ledger.read(deliveriesOf, [grown.id])).get(grown.id) ?? [];
    assert.deepEqual(
      events.map(({ kind, increment, hook }) => [kind, increment, hook]),
      [['complete', 1, 'all']],
    );
    const later = await again();
    assert.equal(await later.read(nextSession, 10_000), undefined);
    // duplicates: looked at again, told to nobody
    await store(later, 'a', 11_000);
    const same = await dueSession(later, 12_000);
    assert.equal(
      await later.write(sessionComplete, same, { digest: sessionDigest(same.series), folder: '/r' }, 12_000),
      true,
    );
    assert.equal((await later.read(deliveriesOf, [same.id])).get(same.id)?.length, 1);
    assert.equal((await later.read(findSession, same.id))?.folder, '/r');
    assert.deepEqual(
      (await later.read(listSessions, 9)).map(({ increment, due }) => [increment, due]),
      [[1, null]],
    );
  });

  test(`${name}: the report of a session is written anew after one who wrote an old one`, async (t) => {
    const { ledger } = await open(t, consequences);
    const complete = (one: SessionView, now: number): Promise<boolean> =>
      ledger.write(sessionComplete, one, { digest: sessionDigest(one.series), folder: '/r' }, now);
    await store(ledger, 'a', 1);
    const early = await dueSession(ledger, 200);
    await store(ledger, 'b', 201);
    const late = await dueSession(ledger, 400);
    assert.equal(await complete(late, 401), true);
    // two that looked at the same time wrote the same
    assert.equal(await complete(late, 402), false);
    assert.equal(await ledger.read(nextSession, 10_000), undefined);
    // one that stood still since before wrote something else
    assert.equal(await complete(early, 500), false);
    assert.equal(await complete(await dueSession(ledger, 500), 501), true);
    assert.equal(await ledger.read(nextSession, 10_000), undefined);
    const told = (await ledger.read(deliveriesOf, [late.id])).get(late.id) ?? [];
    assert.deepEqual(
      told.map(({ kind, increment }) => [kind, increment]),
      [['complete', 1]],
    );
  });

  test(`${name}: a session waits for what is in quarantine`, async (t) => {
    const { ledger } = await open(t, consequences);
    await ledger.write(arrived, cursor(1), ['a'], 1, 1);
    const found = { attributes, inOrthanc: 1, digest: 'd', reason: { code: 'R', message: 'r' } };
    await ledger.write(quarantine, await toStore(ledger, 1), found, 1);
    assert.equal(await ledger.read(nextSession, 10_000), undefined);
    await ledger.write(releaseSeries, 'a', decision(), 2);
    await ledger.write(stored, await toStore(ledger, 2), done({ attributes, targets: [] }), 2);
    const session = await dueSession(ledger, 10_000);
    await ledger.write(sessionLater, session.id, FAILURE, 20_000);
    assert.equal(await ledger.read(nextSession, 19_999), undefined);
    assert.equal((await dueSession(ledger, 20_000)).failure?.code, 'X');
  });

  test(`${name}: what the scanner made is known, and cuts the quiet timer short`, async (t) => {
    const { ledger } = await open(t, consequences);
    await ledger.write(arrived, cursor(1), ['a', 'b'], 1, 1000);
    assert.deepEqual([...(await ledger.read(collecting, 9))].sort(), ['a', 'b']);
    await ledger.write(hasten, 'a', 5);
    await ledger.write(expectImages, 'a', 7, 5);
    assert.equal((await toStore(ledger, 5)).series, 'a');
    assert.equal(await ledger.write(nextStore, 5), undefined);
    const [a] = await ledger.read(matching, 'a');
    assert.deepEqual([a?.expected, a?.session], [7, undefined]);
    assert.deepEqual(await ledger.read(matching, 'x'), []);
  });

  test(`${name}: only what is complete, told and settled for long enough may go from Orthanc`, async (t) => {
    const { ledger } = await open(t, consequences);
    await store(ledger, 'a', 1);
    const ids = async (before: number): Promise<string[]> =>
      (await ledger.read(cleanable, before, 9)).map(({ id }) => id);
    assert.deepEqual(await ids(1000), [], 'its hooks have not been told');
    for (const hook of ['all', 'mr']) await ledger.write(delivered, await next(ledger, 2, hook), '', 2);
    assert.deepEqual(await ids(1), [], 'its session has not been told');
    await tellSession(ledger, QUIET * 2);
    assert.deepEqual(await ids(0), []);
    assert.deepEqual(await ids(1), ['a']);
    assert.equal(await ledger.write(markCleaned, 'a', 3), false, 'nobody has begun');
    assert.equal(await ledger.write(markCleaning, 'a', 3), true);
    assert.deepEqual(await ids(1), ['a'], 'what was begun and not ended is to be ended');
    assert.equal(await ledger.write(markCleaned, 'a', 3), true);
    assert.deepEqual(await ids(1000), []);
    await ledger.write(arrived, cursor(4), ['a'], 4, 5);
    assert.equal(await ledger.write(markCleaning, 'a', 4), false, 'something came meanwhile');
    const work = await toStore(ledger, 5);
    assert.equal(work.cleaned, true);
    await ledger.write(stored, work, done({ attributes, targets: [] }), 6);
    assert.equal((await ledger.read(matching, 'a'))[0]?.cleaned, null);
    const session = await dueSession(ledger, QUIET * 4);
    const digest = sessionDigest(session.series);
    await ledger.write(sessionComplete, session, { digest, folder: '/r' }, QUIET * 4);
    assert.deepEqual(await ids(6), ['a']);
  });
}
