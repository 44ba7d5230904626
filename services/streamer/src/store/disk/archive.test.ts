import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { freshRecord, put, storedInstance, ours } from '@scanflow/testkit/streamer';
import type { Folder, SeriesRecord, Store } from '../types.ts';
import { createStore } from './store.ts';
import { TAR_END, tarHeader, tarPadding } from './archive.ts';

const run = promisify(execFile);

async function place(t: TestContext): Promise<{ root: string; store: Store }> {
  const root = await mkdtemp(join(tmpdir(), 'scanflow-archive-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  return { root, store: createStore(root) };
}

/** Stores images and gives their record. */
async function series(
  store: Store,
  folder: Folder,
  contents: Readonly<Record<string, string>>,
): Promise<SeriesRecord> {
  const instances = [];
  for (const [name, content] of Object.entries(contents))
    instances.push(storedInstance(await put(store, folder, name, content), content));
  return { ...freshRecord('one'), instances };
}

test('archive: the same images give the same bytes, whatever the order they came in', async (t) => {
  const sums = [];
  for (const contents of [
    { 'a.dcm': 'first', 'b.dcm': 'second'.repeat(1000) },
    { 'b.dcm': 'second'.repeat(1000), 'a.dcm': 'first' },
  ]) {
    const { store } = await place(t);
    const folder = await store.claim(['p', '003-t1'], freshRecord('one'));
    const archive = await store.archive(folder, await series(store, folder, contents), ours);
    const bytes = await readFile(join(folder.path, archive.file));
    assert.equal(createHash('sha256').update(bytes).digest('hex'), archive.sha256);
    assert.equal(bytes.length, archive.bytes);
    sums.push(archive.sha256);
  }
  assert.equal(sums[0], sums[1]);
});

test('archive: unpacked, it is the series, and both lists of sums are good', async (t) => {
  const { root, store } = await place(t);
  const folder = await store.claim(['003-t1'], freshRecord('one'));
  const record = await series(store, folder, { 'a.dcm': 'first', 'b.dcm': 'second' });
  const archive = await store.archive(folder, record, ours);
  await store.writeManifest(folder, { ...record, archive }, ours);
  const { stdout } = await run('sha256sum', ['-c', 'manifest-sha256.txt'], { cwd: folder.path });
  assert.deepEqual(stdout.trimEnd().split('\n'), ['a.dcm: OK', 'b.dcm: OK', 'series.tar: OK']);
  const out = join(root, 'out');
  await mkdir(out);
  await run('tar', ['-xf', join(folder.path, 'series.tar'), '-C', out]);
  assert.deepEqual(await readdir(join(out, '003-t1')), ['a.dcm', 'b.dcm', 'manifest-sha256.txt']);
  await run('sha256sum', ['-c', '--strict', 'manifest-sha256.txt'], { cwd: join(out, '003-t1') });
});

test('archive: written anew when the series has grown', async (t) => {
  const { store } = await place(t);
  const folder = await store.claim(['p'], freshRecord('one'));
  const record = await series(store, folder, { 'a.dcm': 'first' });
  const archive = await store.archive(folder, record, ours);
  const late = await series(store, folder, { 'b.dcm': 'late' });
  const grown = { ...record, archive, instances: [...record.instances, ...late.instances] };
  const again = await store.archive(folder, grown, ours);
  assert.notEqual(again.sha256, archive.sha256);
  const { stdout } = await run('tar', ['-tf', join(folder.path, 'series.tar')]);
  assert.deepEqual(stdout.trimEnd().split('\n'), ['p/a.dcm', 'p/b.dcm', 'p/manifest-sha256.txt']);
});

test('archive: an image that was changed or taken away is not passed on', async (t) => {
  const { store } = await place(t);
  const folder = await store.claim(['p'], freshRecord('one'));
  const record = await series(store, folder, { 'a.dcm': 'first', 'b.dcm': 'second' });
  const archive = await store.archive(folder, record, ours);
  for (const spoil of [
    () => writeFile(join(folder.path, 'a.dcm'), 'FIRST'),
    () => writeFile(join(folder.path, 'a.dcm'), 'first, and more'),
    () => rm(join(folder.path, 'a.dcm')),
  ]) {
    await spoil();
    await assert.rejects(store.archive(folder, { ...record, archive }, ours), { code: 'STORE_FILE_CHANGED' });
    assert.deepEqual(
      (await readdir(folder.path)).filter((name) => name.endsWith('.tar') || name.endsWith('.tmp')),
      [],
    );
  }
});

test('archive: somebody else’s series.tar is not overwritten', async (t) => {
  const { store } = await place(t);
  const folder = await store.claim(['p'], freshRecord('one'));
  const record = await series(store, folder, { 'a.dcm': 'first' });
  await writeFile(join(folder.path, 'series.tar'), 'a person wrote this');
  await assert.rejects(store.archive(folder, record, ours), { code: 'STORE_NAME_TAKEN' });
  assert.equal(await readFile(join(folder.path, 'series.tar'), 'utf8'), 'a person wrote this');
});

async function scratch(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-tar-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const LONG = `${'f'.repeat(120)}/${'n'.repeat(99)}`;
const NAMES = [
  'a/b.dcm',
  LONG,
  `a/${'x'.repeat(180)}.dcm`,
  `${'d'.repeat(200)}/x.dcm`,
  'a/ä漢字.dcm',
  // lengths at which the record's own length gets a digit more
  ...[82, 83, 84, 85, 86, 87, 88].map((length) => `a/${'é'.repeat(length / 2)}${'y'.repeat(length % 2)}`),
];

test('ustar: GNU tar reads every name, and the bytes', async (t) => {
  const folder = await scratch(t);
  const parts = NAMES.flatMap((name) => {
    const content = Buffer.from(`content of ${name}`);
    return [tarHeader(name, content.length), content, tarPadding(content.length)];
  });
  await writeFile(join(folder, 'x.tar'), Buffer.concat([...parts, TAR_END]));
  const { stdout, stderr } = await run('tar', ['-tf', 'x.tar', '--quoting-style=literal'], {
    cwd: folder,
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
  });
  assert.deepEqual(stdout.trimEnd().split('\n'), NAMES);
  assert.equal(stderr, '');
  await run('tar', ['-xf', 'x.tar'], { cwd: folder });
  for (const name of NAMES) assert.equal(await readFile(join(folder, name), 'utf8'), `content of ${name}`);
});

test('ustar: a plain header where all fits, an extended one where not', () => {
  assert.equal(tarHeader('a/b', 1).length, 512);
  assert.equal(tarHeader(LONG, 1).length, 512);
  assert.equal(tarHeader('a/b', 8 * 1024 ** 3 - 1).length, 512);
  assert.equal(tarHeader('a/b', 8 * 1024 ** 3).length, 3 * 512);
  assert.equal(tarHeader(`a/${'x'.repeat(101)}`, 1).length, 3 * 512);
});

test('ustar: a file of more than 8 GiB', async (t) => {
  const folder = await scratch(t);
  const bytes = 9 * 1024 ** 3 + 7;
  const header = tarHeader('a/big.dcm', bytes);
  const file = await open(join(folder, 'big.tar'), 'w');
  // a hole in the place of the content: nothing of it is written
  await file.write(header, 0, header.length, 0);
  const end = header.length + bytes + tarPadding(bytes).length;
  await file.write(TAR_END, 0, TAR_END.length, end);
  await file.close();
  const { stdout } = await run('tar', ['-tvf', 'big.tar'], { cwd: folder });
  assert.match(stdout, new RegExp(` ${bytes} .* a/big\\.dcm`));
});
