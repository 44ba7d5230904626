/** `storage.collisions: fail`: what has another's name waits for a person, and nothing is overwritten. */
import assert from 'node:assert/strict';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startStorescp, until } from '@scanflow/testkit';
import { folderOf, recordOf, verifyForwarded, verifyStored } from './streamer-verify.ts';
import { legOf, makeRig, phantom, scratch, sendTo, settled } from './streamer-support.ts';

/** Two series of one number want one folder. */
const LAYOUT = '{project}/{session}/{SeriesNumber:3}/{SOPInstanceUID}.dcm';

test('storage: where collisions fail, the second of one name shows as failed, and goes in once it has room', async (t) => {
  const pacs = await startStorescp({ folder: await scratch(t), aet: 'PACS' });
  t.after(() => pacs.stop());
  const rig = await makeRig(t, { destinations: { pacs: pacs.port } });
  const config = JSON.parse(await readFile(rig.configFile, 'utf8')) as object;
  const storage = { root: rig.root, layout: LAYOUT, collisions: 'fail' };
  await writeFile(rig.configFile, JSON.stringify({ ...config, storage }));
  await rig.start();
  // two sessions' worth of images whose series have one number
  const first = await phantom(join(rig.folder, 'first'), { images: 3, seed: 1 });
  await sendTo(rig.orthanc, first.folder);
  const [stored] = await settled(rig, 1, ['complete']);
  assert.ok(stored !== undefined);
  const before = await recordOf(folderOf(stored));
  const second = await phantom(join(rig.folder, 'second'), { images: 2, seed: 2 });
  await sendTo(rig.orthanc, second.folder);
  const failed = (await settled(rig, 2)).find(({ id }) => id !== stored.id);
  assert.ok(failed !== undefined);
  assert.equal(failed.state, 'failed');
  const { failure, state } = legOf(failed, 'storage');
  assert.deepEqual([state, failure?.code], ['failed', 'STORE_COLLISION']);
  assert.deepEqual(await recordOf(folderOf(stored)), before);
  assert.equal(await verifyStored(rig, stored), 3);
  assert.equal((await pacs.files()).length, 3);
  // somebody decides that the first one was wrong
  await rename(folderOf(stored), join(rig.folder, 'moved-away'));
  const response = await rig.api(`/api/series/${failed.id}/retry`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  assert.equal(response.status, 200);
  const whole = await until(
    async () => (await rig.series()).find(({ id, state: now }) => id === failed.id && now === 'complete'),
    { what: 'the second is stored', timeoutMs: 60_000 },
  );
  assert.equal(await verifyStored(rig, whole), 2);
  assert.equal(
    await verifyForwarded([join(rig.folder, 'moved-away'), folderOf(whole)], await pacs.files()),
    5,
  );
});
