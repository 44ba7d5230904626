/** Archives and links in folders: read, or named with exit code 1; never passed over in silence. */
import { strict as assert } from 'node:assert';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { tar, zip, type Entry } from './send-archives.ts';
import {
  assertReceived,
  folder,
  images,
  json,
  send,
  storescp,
  to,
  written,
  type Images,
} from './send-support.ts';

const entriesOf = (all: Images): Entry[] =>
  [...all.values()].map((bytes, index) => ({ name: `../../send-escape-${index}.dcm`, bytes }));

test('packed: archives in a folder are read, whatever they are called', async (t) => {
  const parts = [1, 2, 3, 4, 5, 6].map((seed) => images(2, seed));
  const [loose, zipped, single, tarred, tgz, odd] = parts as [Images, Images, Images, Images, Images, Images];
  const root = await written(t, loose);
  await mkdir(join(root, 'rest'));
  await writeFile(join(root, 'rest', 'rest.zip'), zip(entriesOf(zipped)));
  for (const [uid, bytes] of single) await writeFile(join(root, `${uid.slice(-5)}.dcm.gz`), gzipSync(bytes));
  await writeFile(join(root, 'a.tar'), await tar(entriesOf(tarred)));
  await writeFile(join(root, 'b.tar.gz'), gzipSync(await tar(entriesOf(tgz))));
  await writeFile(join(root, 'export-0001'), gzipSync(await tar(entriesOf(odd))));
  await writeFile(join(root, 'sub-01_T1w.nii.gz'), gzipSync(Buffer.alloc(2000, 3)));
  const scp = await storescp(t);
  const result = await send(root, ...to(scp), '--tag', 'none', '--json');
  assert.equal(result.code, 0, result.stdout + result.stderr);
  assert.deepEqual([json(result).sent, json(result).skipped], [12, 1]);
  assert.ok(json(result).series.some(({ filename, images: of }) => filename === 'rest.zip' && of === 2));
  await assertReceived(scp, new Map(parts.flatMap((part) => [...part])));
});

test('packed: what is not read is named, with exit code 1, and all the rest is sent', async (t) => {
  const all = images(2);
  const root = await written(t, all);
  const inner = zip(entriesOf(images(1, 7)));
  const [one = new Uint8Array()] = [...images(1, 8).values()];
  const unread: Readonly<Record<string, [Buffer, RegExp]>> = {
    'old.7z': [Buffer.from('377abcaf271c0004000000000000', 'hex'), /7-Zip archive, which is not read/],
    'old.rar': [Buffer.from('526172211a0701000000', 'hex'), /RAR archive/],
    'old.tar.bz2': [Buffer.from('BZh91AY&SY'), /bzip2 archive/],
    'old.tar.xz': [Buffer.from('fd377a585a000004', 'hex'), /xz archive/],
    'cut.zip': [inner.subarray(0, inner.length >> 1), /cannot be read/],
    'cut.dcm.gz': [gzipSync(one).subarray(0, 900), /cannot be read/],
    'bomb.zip': [zip([{ name: 'zeros', bytes: Buffer.alloc(100_000_000) }]), /more than 200 times its size/],
  };
  for (const [name, [bytes]] of Object.entries(unread)) await writeFile(join(root, name), bytes);
  await writeFile(join(root, 'outer.zip'), zip([{ name: 'inner.zip', bytes: inner }]));
  await writeFile(join(root, 'notes.docx'), zip([{ name: '[Content_Types].xml', bytes: Buffer.from('x') }]));
  const scp = await storescp(t);
  const result = await send(root, ...to(scp), '--tag', 'none', '--json');
  assert.equal(result.code, 1);
  const { troubles, skipped } = json(result);
  for (const [name, [, message]] of Object.entries(unread))
    assert.match(troubles[join(root, name)] ?? '', message, name);
  const nested = Object.entries(troubles).find(([name]) => name.includes('outer.zip:inner.zip'));
  assert.match(nested?.[1] ?? '', /an archive within an archive, which is not read/);
  assert.equal(skipped, 1);
  await assertReceived(scp, all);
});

test('packed: one file compressed by itself may be named, too', async (t) => {
  const all = images(1);
  const path = join(await folder(t), 'x.dcm.gz');
  for (const bytes of all.values()) await writeFile(path, gzipSync(bytes));
  const scp = await storescp(t);
  const result = await send(path, ...to(scp), '--tag', 'none');
  assert.equal(result.code, 0, result.stdout + result.stderr);
  await assertReceived(scp, all);
});

test('packed: links to folders are followed once, loops and links to what lies around are not', async (t) => {
  const [inside, beside, twice] = [images(2), images(2, 2), images(1, 3)];
  const root = await written(t, inside);
  const other = await written(t, beside);
  await symlink(root, join(root, 'deeper', 'loop'));
  await symlink(join(root, 'deeper'), join(root, 'again'));
  await symlink(other, join(root, 'other'));
  await symlink(join(other, 'deeper'), join(root, 'part-of-other'));
  await symlink(await written(t, twice), join(other, 'a-link-behind'));
  const scp = await storescp(t);
  const result = await send(root, ...to(scp), '--tag', 'none', '--json');
  assert.deepEqual([result.code, json(result).sent], [1, 4], result.stdout);
  assert.match(json(result).troubles[join(root, 'other', 'a-link-behind')] ?? '', /not followed/);
  await assertReceived(scp, new Map([...inside, ...beside]));
});

test('packed: a link to the folder around, and one that leads nowhere, are named', async (t) => {
  const all = images(1);
  const root = await written(t, all);
  await symlink('/', join(root, 'everything'));
  await symlink('/nowhere/1.dcm', join(root, 'annexed.dcm'));
  const scp = await storescp(t);
  const result = await send(root, ...to(scp), '--tag', 'none', '--json');
  assert.equal(result.code, 1);
  assert.match(
    json(result).troubles[join(root, 'everything')] ?? '',
    /it is a link to \/, in which .* lies: not followed/,
  );
  assert.deepEqual(
    json(result).failures.map(({ code }) => code),
    ['FILE_UNREADABLE'],
  );
  await assertReceived(scp, all);
});
