import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { gzipFile, niftiOf, readNiftiHeader } from './check.ts';

/** NIfTI-1, as https://nifti.nimh.nih.gov lays it out. */
function nifti1(dims: readonly number[], little = true): Buffer {
  const bytes = Buffer.alloc(352);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setInt32(0, 348, little);
  [dims.length, ...dims].forEach((size, index) => view.setInt16(40 + 2 * index, size, little));
  view.setInt16(72, 16, little);
  view.setFloat32(108, 352, little);
  bytes.write('n+1\0', 344, 'latin1');
  return bytes;
}

test('a header says the size of its image, in both byte orders and versions', () => {
  for (const little of [true, false])
    assert.deepEqual(readNiftiHeader(nifti1([4, 3, 2, 5], little)), {
      version: 1,
      size: [4, 3, 2, 5],
      bitsPerVoxel: 16,
      voxelOffset: 352,
      fileBytes: 352 + 4 * 3 * 2 * 5 * 2,
    });
  assert.deepEqual(readNiftiHeader(nifti1([4, 3, 2, 1, 5]))?.size, [4, 3, 2, 5]);
  assert.deepEqual(readNiftiHeader(nifti1([4, 3]))?.size, [4, 3, 1, 1]);
  const second = Buffer.alloc(544);
  second.writeInt32LE(540, 0);
  second.write('n+2\0\r\n\x1a\n', 4, 'latin1');
  second.writeInt16LE(32, 14);
  [4, 40_000, 3, 2, 5].forEach((size, index) => second.writeBigInt64LE(BigInt(size), 16 + 8 * index));
  second.writeBigInt64LE(544n, 168);
  assert.deepEqual(readNiftiHeader(second)?.size, [40_000, 3, 2, 5]);
});

test('what is no NIfTI, or has impossible numbers, has no header', () => {
  const cases = [Buffer.alloc(0), Buffer.alloc(400), nifti1([4, 3, 2, 5]).subarray(0, 347)];
  for (const bytes of [...cases, nifti1([0, 3, 2]), nifti1([-4, 3, 2]), nifti1([])])
    assert.equal(readNiftiHeader(bytes), undefined);
  const pair = nifti1([4, 3, 2]);
  pair.write('ni1\0', 344, 'latin1');
  assert.equal(readNiftiHeader(pair), undefined);
});

test('a file that is too short shows; compression gives the same bytes each time', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-nifti-'));
  t.after(() => rm(folder, { recursive: true }));
  const [path, one, two] = ['a.nii', 'a.gz', 'b.gz'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const bytes = Buffer.concat([nifti1([4, 3, 2]), Buffer.alloc(48, 7)]);
  await writeFile(path, bytes.subarray(0, -1));
  assert.equal((await niftiOf(path)).whole, false);
  await writeFile(path, bytes);
  assert.equal((await niftiOf(path)).whole, true);
  await gzipFile(path, one, t.signal);
  await gzipFile(path, two, t.signal);
  const packed = await readFile(one);
  assert.deepEqual(packed, await readFile(two));
  assert.deepEqual(gunzipSync(packed), bytes);
  assert.equal(packed.readUInt32LE(4), 0, 'it has a time');
  assert.equal(packed[3], 0, 'it has a name');
});
