/** What the receiver holds on its disk: a disk that fills up (PS3.4 table B.2-1, A700). */
import assert from 'node:assert/strict';
import { rm, statfs, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeSeries } from '@scanflow/dicom';
import { dcmtk, until } from '@scanflow/testkit';
import { makeDisk } from '../faults/disk.ts';
import { hashOf, instances, startRig, storedHashes, writeImages, type Rig } from './receiver-support.ts';

const MB = 1_000_000;
const SUCCESS = /Received Store Response \(Success\)/;
const OUT_OF_RESOURCES = /OutOfResources|0xa700/i;

/** What storescu says with -v. */
async function send({ port }: Rig, path: string): Promise<string> {
  const args = ['-v', '-aet', 'PRISMA', '-aec', 'ORTHANC', '127.0.0.1', String(port), path];
  const { stdout, stderr } = await dcmtk('storescu', args, { timeoutMs: 120_000 });
  return stdout + stderr;
}

/** 33 MB each: too large for memory. */
async function largeImages(folder: string, count: number): Promise<string[]> {
  const when = Temporal.ZonedDateTime.from('2026-11-22T09:00[Europe/Amsterdam]');
  const paths: string[] = [];
  for (const image of makeSeries({ modality: 'MR', images: count, rows: 4096, columns: 4096, when })) {
    paths.push(join(folder, `${image.sopInstanceUid}.dcm`));
    await writeFile(paths.at(-1) ?? '', image.bytes);
  }
  return paths;
}

test('disk: full in the midst of an image: A700, nothing of it counts or stays; once there is space, it is stored', async (t) => {
  const disk = await makeDisk(t, { kind: 'tmpfs', megabytes: 60 });
  if (disk === undefined) return;
  const rig = await startRig(t);
  await symlink(disk.path, join(rig.folder, 'data', 'receiver'));
  const free = async (): Promise<number> => {
    const { bavail, bsize } = await statfs(disk.path);
    return bavail * bsize;
  };
  const [small = ''] = await writeImages(join(rig.folder, 'images'), 1, 7);
  const [large = '', second = ''] = await largeImages(rig.folder, 2);
  const empty = await free();
  // there is room for a part of it
  const ballast = join(disk.path, 'ballast');
  await writeFile(ballast, new Uint8Array(40 * MB));
  for (let turn = 0; turn < 3; turn += 1) {
    const said = await send(rig, large);
    assert.match(said, OUT_OF_RESOURCES);
    assert.doesNotMatch(said, SUCCESS);
  }
  await rig.receiver().said(/cannot write to its disk/);
  assert.deepEqual(await instances(rig), []);
  assert.match(await send(rig, small), SUCCESS, 'what fits into memory goes on');
  await until(async () => (await free()) >= empty - 40.1 * MB, {
    what: 'nothing of the refused ones stays',
    timeoutMs: 30_000,
  });
  assert.equal((await rig.api('/healthz'))['heldOnDisk'], 0);
  const metrics = await (await fetch(`${rig.url}/metrics`)).text();
  assert.match(metrics, /^scanflow_receiver_images_total\{[^}]*outcome="failed"[^}]*\} 3$/m);
  assert.match(metrics, /^scanflow_receiver_images_total\{[^}]*outcome="stored"[^}]*\} 1$/m);
  await rm(ballast);
  assert.match(await send(rig, large), SUCCESS);
  // two at once are more than there is room for: each is there whole, or was refused
  const both = await Promise.all([send(rig, second), send(rig, large)]);
  for (const said of both) assert.ok(SUCCESS.test(said) !== OUT_OF_RESOURCES.test(said), said);
  assert.match(await send(rig, second), SUCCESS);
  const sent = await Promise.all([small, large, second].map(hashOf));
  assert.deepEqual(await storedHashes(rig), sent.toSorted());
  await until(async () => (await free()) === empty, { what: 'nothing is left', timeoutMs: 30_000 });
});
