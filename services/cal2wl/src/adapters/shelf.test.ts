import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { KnownFiles } from './shelf.ts';

const root = await mkdtemp(join(tmpdir(), 'scanflow-known-'));
after(() => rm(root, { recursive: true, force: true }));

/** A folder with the files `a` and `b`, and a clock that stands still. The folder's time is an old one, so that any change shows. */
async function fresh() {
  const folder = await mkdtemp(join(root, 'x-'));
  const time = { ms: 0 };
  for (const name of ['a', 'b']) await writeFile(join(folder, name), name);
  const files = new KnownFiles({ folders: [folder], clock: () => time.ms, random: () => 0.5 });
  const read = async (name: string): Promise<string | undefined> => {
    const bytes = await files.read(join(folder, name));
    return bytes === undefined ? undefined : Buffer.from(bytes).toString();
  };
  await utimes(folder, 1, 1);
  await files.look();
  assert.deepEqual([await read('a'), await read('b')], ['a', 'b']);
  return { folder, time, files, read };
}

test('known files: the same bytes are the same object while nothing changes', async () => {
  const { folder, files } = await fresh();
  const first = await files.read(join(folder, 'a'));
  await files.look();
  assert.equal(await files.read(join(folder, 'a')), first);
});

test('known files: what is removed or replaced is noticed at the next look', async () => {
  const { folder, files, read } = await fresh();
  await writeFile(join(folder, 'new'), 'other');
  await rename(join(folder, 'new'), join(folder, 'a'));
  await rm(join(folder, 'b'));
  await files.look();
  assert.deepEqual([await read('a'), await read('b')], ['other', undefined]);
});

test('known files: what is changed in place is noticed within five minutes, and not all comes due at once', async () => {
  const { folder, time, files, read } = await fresh();
  await writeFile(join(folder, 'a'), 'damaged');
  time.ms = 224_999;
  await files.look();
  assert.equal(await read('a'), 'a', 'the folder did not change');
  time.ms = 225_000;
  assert.equal(await read('a'), 'damaged', '225 s is between 150 and 300');
});

test('known files: a file that is forgotten is looked at, and a folder that is gone hides nothing', async () => {
  const { folder, files, read } = await fresh();
  await writeFile(join(folder, 'a'), 'written');
  files.forget(join(folder, 'a'));
  assert.equal(await read('a'), 'written');
  await rm(folder, { recursive: true });
  await files.look();
  assert.equal(await read('a'), undefined);
  await mkdir(folder);
  await files.look();
  assert.equal(await read('b'), undefined);
});
