/** The disk of a dataset is full while a session is converted: the streamer shows it, the dataset stays whole, and it goes on by itself. */
import assert from 'node:assert/strict';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { run } from '@scanflow/testkit';
import { openFacility, type Facility } from '../integration/bids-facility.ts';

test('bids: a disk that becomes full is shown, and once there is room the session is converted by itself', async (t) => {
  const facility = await openFacility(t);
  const { dataset } = facility;
  await mkdir(dataset, { recursive: true });
  const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dataset]);
  if (mounted.code !== 0) {
    t.skip('NOT RUN: THIS TAKES ROOT AND A TMPFS TO MOUNT');
    return;
  }
  try {
    await fillAndEmpty(facility);
  } finally {
    await run('umount', ['-l', dataset]);
  }
});

async function fillAndEmpty({ rig, dataset, startBids, scan, becomes, scanflow }: Facility): Promise<void> {
  const ballast = join(dataset, 'ballast');
  // room for locks and folders, and not for images
  await writeFile(ballast, Buffer.alloc(900 * 1024));
  await startBids();
  await scan(['t1w', 'bold', 'dwi']);
  const full = await becomes('the disk is full', ({ bids }) => bids?.failure !== undefined);
  assert.deepEqual([full.bids?.state, full.bids?.failure?.code], ['pending', 'BIDS_DISK_FULL']);
  await assert.rejects(stat(join(dataset, 'sub-001')), { code: 'ENOENT' });
  const status = await scanflow('bids', 'status', '3010000.01');
  assert.match(status.stdout, /BIDS_DISK_FULL: The file system of .* is full .* Make room/);

  await rm(ballast);
  const done = await becomes('it went on by itself', ({ bids }) => bids?.state === 'done');
  const { verdict, counts } = done.bids?.result ?? {};
  assert.deepEqual([verdict, counts?.converted, counts?.failed], ['valid', 3, 0]);
  const images = (await readdir(dirname(dataset), { recursive: true })).filter((name) =>
    name.endsWith('.nii.gz'),
  );
  assert.equal(images.length, 3);
  assert.equal((await rig.health()).status, 200);
}
