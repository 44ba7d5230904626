/** What every ledger does with series that arrive, with what keeps them in Orthanc, and with what people should look at. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sessionDigest } from '../sessions/plan.ts';
import type { Ledger } from '../ledger/tx.ts';
import {
  attributes,
  consequences,
  dueSession,
  END,
  next,
  QUIET,
  store,
  type OpenFollowed,
} from '../hooks/conformance.test.ts';
import { cursor, done, FAILURE, toStore } from '../ledger/conformance-kit.test.ts';
import { arrived, reconcileListed, unreadOf } from './step.ts';
import { quarantine, stored } from '../store/sql.ts';
import { notDelivered, skipDeliveries } from '../hooks/sql.ts';
import { listSessions, nextSession, sessionComplete } from '../sessions/step.ts';
import { keptSeries } from '../cleanup/step.ts';
import { legFailed } from '../ledger/aftermath.ts';
import { searchSeries } from '../ledger/search.ts';
import { labelled, listSeries } from '../ledger/views.ts';
import { membersOf, partGroups, rejoin } from '../ledger/joined.ts';
import { awaitUnknown } from '../rebuild/sql.ts';
import { collecting } from './expected.ts';
import { lead } from '../ledger/claims.ts';
import { forgetSeries } from '../erase/sql.ts';

export function arrivalConformance(name: string, open: OpenFollowed): void {
  test(`${name}: a series belongs to its session from its first image on`, async (t) => {
    const { ledger } = await open(t, consequences);
    const first = new Map([['b', { ...attributes, SeriesInstanceUID: '1.2' }]]);
    await store(ledger, 'a', 1);
    assert.deepEqual(await ledger.read(unreadOf, ['a', 'b', 'b']), ['b']);
    await ledger.write(arrived, cursor(2), ['b'], 2, 500, first);
    assert.deepEqual(await ledger.read(unreadOf, ['a', 'b']), []);
    assert.equal(await ledger.read(nextSession, QUIET + 2), undefined, 'one of its series collects images');
    const [session] = await ledger.read(listSessions, 9);
    assert.deepEqual([session?.due, session?.series.map(({ id }) => id)], [QUIET + 2, ['a', 'b']]);
    await ledger.write(stored, await toStore(ledger, 500), done({ attributes, targets: [] }), 500);
    const due = await dueSession(ledger, 500 + QUIET);
    assert.equal(
      await ledger.write(sessionComplete, due, { digest: sessionDigest(due.series), folder: 'f' }, 601),
      true,
    );
    // more of it comes: it is no longer complete, and what was told is not told again
    await ledger.write(arrived, cursor(700), ['a'], 700, 800);
    assert.equal((await ledger.read(listSessions, 9))[0]?.due, 700 + QUIET);
    await ledger.write(stored, await toStore(ledger, 800), done({ attributes, targets: [] }), 800);
    const again = await dueSession(ledger, 900);
    await ledger.write(sessionComplete, again, { digest: sessionDigest(again.series), folder: 'f' }, 901);
    assert.deepEqual(
      (await ledger.read(listSessions, 9)).map(({ due: at, increment }) => [at, increment]),
      [[null, 1]],
    );
  });

  test(`${name}: images that come while a report is written are seen before it is told`, async (t) => {
    const { ledger } = await open(t, consequences);
    await store(ledger, 'a', 1);
    const due = await dueSession(ledger, 1 + QUIET);
    // in the same millisecond as the last news
    await ledger.write(arrived, cursor(2), ['b'], 1, 500, new Map([['b', attributes]]));
    const outcome = { digest: sessionDigest(due.series), folder: 'f' };
    assert.equal(await ledger.write(sessionComplete, due, outcome, 1 + QUIET), false);
  });

  test(`${name}: a session that the first image named and the series does not keep is forgotten`, async (t) => {
    const { ledger } = await open(t, consequences);
    await ledger.write(
      arrived,
      cursor(1),
      ['a'],
      1,
      1,
      new Map([['a', { ...attributes, AccessionNumber: 'A2' }]]),
    );
    assert.equal((await ledger.read(listSessions, 9)).length, 1);
    await ledger.write(stored, await toStore(ledger, 1), done({ attributes, targets: [] }), 1);
    assert.deepEqual(
      (await ledger.read(listSessions, 9)).map(({ series }) => series.length),
      [1],
    );
  });

  test(`${name}: a series that only reconciliation finds belongs to its session, too`, async (t) => {
    const { ledger } = await open(t, consequences);
    const listed = [{ id: 'a', digest: 'd' }];
    assert.equal(await ledger.write(reconcileListed, listed, 1, 50, new Map([['a', attributes]])), 1);
    assert.deepEqual(
      (await ledger.read(listSessions, 9)).map(({ due }) => due),
      [1 + QUIET],
    );
    assert.equal(await ledger.read(nextSession, 1 + QUIET), undefined);
  });

  test(`${name}: what keeps a series in Orthanc is found, with its reason`, async (t) => {
    const { ledger } = await open(t, consequences);
    const reasons = async (): Promise<unknown[]> =>
      (await ledger.read(keptSeries, QUIET * 9, 9)).map(({ id, state, reason, open: legs }) => [
        id,
        state,
        reason?.code,
        ...legs.map((one) => `${one.target} ${one.state} ${one.failure?.code ?? ''}`.trimEnd()),
      ]);
    await store(ledger, 'a', 1, { attributes: { ...attributes, Modality: 'CT' } });
    assert.deepEqual(await reasons(), [['a', 'complete', undefined, 'hook:all pending']]);
    await ledger.write(notDelivered, await next(ledger, 1), { ...END, nextTry: undefined }, 2);
    assert.deepEqual(await reasons(), [['a', 'complete', undefined, 'hook:all failed X']]);
    assert.deepEqual(await ledger.read(keptSeries, 0, 9), [], 'it is too young');
    await ledger.write(skipDeliveries, 'a', 'hook:all', 3);
    assert.deepEqual(await reasons(), []);
    // of its session
    const due = await dueSession(ledger, 1 + QUIET);
    await ledger.write(sessionComplete, due, { digest: sessionDigest(due.series), folder: 'f' }, 1 + QUIET);
    assert.deepEqual(await reasons(), [['a', 'complete', undefined, 'hook:all pending']]);
    await ledger.write(arrived, cursor(200), ['b'], 200, 200);
    const reason = { code: 'ROUTE_NO_MATCH', message: 'why' };
    const found = { attributes, inOrthanc: 2, digest: 'd', reason };
    await ledger.write(quarantine, await toStore(ledger, 200), found, 200);
    await ledger.write(arrived, cursor(201), ['c'], 201, 201);
    await ledger.write(legFailed, await toStore(ledger, 201), { ...FAILURE, kind: 'permanent' }, 201);
    assert.deepEqual((await reasons()).slice(1), [
      ['b', 'quarantined', 'ROUTE_NO_MATCH', 'storage pending', 'hook:all pending'],
      ['c', 'failed', undefined, 'storage failed X', 'hook:all pending'],
    ]);
  });

  test(`${name}: series that are one count as one, from the first image on`, async (t) => {
    const { ledger, again } = await open(t, consequences);
    const traits = (at: number, uid: string, alike = 'k') => ({ alike, at, study: `s${uid}`, uid });
    const joinable = {
      traits: new Map([
        ['a', traits(0, '1')],
        ['b', traits(900, '2')],
        ['c', traits(1_800, '3')],
        ['later', traits(9_000, '4')],
        ['other', traits(0, '5', 'l')],
      ]),
      withinMs: 1_000,
    };
    const ids = [...joinable.traits.keys()];
    const first = new Map(ids.map((id) => [id, attributes]));
    await ledger.write(arrived, cursor(1), ids, 1, 50, first, joinable);
    const known = async (from: Ledger): Promise<string[]> =>
      (await from.read(listSeries, { limit: 9 })).map(({ id }) => id).sort();
    assert.deepEqual(await known(ledger), ['a', 'later', 'other']);
    assert.deepEqual(
      (await ledger.read(membersOf, 'a')).map(({ series, study, uid }) => [series, study, uid]),
      [
        ['a', 's1', '1'],
        ['b', 's2', '2'],
        ['c', 's3', '3'],
      ],
    );
    assert.deepEqual(await ledger.read(unreadOf, ['b', 'c', 'new']), ['new']);
    assert.deepEqual(
      await ledger.read(collecting, 9),
      [],
      'what a scanner reported of one part tells nothing',
    );
    const claim = await toStore(ledger, 50);
    assert.equal(claim.series, 'a');
    const parts = new Map([
      ['a', 'da'],
      ['b', 'db'],
      ['c', 'dc'],
    ]);
    await ledger.write(stored, claim, done({ attributes, parts, targets: [] }), 51);
    const same = [...parts].map(([id, digest]) => ({ id, digest }));
    assert.equal(await ledger.write(reconcileListed, same, 60, 70), 0);
    // an image more of one part: the series that leads is looked at again
    assert.equal(await ledger.write(reconcileListed, [{ id: 'b', digest: 'more' }], 60, 70), 1);
    assert.equal((await ledger.read(listSeries, { limit: 9 })).find(({ id }) => id === 'a')?.due, 70);
    const later = await again();
    await later.write(lead, 61);
    await later.write(arrived, cursor(2), ['c'], 61, 99);
    assert.deepEqual(await known(later), ['a', 'later', 'other']);
    assert.equal((await later.read(listSeries, { limit: 9 })).find(({ id }) => id === 'a')?.due, 99);
    // two of them were not parts after all
    await later.write(partGroups, [['b', 'c']], 62);
    assert.deepEqual(await known(later), ['a', 'b', 'later', 'other']);
    assert.deepEqual(
      (await later.read(membersOf, 'b')).map(({ series }) => series),
      ['b', 'c'],
    );
    await later.write(rejoin, 'r', [
      { series: 'r', study: '1', uid: '1', traits: { alike: 'm', at: 100 } },
      { series: 'q', study: '2', uid: '2', traits: undefined },
    ]);
    assert.deepEqual(
      (await later.read(membersOf, 'r')).map(({ series }) => series),
      ['r', 'q'],
    );
    // what nobody recorded may be a part of what is recorded: known by what series.json says
    const left = new Map([['p', traits(900, '3', 'm')]]);
    assert.equal(await later.write(awaitUnknown, ['p'], 63, 70, { traits: left, withinMs: 1_000 }), 1);
    assert.deepEqual(
      (await later.read(membersOf, 'r')).map((one) => [one.series, one.traits]),
      [
        ['r', { alike: 'm', at: 100 }],
        ['q', undefined],
        ['p', { alike: 'm', at: 900 }],
      ],
    );
    await later.write(forgetSeries, ['b'], [], 63);
    assert.deepEqual(await later.read(membersOf, 'b'), []);
  });

  test(`${name}: labels that other studies have are found, and series with warnings`, async (t) => {
    const { ledger } = await open(t, consequences);
    const labels = { project: 'p', subject: 's', session: 't' };
    await store(ledger, 'a', 1, { warnings: [{ code: 'SERIES_INCOMPLETE', message: 'why' }] });
    const [own] = await ledger.read(listSeries, { limit: 9 });
    assert.deepEqual(await ledger.read(labelled, labels, own?.session), []);
    assert.deepEqual(await ledger.read(labelled, labels, 'another'), [{ attributes, firstSeen: 1 }]);
    assert.deepEqual(await ledger.read(labelled, { ...labels, session: 'u' }, undefined), []);
    const warned = async () =>
      (await ledger.read(searchSeries, { warned: true }, { offset: 0, limit: 9, up: true })).series.map(
        ({ warnings }) => warnings,
      );
    assert.deepEqual(await warned(), [[{ code: 'SERIES_INCOMPLETE', message: 'why' }]]);
    await store(ledger, 'a', 2);
    assert.deepEqual(await warned(), []);
  });
}
