import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { SpaceKeeper } from './space.ts';
import { createStore } from './store.ts';
import { freshRecord, put } from '@scanflow/testkit/streamer';

async function scratch(t: TestContext): Promise<{ main: string; own: string }> {
  const base = await mkdtemp(join(tmpdir(), 'scanflow-roots-'));
  t.after(() => rm(base, { recursive: true, force: true }));
  const [main, own] = [join(base, 'main'), join(base, 'own')];
  await mkdir(main);
  await mkdir(own);
  return { main, own };
}

test('roots: a project with a root of its own', async (t) => {
  const { main, own } = await scratch(t);
  const store = createStore(main, { otherRoots: [own] });
  const folder = await store.claim(['p', 's'], freshRecord('one'), own);
  assert.equal(folder.below, join(own, 'p/s'));
  await put(store, folder, 'a.dcm', 'x');
  assert.deepEqual(await readdir(join(own, 'p/s')), ['a.dcm', 'series.json']);
  assert.deepEqual(await readdir(main), []);
  assert.equal((await store.reopen(folder.below, 'one'))?.below, folder.below);
  assert.equal((await store.record(folder.below))?.orthancSeries, 'one');
  assert.equal(store.pathOf(folder.below, 'a.dcm'), join(own, 'p/s/a.dcm'));
  assert.equal(store.pathOf('p/s', 'a.dcm'), join(main, 'p/s/a.dcm'));
});

test('roots: a folder below a root that the configuration no longer has is not there', async (t) => {
  const { main, own } = await scratch(t);
  const folder = await createStore(main, { otherRoots: [own] }).claim(['p'], freshRecord('one'), own);
  const store = createStore(main);
  assert.equal(await store.reopen(folder.below, 'one'), undefined);
  assert.equal(await store.record(folder.below), undefined);
  assert.equal(await store.reopen('/etc', 'one'), undefined);
});

test('roots: one that is missing is not made, and holds up only its own', async (t) => {
  const { main, own } = await scratch(t);
  await rm(own, { recursive: true });
  const store = createStore(main, { otherRoots: [own] });
  await assert.rejects(store.claim(['p'], freshRecord('one'), own), {
    code: 'STORE_ROOT_MISSING',
    kind: 'transient',
  });
  await assert.rejects(store.reopen(join(own, 'p'), 'one'), { code: 'STORE_ROOT_MISSING' });
  assert.equal((await store.claim(['p'], freshRecord('one'))).below, 'p');
});

test('space: what would leave too little free is held', async (t) => {
  const { main } = await scratch(t);
  const { bavail, bsize } = await statfs(main);
  const free = bavail * bsize;
  const claim = async (floor: { bytes: number } | { fraction: number } | undefined) => {
    const store = createStore(main, { freeSpace: floor });
    return { store, folder: await store.claim(['p'], freshRecord('one')) };
  };
  // others write on this disk too: far from the edge on either side
  const none = await claim(undefined);
  await none.store.requireSpace(none.folder, 2 * free);
  const little = await claim({ bytes: 1 });
  await little.store.requireSpace(little.folder, free / 2);
  for (const [floor, bytes] of [
    [{ bytes: 2 * free }, 0],
    [{ bytes: free / 2 }, free],
    [{ fraction: 1 }, 0],
  ] as const) {
    const { store, folder } = await claim(floor);
    await assert.rejects(store.requireSpace(folder, bytes), { code: 'STORE_SPACE_FLOOR', kind: 'transient' });
  }
});

test('space: images side by side are not promised the same space', async (t) => {
  const { main } = await scratch(t);
  const { bavail, bsize } = await statfs(main);
  const eighth = (bavail * bsize) / 8;
  // half of what is free may be used
  const space = new SpaceKeeper({ bytes: 4 * eighth });
  const held = { code: 'STORE_SPACE_FLOOR' };
  const first = await space.promise(main, 3 * eighth);
  await assert.rejects(space.promise(main, 3 * eighth), held);
  await assert.rejects(space.require(main, 3 * eighth), held);
  // what is written is no longer promised: the disk itself has less of it
  await first.wrote(3 * eighth);
  const second = await space.promise(main, 3 * eighth);
  first.end();
  await assert.rejects(space.require(main, 3 * eighth), held);
  second.end();
  second.end();
  await space.require(main, 3 * eighth);
});
