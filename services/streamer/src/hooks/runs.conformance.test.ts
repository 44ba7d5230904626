/** What every ledger says of many runs of hooks, and of those that nobody makes: run against each of them by its tests. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LEASE_MS } from '../ledger/conformance-kit.test.ts';
import { searchSeries, type LegFilter } from '../ledger/search.ts';
import { BIDS } from '@scanflow/config';
import { sessionDigest } from '../sessions/plan.ts';
import { listSessions, sessionComplete } from '../sessions/step.ts';
import {
  attributes,
  consequences,
  dueSession,
  END,
  next,
  QUIET,
  store,
  type OpenFollowed,
} from './conformance.test.ts';
import { deliveriesOf } from '../ledger/deliveries.ts';
import { delivered, nextDelivery, notDelivered, openRuns, prune, retryDeliveries, skipHook } from './sql.ts';
import { convertLabelled, redoSession, seriesLabelled, bidsWork } from './bids-units.ts';
import type { Settings } from '../model/settings.ts';

export function runConformance(name: string, open: OpenFollowed): void {
  test(`${name}: runs of a hook that left the configuration are counted, and given up all at once`, async (t) => {
    const { ledger } = await open(t, consequences);
    await store(ledger, 'a', 1);
    await store(ledger, 'b', 5);
    assert.deepEqual(await ledger.read(openRuns), [
      { hook: 'all', pending: 2, failed: 0, oldest: 1, waiting: 1 },
      { hook: 'mr', pending: 2, failed: 0, oldest: 1, waiting: 1 },
    ]);
    // its worker was ended, then the hook left: nobody comes back for the claim
    const lost = await next(ledger, 5, 'mr');
    await ledger.write(notDelivered, await next(ledger, 5), { ...END, nextTry: undefined }, 6);
    assert.deepEqual((await ledger.read(openRuns))[0], {
      ...{ hook: 'all', pending: 1, failed: 1, oldest: 1, waiting: 5 },
    });
    const found = async (target: string, leg: LegFilter): Promise<string> => {
      const { series } = await ledger.read(searchSeries, { target, leg }, { offset: 0, limit: 9, up: true });
      return series.map(({ id }) => id).join(' ');
    };
    assert.deepEqual([await found('hook:all', 'stuck'), await found('hook:all', 'open')], ['a', 'a b']);
    assert.deepEqual([await found('hook:mr', 'failed'), await found('hook:mr', 'pending')], ['', 'a b']);
    const known = new Set(['all']);
    assert.deepEqual(await ledger.write(retryDeliveries, 'b', undefined, 7, known), ['hook:all']);
    assert.deepEqual(await ledger.write(retryDeliveries, 'b', 'hook:mr', 7, known), []);
    assert.equal(await ledger.write(skipHook, 'mr', 8), 1, 'one under way is left alone');
    assert.equal(await ledger.write(skipHook, 'mr', 5 + LEASE_MS), 1);
    assert.equal(await ledger.write(skipHook, 'mr', 5 + LEASE_MS), 0);
    await assert.rejects(ledger.write(delivered, lost, '', 9 + LEASE_MS), { code: 'LEDGER_LEASE_LOST' });
    assert.deepEqual(
      (await ledger.read(openRuns)).map(({ hook }) => hook),
      ['all'],
    );
    const told = await ledger.read(deliveriesOf, ['a', 'b']);
    for (const { hook, failure } of [...told.values()].flat())
      assert.equal(failure?.code === 'HOOK_SKIPPED', hook === 'mr');
  });

  test(`${name}: the deliveries of many series are one look, of each the latest, in the order of the series`, async (t) => {
    const { ledger } = await open(t, consequences);
    const many = Array.from({ length: 30 }, (_, index) => `s${index}`);
    for (const [index, id] of many.entries()) await store(ledger, id, index + 1);
    for (let increment = 2; increment <= 60; increment += 1)
      await store(ledger, 's7', 100 + increment, { increment });
    const wanted = [...many.toReversed(), 'nobody'];
    const looks: string[] = [];
    const told = await ledger.read((tx) => {
      const all: typeof tx.all = (sql, values) => (looks.push(sql), tx.all(sql, values));
      return deliveriesOf({ ...tx, all }, wanted);
    });
    assert.equal(looks.length, 1);
    assert.deepEqual([...told.keys()], many.toReversed());
    for (const [id, views] of told)
      if (id !== 's7')
        assert.deepEqual(
          views.map(({ hook, increment }) => [hook, increment]),
          [
            ['all', 1],
            ['mr', 1],
          ],
        );
    const latest = told.get('s7') ?? [];
    assert.equal(latest.length, 50);
    assert.deepEqual([latest[0]?.increment, latest.at(-1)?.increment], [60, 36]);
    assert.deepEqual([...(await ledger.read(deliveriesOf, []))], []);
  });

  test(`${name}: a complete session is converted to BIDS again, one at a time; its last verdict is kept`, async (t) => {
    const { ledger } = await open(t, consequences);
    await store(ledger, 'a', 1);
    const [{ id } = { id: '' }] = await ledger.read(listSessions, 9);
    assert.match((await ledger.write(redoSession, 'nobody', 2)) ?? '', /no such session/);
    assert.match((await ledger.write(redoSession, id, 2)) ?? '', /not complete yet/);
    const quiet = await dueSession(ledger, 1 + QUIET);
    const digest = sessionDigest(quiet.series);
    assert.ok(await ledger.write(sessionComplete, quiet, { digest, folder: '/r' }, 1 + QUIET));
    assert.equal(await ledger.write(redoSession, id, 200), undefined);
    const run = await next(ledger, 200, BIDS);
    assert.deepEqual([run.kind, run.subject, run.increment, run.attempts], ['complete', id, 1, 0]);
    assert.match((await ledger.write(redoSession, id, 201)) ?? '', /being converted now/);
    await ledger.write(delivered, run, 'valid', 202);
    assert.equal(await ledger.write(nextDelivery, BIDS, 203), undefined);

    await ledger.write(prune, 10_000);
    const kept = (await ledger.read(deliveriesOf, [id])).get(id) ?? [];
    assert.deepEqual(
      kept.filter(({ hook }) => hook === BIDS).map(({ state, output }) => [state, output]),
      [['done', 'valid']],
    );
    assert.equal(await ledger.write(redoSession, id, 10_001), undefined);
    await ledger.write(
      notDelivered,
      await next(ledger, 10_001, BIDS),
      { ...END, nextTry: undefined },
      10_002,
    );
    assert.equal(await ledger.write(redoSession, id, 10_003), undefined, 'what failed is opened again, too');
    assert.equal((await next(ledger, 10_003, BIDS)).attempts, 0);
  });

  test(`${name}: after a move the sessions of the old and the new labels are converted anew, once it is quiet`, async (t) => {
    const hooksFor = (kind: string): string[] => (kind === 'complete' ? [BIDS] : []);
    const { ledger } = await open(t, { ...consequences, hooksFor });
    const [from, to] = ['s', 'z'].map((subject) => ({ project: 'p', subject, session: 't' }));
    assert.ok(from !== undefined && to !== undefined);
    await store(ledger, 'a', 1, { labels: from });
    await store(ledger, 'b', 2, { labels: to, attributes: { ...attributes, AccessionNumber: 'A2' } });
    const ids: string[] = [];
    for (const now of [200, 201]) {
      const session = await dueSession(ledger, now);
      ids.push(session.id);
      const digest = sessionDigest(session.series);
      assert.ok(await ledger.write(sessionComplete, session, { digest, folder: '/r' }, now));
      await ledger.write(delivered, await next(ledger, now, BIDS), 'valid', now);
    }
    const [a = '', b = ''] = ids;
    const taken = async (now: number): Promise<string[]> => {
      const subjects: string[] = [];
      for (let work; (work = await ledger.write(nextDelivery, BIDS, now)) !== undefined;) {
        subjects.push(work.subject);
        await ledger.write(delivered, work, 'valid', now);
      }
      return subjects.sort();
    };
    assert.equal(await ledger.write(convertLabelled, [from, to, undefined], { now: 300 }), 2);
    // another series moves before it is quiet
    await ledger.write(convertLabelled, [from, to], { now: 350 });
    assert.deepEqual(await taken(300 + QUIET), []);
    assert.deepEqual(await taken(350 + QUIET), [a, b].sort());
    assert.deepEqual(
      (await ledger.read(seriesLabelled, to)).map(({ id }) => id),
      ['b'],
    );
    // one that is being converted is converted once more after that
    await ledger.write(convertLabelled, [from], { now: 600 });
    const running = await next(ledger, 600 + QUIET, BIDS);
    await ledger.write(convertLabelled, [from], { now: 601 + QUIET });
    assert.equal(await ledger.write(nextDelivery, BIDS, 601 + 2 * QUIET), undefined, 'one after the other');
    await ledger.write(delivered, running, 'valid', 602 + 2 * QUIET);
    assert.deepEqual(await taken(603 + 2 * QUIET), [a]);
    assert.equal(await ledger.write(convertLabelled, [from, to], { except: a, now: 900 }), 1);
    assert.deepEqual(await taken(900 + QUIET), [b]);
    // only what the dataset has of its series leaves the old labels
    const old = { project: 'p', subject: 'old', session: 't' };
    const by = { at: '2026-11-30T10:00:00.000Z', by: 'anna', reason: '' };
    const moved = [{ ...by, from: { path: '/1', labels: old }, to: { path: '/2', labels: to } }];
    await ledger.write((tx) =>
      tx.run('UPDATE series SET moved = ? WHERE id = ?', [JSON.stringify(moved), 'b']),
    );
    const places = {
      context: { root: '/project', destinations: new Set<string>() },
      settings: {} as Settings,
    };
    const { removals } = await bidsWork(b, { ledger, ...places });
    const gone = { ...old, accessionNumber: 'A2', root: '/project', erased: false, series: ['b'] };
    assert.deepEqual(removals, [gone]);
  });
}
