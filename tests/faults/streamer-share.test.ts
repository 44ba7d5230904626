/** Project storage on a network share: quota, full and stale show in the midst of a file, or only when it is flushed. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { startStorescp, until } from '@scanflow/testkit';
import { folderOf, verifyForwarded, verifyNamed, verifyStored } from '../integration/streamer-verify.ts';
import {
  makeRig,
  phantom,
  scratch,
  sendTo,
  settled,
  type Rig,
  type Series,
} from '../integration/streamer-support.ts';
import { makeFailingDisk } from './disk.ts';
import { nothingAside } from './held.ts';

const IMAGES = 12;
/** About 180 kB each. */
const SIDE = { rows: 300, columns: 300 };

const TROUBLES = [
  {
    what: 'quota used up in the midst of an image',
    call: 'write',
    error: 'EDQUOT',
    after: 500_000,
    code: 'STORE_QUOTA',
  },
  {
    what: 'quota that shows when a file is flushed',
    call: 'fsync',
    error: 'EDQUOT',
    after: 500_000,
    code: 'STORE_QUOTA',
  },
  {
    what: 'full in the midst of an image',
    call: 'write',
    error: 'ENOSPC',
    after: 500_000,
    code: 'STORE_DISK_FULL',
  },
  {
    what: 'full when a file gets its name',
    call: 'link',
    error: 'ENOSPC',
    after: 500_000,
    code: 'STORE_DISK_FULL',
  },
  { what: 'stale handles', call: 'any', error: 'ESTALE', after: 500_000, code: 'STORE_STALE' },
  { what: 'stale from the start', call: 'any', error: 'ESTALE', after: 0, code: 'STORE_STALE' },
] as const;

test('streamer: a share that fails in every way of its own: pending, nothing half written, all there in the end', async (t) => {
  const disk = await makeFailingDisk(t);
  if (disk === undefined) return;
  const scp = await startStorescp({ folder: await scratch(t), aet: 'PACS' });
  t.after(() => scp.stop());
  const rig = await makeRig(t, { root: disk.path, destinations: { pacs: scp.port } });
  await rig.start();
  for (const [index, { what, code, ...order }] of TROUBLES.entries()) {
    await disk.fail(order);
    const number = index + 1;
    const { folder } = await phantom(join(rig.folder, `mr${number}`), {
      images: IMAGES,
      seriesNumber: number,
      ...SIDE,
    });
    await sendTo(rig.orthanc, folder);
    const trouble = await until(
      async () =>
        (await rig.series().catch(() => [])).find(({ legs }) =>
          legs.some(({ failure }) => failure !== undefined),
        ),
      { what: `${what}: the failure shows`, timeoutMs: 60_000 },
    );
    const leg = trouble.legs.find(({ target }) => target === 'storage');
    assert.deepEqual(
      [leg?.state, leg?.failure?.code],
      ['pending', code],
      `${what}: ${leg?.failure?.message}`,
    );
    await disk.fail();
    if (leg?.path !== undefined) assert.ok((await verifyNamed(rig, trouble)) < IMAGES, what);
    await again(rig, trouble);
    const series = await settled(rig, number, ['complete'], 120_000);
    for (const one of series) assert.equal(await verifyStored(rig, one), IMAGES, what);
    await nothingAside(disk.path);
    assert.equal(await verifyForwarded(series.map(folderOf), await scp.files()), number * IMAGES);
  }
});

/** Does not wait for the next try. */
async function again(rig: Rig, { id }: Series): Promise<void> {
  const response = await rig.api(`/api/series/${id}/retry`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  assert.equal(response.status, 200);
}
