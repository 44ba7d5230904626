/** What every ledger keeps of roots. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COPY, STORAGE } from '../model/series.ts';
import {
  cursor,
  done,
  FAILURE,
  leg,
  state,
  toForward,
  toStore,
  type OpenLedger,
} from '../ledger/conformance-kit.test.ts';
import {
  adoptRoot,
  beginBeat,
  endBeat,
  examineNext,
  hastenRefused,
  installationId,
  knownRoots,
  reserveRoot,
  rootsToExamine,
  storedPlaces,
} from './sql.ts';
import { arrived } from '../intake/step.ts';
import { stored } from '../store/sql.ts';
import { nextStore } from '../ledger/claims.ts';
import { copied } from '../copy/step.ts';
import { legLater } from '../ledger/aftermath.ts';

export function rootsConformance(name: string, open: OpenLedger): void {
  test(`${name}: the installation keeps the first id that it was given`, async (t) => {
    const { ledger, again } = await open(t);
    assert.equal(await ledger.write(installationId, 'one'), 'one');
    assert.equal(await (await again()).write(installationId, 'two'), 'one');
  });

  test(`${name}: whoever reserves a root first has it, and a root that is taken has another id`, async (t) => {
    const { ledger } = await open(t);
    assert.deepEqual(await ledger.write(reserveRoot, 'storage', 'a'), { id: 'a', sequence: 0 });
    assert.deepEqual(await ledger.write(reserveRoot, 'storage', 'b'), { id: 'a', sequence: 0 });
    await ledger.write(adoptRoot, 'storage', { id: 'c', sequence: 7 }, false);
    assert.deepEqual([...(await ledger.read(knownRoots))], [['storage', { id: 'c', sequence: 7 }]]);
  });

  test(`${name}: one streamer at a time writes a heartbeat, and its number grows`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(adoptRoot, 'storage', { id: 'a', sequence: 7 }, false);
    assert.equal(await ledger.write(beginBeat, 'storage', 'x', 100, 200), 8);
    assert.equal(await ledger.write(beginBeat, 'storage', 'y', 110, 210), undefined);
    await ledger.write(endBeat, 'storage', 'x', 8);
    assert.equal((await ledger.read(knownRoots)).get('storage')?.sequence, 8);
    assert.equal(await ledger.write(beginBeat, 'storage', 'y', 120, 220), 9);
    // it died: whoever comes next does not give its number again
    assert.equal(await ledger.write(beginBeat, 'storage', 'x', 220, 320), 10);
    await ledger.write(endBeat, 'storage', 'y', 9);
    assert.equal((await ledger.read(knownRoots)).get('storage')?.sequence, 8);
    assert.equal(await ledger.write(beginBeat, 'nobody', 'x', 220, 320), undefined);
  });

  test(`${name}: every series of a root that was taken is opened again, and none of another root`, async (t) => {
    const { ledger } = await open(t);
    const failure = { ...FAILURE, kind: 'permanent' } as const;
    for (const [id, path, failed] of [
      ['a', 'p/a', undefined],
      ['b', '/other/b', undefined],
      ['c', 'p/c', failure],
    ] as const) {
      await ledger.write(arrived, cursor(1), [id], 100, 100);
      await ledger.write(
        stored,
        await toStore(ledger, 100),
        done({ path, failure: failed, targets: [] }),
        110,
      );
    }
    assert.deepEqual((await ledger.read(storedPlaces, STORAGE, 9, 0)).map(({ path }) => path).toSorted(), [
      '/other/b',
      'p/a',
      'p/c',
    ]);
    await ledger.write(adoptRoot, 'storage', { id: 'a', sequence: 1 }, true);
    assert.deepEqual(await ledger.read(rootsToExamine), ['storage']);
    const isThere = (path: string): boolean => !path.startsWith('/');
    let rounds = 0;
    while (await ledger.write(examineNext, 'storage', STORAGE, isThere, 1, 200)) rounds += 1;
    assert.ok(rounds >= 2);
    assert.deepEqual(await ledger.read(rootsToExamine), []);
    assert.deepEqual(await Promise.all(['a', 'b', 'c'].map((id) => state(ledger, id))), [
      'working',
      'complete',
      'working',
    ]);
  });

  test(`${name}: copies are found by their folders`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 100);
    await ledger.write(nextStore, 100, [COPY]);
    const copying = await toForward(ledger, 100, COPY);
    await ledger.write(copied, copying, { done: 2, total: 2, failure: undefined, path: 'x/y' }, 110);
    assert.deepEqual(await ledger.read(storedPlaces, COPY, 9, 0), [{ series: 'a', path: 'x/y' }]);
  });

  test(`${name}: what waits for a root is tried once the root is back`, async (t) => {
    const { ledger } = await open(t);
    await ledger.write(arrived, cursor(1), ['a'], 100, 100);
    const waiting = { kind: 'transient', code: 'STORE_ROOT_EMPTY', message: 'x' } as const;
    await ledger.write(
      legLater,
      await toStore(ledger, 100),
      { attempts: 3, nextTry: 9_000, failure: waiting },
      110,
    );
    await ledger.write(hastenRefused, 120);
    assert.equal((await leg(ledger, STORAGE))?.nextTry, 120);
  });
}
