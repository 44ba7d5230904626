/** Names that would be one: nothing is overwritten. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { dcmtk } from '@scanflow/testkit';
import { folderOf, verifyStored } from '../integration/streamer-verify.ts';
import { makeRig, phantom, sendTo, settled } from '../integration/streamer-support.ts';

test('streamer: images of one InstanceNumber, series whose names differ in case alone', async (t) => {
  const rig = await makeRig(t, {
    layout: '{project}/{SeriesDescription}/{InstanceNumber:5}_{SOPInstanceUID}.dcm',
  });
  await rig.start();
  const upper = await phantom(join(rig.folder, 'a'), {
    images: 4,
    seriesNumber: 1,
    seriesDescription: 'Task',
  });
  const lower = await phantom(join(rig.folder, 'b'), {
    images: 4,
    seriesNumber: 2,
    seriesDescription: 'task',
  });
  const one = await dcmtk('dcmodify', ['-nb', '-m', '(0020,0013)=1', ...upper.files]);
  assert.equal(one.code, 0, one.stderr);
  await sendTo(rig.orthanc, upper.folder, lower.folder);
  const all = await settled(rig, 2, ['complete']);
  assert.equal(new Set(all.map(folderOf)).size, 2);
  for (const series of all) assert.equal(await verifyStored(rig, series), 4);
});
