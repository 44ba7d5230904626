/** The streamer ended by SIGKILL at each moment of its work: started again, it finishes, nothing lost or doubled. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startScriptedScp, startStorescp, until } from '@scanflow/testkit';
import { folderOf, verifyForwarded, verifyStored } from './streamer-verify.ts';
import { makeRig, phantom, scratch, sendTo, settled } from './streamer-support.ts';

const IMAGES = 24;

/** Moment, and how many times it is let pass before. */
const MOMENTS: readonly (readonly [at: string, nth: number, what: string])[] = [
  ['changes-read', 1, 'after reading changes, before the cursor moves'],
  ['changes-recorded', 1, 'after the cursor moved'],
  ['folder-claimed', 1, 'after the folder was claimed, before any image'],
  ['image-begun', 9, 'mid-download'],
  ['image-flushed', 5, 'after an image is written and flushed, before it has its name'],
  ['image-named', 7, 'after an image has its name, before the ledger knows'],
  ['images-recorded', 1, 'after some images are recorded'],
  ['manifest-due', 1, 'after all images, before the manifest'],
  ['manifest-written', 1, 'between the manifest and the record'],
  ['record-written', 1, 'after the record, before the ledger knows'],
  ['series-stored', 1, 'after the series is stored, before anything is sent'],
  ['response-received', 10, 'mid-association, after a response that the ledger does not know'],
  ['responses-recorded', 1, 'after responses are recorded'],
  ['series-forwarded', 1, 'after all is done'],
];

for (const [at, nth, what] of MOMENTS)
  test(`streamer: killed ${what}`, async (t) => {
    const scp = await startStorescp({ folder: await scratch(t), aet: 'PACS' });
    t.after(() => scp.stop());
    const rig = await makeRig(t, { destinations: { pacs: scp.port } });
    const doomed = await rig.start({ at, nth });
    const { folder } = await phantom(join(rig.folder, 'mr'), { images: IMAGES });
    await sendTo(rig.orthanc, folder);
    await until(() => doomed.exited(), { what: `the streamer dies at ${at}`, timeoutMs: 60_000 });
    assert.equal(await readFile(join(rig.folder, 'killed'), 'utf8'), `${at} ${nth}\n`, doomed.output());
    await rig.start();
    const [series] = await settled(rig, 1);
    assert.equal(series?.state, 'complete', rig.streamer().output());
    assert.equal(await verifyStored(rig, series), IMAGES);
    assert.equal(await verifyForwarded([folderOf(series)], await scp.files()), IMAGES);
    const folders = await readdir(join(rig.root, '3010000.01/raw/sub-001/ses-mri01'));
    assert.equal(folders.length, 1, 'a folder was left behind');
    for (const leg of series.legs)
      assert.deepEqual([leg.state, leg.done, leg.total], ['done', IMAGES, IMAGES]);
  });

test('streamer: killed again and again, it gets there', async (t) => {
  const rig = await makeRig(t);
  const { folder } = await phantom(join(rig.folder, 'mr'), { images: 60 });
  await sendTo(rig.orthanc, folder);
  // each life gets a little further into the 60 images
  for (const nth of [3, 11, 7, 14, 9]) {
    const doomed = await rig.start({ at: 'image-named', nth });
    await until(() => doomed.exited(), { what: 'the streamer dies', timeoutMs: 60_000 });
  }
  await rig.start();
  const [series] = await settled(rig, 1);
  assert.equal(series?.state, 'complete', rig.streamer().output());
  assert.equal(await verifyStored(rig, series), 60);
});

test('streamer: asked to stop while it waits for an answer, it stops in time and goes on later', async (t) => {
  const silent = await startScriptedScp({ onStore: (count) => (count < 5 ? { status: 0 } : 'never answer') });
  t.after(() => silent.close());
  const rig = await makeRig(t, { destinations: { pacs: silent.port } });
  const first = await rig.start();
  const { folder } = await phantom(join(rig.folder, 'mr'), { images: 8 });
  await sendTo(rig.orthanc, folder);
  await until(() => silent.requests.length >= 5, { what: 'the fifth request', timeoutMs: 60_000 });
  await first.stop('SIGTERM', 9_000);
  assert.equal(await first.ended, 0, first.output());
  const sent = silent.requests.slice(0, 4);
  await rig.start();
  await until(() => silent.requests.length >= 6, { what: 'it goes on', timeoutMs: 60_000 });
  assert.ok(!sent.includes(silent.requests[5] ?? ''), 'an image that was confirmed is sent again');
});
