import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ours, storedInstance } from '@scanflow/testkit/streamer';
import type { Folder, SeriesRecord, Store } from '../types.ts';
import { createStore } from './store.ts';

async function place(t: TestContext): Promise<{ root: string; store: Store }> {
  const base = await mkdtemp(join(tmpdir(), 'scanflow-store-'));
  t.after(() => rm(base, { recursive: true, force: true }));
  const root = join(base, 'project');
  await mkdir(root);
  return { root, store: createStore(root) };
}

const fresh = (orthancSeries: string): SeriesRecord => ({
  version: 1,
  orthancSeries,
  seriesInstanceUid: '1.2',
  state: 'storing',
  attributes: {},
  counts: { inOrthanc: 0, stored: 0, untagged: 0, failed: 0 },
  failures: [],
  instances: [],
});

async function put(store: Store, folder: Folder, name: string, content: string): Promise<string> {
  const file = await store.create(folder, 4);
  try {
    await file.write(Buffer.from(content));
    const published = await file.publish(name);
    assert.equal(published.sha256, createHash('sha256').update(content).digest('hex'));
    assert.equal(published.bytes, content.length);
    return published.file;
  } finally {
    await file.discard();
  }
}

test('store: an image appears under its name only when it is whole', async (t) => {
  const { store } = await place(t);
  const folder = await store.claim(['p', 's'], fresh('one'));
  const file = await store.create(folder, 4);
  await file.write(Buffer.from('half'));
  assert.deepEqual(
    (await readdir(folder.path)).filter((name) => !name.startsWith('.')),
    ['series.json'],
  );
  await file.discard();
  assert.deepEqual(await readdir(folder.path), ['series.json']);
  assert.equal(await put(store, folder, 'a.dcm', 'whole'), 'a.dcm');
  assert.equal(await readFile(store.pathOf(folder.below, 'a.dcm'), 'utf8'), 'whole');
});

test('store: other bytes are never replaced, the same ones are not doubled', async (t) => {
  const { store } = await place(t);
  const folder = await store.claim(['p'], fresh('one'));
  assert.equal(await put(store, folder, 'a.dcm', 'first'), 'a.dcm');
  assert.equal(await put(store, folder, 'a.dcm', 'first'), 'a.dcm');
  const other = await put(store, folder, 'a.dcm', 'other');
  assert.match(other, /^a_[0-9a-f]{12}\.dcm$/);
  assert.equal(await put(store, folder, 'a.dcm', 'other'), other);
  assert.equal(await readFile(join(folder.path, 'a.dcm'), 'utf8'), 'first');
  assert.deepEqual((await readdir(folder.path)).sort(), ['a.dcm', other, 'series.json'].sort());
});

test('store: where collisions fail, what has another’s name is not stored, and the same bytes are', async (t) => {
  const { root } = await place(t);
  const store = createStore(root, { collisions: 'fail' });
  const folder = await store.claim(['p', 's'], fresh('one'));
  assert.equal(await put(store, folder, 'a.dcm', 'first'), 'a.dcm');
  assert.equal(await put(store, folder, 'a.dcm', 'first'), 'a.dcm');
  const collision = { code: 'STORE_COLLISION', kind: 'permanent' };
  await assert.rejects(put(store, folder, 'a.dcm', 'other'), collision);
  await assert.rejects(store.claim(['p', 's'], fresh('two')), collision);
  assert.equal((await store.claim(['p', 's'], fresh('one'))).below, 'p/s');
  assert.equal(await readFile(join(folder.path, 'a.dcm'), 'utf8'), 'first');
  assert.deepEqual((await readdir(folder.path)).sort(), ['a.dcm', 'series.json']);
  assert.deepEqual(await readdir(join(root, 'p')), ['s']);
});

test('store: a folder belongs to the series that claimed it', async (t) => {
  const { store } = await place(t);
  const one = await store.claim(['p', 's'], fresh('one'));
  const two = await store.claim(['p', 's'], fresh('two'));
  assert.equal(one.below, 'p/s');
  assert.match(two.below, /^p\/s_[0-9a-f]{8}$/);
  assert.equal((await store.claim(['p', 's'], fresh('one'))).below, one.below);
  assert.equal((await store.claim(['p', 's'], fresh('two'))).below, two.below);
  assert.equal((await store.reopen('p/s', 'one'))?.below, 'p/s');
  assert.equal(await store.reopen('p/s', 'two'), undefined);
  assert.equal(await store.reopen('p/gone', 'one'), undefined);
});

test('store: two series that claim at once get one folder each', async (t) => {
  const { store } = await place(t);
  // many times: who is overtaken where is a matter of chance
  for (let round = 0; round < 100; round += 1) {
    const names = Array.from({ length: 2 }, (_, index) => `series ${round} ${index}`);
    const folders = await Promise.all(names.map((name) => store.claim(['p', `s${round}`], fresh(name))));
    assert.equal(new Set(folders.map(({ below }) => below)).size, 2);
  }
});

test('store: a record that cannot be read is nobody’s to overwrite', async (t) => {
  const { root, store } = await place(t);
  await mkdir(join(root, 'p'));
  await writeFile(join(root, 'p', 'series.json'), '{"version":1,');
  const folder = await store.claim(['p'], fresh('one'));
  assert.match(folder.below, /^p_/);
  await writeFile(join(folder.path, 'series.json'), 'broken too');
  await assert.rejects(store.claim(['p'], fresh('one')), { code: 'STORE_FOLDER_TAKEN' });
  assert.equal(await readFile(join(root, 'p', 'series.json'), 'utf8'), '{"version":1,');
});

test('store: links out of the root are refused before anything is made behind them', async (t) => {
  const { root, store } = await place(t);
  const outside = join(root, '..', 'outside');
  await mkdir(outside);
  await symlink(outside, join(root, 'p'));
  await assert.rejects(store.claim(['p', 's'], fresh('one')), { code: 'STORE_OUTSIDE_ROOT' });
  assert.deepEqual(await readdir(outside), []);
  await mkdir(join(root, 'real'));
  await symlink(join(root, 'real'), join(root, 'q'));
  assert.equal((await store.claim(['q', 's'], fresh('one'))).below, 'real/s');
});

test('store: a root that is missing is not made', async (t) => {
  const { root, store } = await place(t);
  await rm(root, { recursive: true });
  await assert.rejects(store.claim(['p'], fresh('one')), { code: 'STORE_ROOT_MISSING' });
  await assert.rejects(readdir(root), { code: 'ENOENT' });
});

test('store: what a killed writer left is removed, what is not ours stays', async (t) => {
  const { store } = await place(t);
  const folder = await store.claim(['p'], fresh('one'));
  const dead = await store.create(folder, 4);
  await dead.write(Buffer.from('never finished'));
  await writeFile(join(folder.path, 'notes.txt'), 'a person wrote this');
  await writeFile(join(folder.path, '.hidden.tmp'), 'and this');
  await store.reopen('p', 'one');
  assert.deepEqual((await readdir(folder.path)).sort(), ['.hidden.tmp', 'notes.txt', 'series.json']);
  await dead.discard();
});

test('store: the manifest is what sha256sum reads', async (t) => {
  const { store } = await place(t);
  const folder = await store.claim(['p'], fresh('one'));
  const base = {
    orthancId: '',
    fileUuid: '',
    sopClassUid: '',
    sopInstanceUid: '',
    transferSyntax: '',
    bytes: 1,
    original: { md5: '', bytes: 1 },
    tagged: true,
    increment: 1,
  };
  const instances = [
    { ...base, file: 'b.dcm', sha256: 'bb' },
    { ...base, file: 'a.dcm', sha256: 'aa' },
  ];
  await store.writeManifest(folder, { ...fresh('one'), instances }, ours);
  assert.equal(await readFile(join(folder.path, 'manifest-sha256.txt'), 'utf8'), 'aa  a.dcm\nbb  b.dcm\n');
});

test('store: the longest names have room for what is added to them', async (t) => {
  const { store } = await place(t);
  const longest = '漢'.repeat(76);
  const names = [longest, longest];
  const one = await store.claim(names, fresh('one'));
  const two = await store.claim(names, fresh('two'));
  assert.notEqual(one.below, two.below);
  const image = `${'漢'.repeat(75)}.dcm`;
  const files = [];
  for (const content of ['first', 'second', 'third']) files.push(await put(store, one, image, content));
  assert.equal(new Set(files).size, 3);
  // another file has the name with the short hash, too
  const other = createHash('sha256').update('fourth').digest('hex').slice(0, 12);
  await writeFile(join(one.path, `${'漢'.repeat(75)}_${other}.dcm`), 'a person wrote this');
  assert.match(await put(store, one, image, 'fourth'), /_[0-9a-f]{64}\.dcm$/);
});

test('store: names that differ in capitals alone are two, and neither is lost', async (t) => {
  const { store } = await place(t);
  const upper = await store.claim(['p', 'T1'], fresh('one'));
  const lower = await store.claim(['p', 't1'], fresh('two'));
  assert.notEqual(upper.path, lower.path);
  const files = [];
  for (const name of ['A.dcm', 'a.dcm']) files.push(await put(store, upper, name, name));
  assert.equal(new Set(files).size, 2);
  for (const [index, file] of files.entries())
    assert.equal(await readFile(join(upper.path, file), 'utf8'), ['A.dcm', 'a.dcm'][index]);
});

test('store: whoever lost the series writes nothing over what its successor wrote', async (t) => {
  const { store } = await place(t);
  const names = ['p', 's'];
  const early = await store.claim(names, fresh('one'));
  const lost = (): Promise<void> => Promise.reject(new Error('lost'));
  const old: SeriesRecord = { ...early.record, state: 'stored', seriesInstanceUid: 'old' };
  const young: SeriesRecord = { ...old, seriesInstanceUid: 'young' };
  const texts = async (): Promise<string[]> =>
    Promise.all(
      ['series.json', 'manifest-sha256.txt'].map((name) => readFile(join(early.path, name), 'utf8')),
    );
  // the successor comes after the last look at the lease, and is done before the old one goes on
  const successor = async (): Promise<void> => {
    const late = await store.claim(names, fresh('one'));
    assert.equal(late.record.state, 'storing');
    await store.writeManifest(late, { ...young, instances: [storedInstance('a.dcm', 'a')] }, ours);
    await store.writeRecord(late, young, ours);
  };
  await assert.rejects(store.writeRecord(early, old, successor), { code: 'ENOENT' });
  const before = await texts();
  assert.match(before[0] ?? '', /"young"/);
  const taken = async (): Promise<void> => {
    await store.claim(names, fresh('one'));
  };
  for (const stillOurs of [lost, taken]) {
    await assert.rejects(store.writeRecord(early, old, stillOurs), /lost|ENOENT/);
    await assert.rejects(store.writeManifest(early, old, stillOurs), /lost|ENOENT/);
    const tar = store.archive(
      early,
      { ...old, archive: { file: 'series.tar', sha256: '', bytes: 0 } },
      stillOurs,
    );
    await assert.rejects(tar, /lost|ENOENT/);
  }
  assert.deepEqual(await texts(), before);
  assert.deepEqual((await readdir(early.path)).sort(), ['manifest-sha256.txt', 'series.json']);
});

test('store: who takes a series over has what was written last, also where that was a moment ago', async (t) => {
  const { store } = await place(t);
  const early = await store.claim(['p'], fresh('one'));
  const written: SeriesRecord = { ...early.record, state: 'stored' };
  await store.writeRecord(early, written, ours);
  assert.deepEqual((await store.claim(['p'], fresh('one'))).record, written);
  assert.deepEqual((await store.reopen(early.below, 'one'))?.record, written);
});

test('store: a file counts as there only as a file of its size, in a folder that no link leads out to', async (t) => {
  const { root, store } = await place(t);
  const folder = await store.claim(['p', 's'], fresh('one'));
  await put(store, folder, 'a.dcm', 'aaaa');
  await put(store, folder, 'b.dcm', 'bbbb');
  await symlink(join(folder.path, 'a.dcm'), join(folder.path, 'link.dcm'));
  const [a, b, link, gone] = ['a.dcm', 'b.dcm', 'link.dcm', 'gone.dcm'].map((file) => ({ file, bytes: 4 }));
  assert.ok(a !== undefined && b !== undefined && link !== undefined && gone !== undefined);
  const cut = { file: 'b.dcm', bytes: 5 };
  assert.deepEqual(await store.absent('p/s', [a, b, cut, link, gone]), new Set([cut, link, gone]));
  assert.deepEqual(await store.absent('p/other', [a]), new Set([a]));
  // out of the root by one link, and back into it by another
  const outside = join(root, '..', 'outside');
  await mkdir(outside);
  await symlink(folder.path, join(outside, 'back'));
  await symlink(outside, join(root, 'out'));
  await assert.rejects(store.absent('out/back', [a]), { code: 'STORE_OUTSIDE_ROOT' });
  await assert.rejects(store.record('out/back'), { code: 'STORE_OUTSIDE_ROOT' });
  await assert.rejects(store.reopen('out/back', 'one'), { code: 'STORE_OUTSIDE_ROOT' });
});
