import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';
import { asideName, readBounded, readSecret, removeLeftovers, writeFileAtomic } from './files.ts';

const root = await mkdtemp(join(tmpdir(), 'scanflow-files-'));
after(() => rm(root, { recursive: true, force: true }));
const fresh = (): Promise<string> => mkdtemp(join(root, 'x-'));

test('writeFileAtomic: the new content, the mode, and nothing beside it', async () => {
  const folder = await fresh();
  const path = join(folder, 'a.json');
  await writeFileAtomic(path, 'old');
  await writeFileAtomic(path, 'new', { mode: 0o640 });
  assert.equal(await readFile(path, 'utf8'), 'new');
  assert.equal((await stat(path)).mode & 0o777, 0o640);
  assert.deepEqual(await readdir(folder), ['a.json']);
});

test('writeFileAtomic: a reader sees whole contents only', async () => {
  const path = join(await fresh(), 'a');
  const contents = ['a', 'b'].map((letter) => letter.repeat(300_000));
  await writeFileAtomic(path, contents[0] ?? '');
  const state = { writing: true };
  const writer = (async () => {
    for (let turn = 0; turn < 20; turn += 1) await writeFileAtomic(path, contents[turn % 2] ?? '');
    state.writing = false;
  })();
  let reads = 0;
  while (state.writing) {
    assert.ok(contents.includes(await readFile(path, 'utf8')));
    reads += 1;
  }
  await writer;
  assert.ok(reads > 0);
});

test('writeFileAtomic: when it fails the old content stays and nothing lies beside it', async () => {
  const folder = await fresh();
  const path = join(folder, 'taken');
  await mkdir(path);
  await assert.rejects(writeFileAtomic(path, 'x'));
  assert.deepEqual(await readdir(folder), ['taken']);
});

test('removeLeftovers: removes what killed writers left, and only that', async () => {
  const folder = await fresh();
  const aside = basename(asideName(join(folder, 'a.wl')));
  for (const name of [aside, 'a.wl', '.hidden', 'b.tmp', '.b.tmp']) await writeFile(join(folder, name), '');
  assert.deepEqual(await removeLeftovers(folder), [aside]);
  assert.deepEqual((await readdir(folder)).sort(), ['.b.tmp', '.hidden', 'a.wl', 'b.tmp']);
  assert.deepEqual(await removeLeftovers(join(folder, 'none')), []);
});

test('readSecret: without one newline at its end', async () => {
  const path = join(await fresh(), 'secret');
  await writeFile(path, ' pass word \n');
  assert.equal(await readSecret(path), ' pass word ');
});

for (const [name, content] of [
  ['empty', '\n'],
  ['larger than 64 KiB', 'x'.repeat(65_537)],
] as const)
  test(`readSecret: a secret that is ${name} is refused`, async () => {
    const path = join(await fresh(), 'secret');
    await writeFile(path, content);
    await assert.rejects(readSecret(path), new RegExp(name === 'empty' ? 'is empty' : 'larger'));
  });

test('readSecret: a missing one is named', async () =>
  assert.rejects(readSecret(join(root, 'none')), /the secret .*none cannot be read: ENOENT/));

test('readSecret: one that may not be read says what to do', { skip: process.getuid?.() === 0 }, async () => {
  const path = join(await fresh(), 'secret');
  await writeFile(path, 'x', { mode: 0o000 });
  await assert.rejects(readSecret(path), /chmod 640/);
});

test('readSecret: what is not UTF-8 is refused without showing it', async () => {
  const path = join(await fresh(), 'secret');
  await writeFile(path, Buffer.from('geh\xe9im', 'latin1'));
  await assert.rejects(readSecret(path), (error: Error) => {
    assert.match(error.message, /not UTF-8/);
    assert.doesNotMatch(error.message, /geh/);
    return true;
  });
});

test('readSecret: an endless file is refused', async () => assert.rejects(readSecret('/dev/zero'), /larger/));

test('readBounded: all of a small file, one byte more than the limit of a large one', async () => {
  const path = join(await fresh(), 'file');
  await writeFile(path, 'x'.repeat(200_000));
  assert.equal((await readBounded(path, 200_000)).length, 200_000);
  assert.equal((await readBounded(path, 100_000)).length, 100_001);
});

test('writeFileAtomic: names as long as the file system takes them', async () => {
  const folder = await fresh();
  const name = 'é'.repeat(127);
  await writeFileAtomic(join(folder, name), 'x');
  assert.deepEqual(await readdir(folder), [name]);
  assert.ok(Buffer.byteLength(basename(asideName(join(folder, name)))) <= 255);
});

test('writeFileAtomic: two writers of one name leave one of the two contents and nothing else', async () => {
  const folder = await fresh();
  const path = join(folder, 'a');
  await Promise.all(['1', '2'].map((digit) => writeFileAtomic(path, digit.repeat(100_000))));
  assert.match(await readFile(path, 'utf8'), /^(?:1{100000}|2{100000})$/);
  assert.deepEqual(await readdir(folder), ['a']);
});
