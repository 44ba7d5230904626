/** What destinations do to the streamer: down, picky, out of resources, and files that changed on the way. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { dcmtk, freePort, startScriptedScp, startStorescp, until } from '@scanflow/testkit';
import { folderOf, recordOf, verifyForwarded } from './streamer-verify.ts';
import { legOf, legWhen, makeRig, phantom, scratch, sendTo, settled } from './streamer-support.ts';

test('streamer: a destination that is down holds up nobody, and gets everything when it is back', async (t) => {
  const up = await startStorescp({ folder: await scratch(t), aet: 'UP' });
  t.after(() => up.stop());
  const downPort = await freePort();
  const rig = await makeRig(t, { destinations: { down: downPort, up: up.port } });
  await rig.start();
  const a = await phantom(join(rig.folder, 'a'), { images: 4, seriesNumber: 1 });
  const b = await phantom(join(rig.folder, 'b'), { images: 4, seriesNumber: 2 });
  await sendTo(rig.orthanc, a.folder);
  await legWhen(rig, 'down', ({ failure }) => failure !== undefined, 'the failure shows');
  await sendTo(rig.orthanc, b.folder);
  await until(async () => (await up.files()).length === 8, { what: 'the other has all', timeoutMs: 60_000 });
  const waiting = await settled(rig, 2, ['working']);
  for (const series of waiting) {
    assert.equal(legOf(series, 'storage').state, 'done');
    assert.equal(legOf(series, 'up').state, 'done');
    assert.equal(legOf(series, 'down').state, 'pending');
  }
  const back = await startStorescp({ folder: await scratch(t), aet: 'DOWN', port: downPort });
  t.after(() => back.stop());
  const all = await settled(rig, 2, ['complete'], 120_000);
  assert.equal(await verifyForwarded(all.map(folderOf), await back.files()), 8);
});

test('streamer: an image that a destination refuses for good fails visibly, the others are sent', async (t) => {
  const picky = await startScriptedScp({
    onStore: (count) => ({ status: count === 3 ? 0xa900 : count === 5 ? 0xb000 : 0x0000 }),
  });
  t.after(() => picky.close());
  const rig = await makeRig(t, { destinations: { picky: picky.port } });
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'mr'), { images: 8 });
  await sendTo(rig.orthanc, folder);
  const [series] = await settled(rig, 1, ['failed']);
  const leg = legOf(series, 'picky');
  assert.deepEqual([leg.state, leg.done, leg.total], ['failed', 7, 8]);
  assert.ok(leg.failure !== undefined);
  assert.equal(legOf(series, 'storage').state, 'done');
  assert.equal(picky.requests.length, 8);
});

test('streamer: out of resources at the destination is tried again, only for what is left', async (t) => {
  const full = await startScriptedScp({
    onStore: (count) => ({ status: count === 4 || count === 5 ? 0xa700 : 0x0000 }),
  });
  t.after(() => full.close());
  const rig = await makeRig(t, { destinations: { full: full.port } });
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'mr'), { images: 6 });
  await sendTo(rig.orthanc, folder);
  const [series] = await settled(rig, 1, ['complete'], 60_000);
  assert.deepEqual([legOf(series, 'full').done, legOf(series, 'full').total], [6, 6]);
  const twice = full.requests.filter((uid, index) => full.requests.indexOf(uid) !== index);
  assert.equal(new Set(full.requests).size, 6);
  assert.ok(twice.length >= 1 && twice.length <= 3, `sent again: ${twice.length}`);
});

test('streamer: a stored file that was altered is not sent', async (t) => {
  const port = await freePort();
  const rig = await makeRig(t, { destinations: { late: port } });
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'mr'), { images: 4 });
  await sendTo(rig.orthanc, folder);
  await legWhen(rig, 'late', ({ failure }) => failure !== undefined, 'nobody is there');
  const [stored] = await rig.series();
  assert.ok(stored !== undefined);
  const [victim] = (await recordOf(folderOf(stored))).instances;
  const changed = await dcmtk('dcmodify', [
    '-nb',
    '-i',
    '(0020,4000)=x',
    join(folderOf(stored), victim?.file ?? ''),
  ]);
  assert.equal(changed.code, 0);
  const scp = await startStorescp({ folder: await scratch(t), aet: 'LATE', port });
  t.after(() => scp.stop());
  const [series] = await settled(rig, 1, ['failed'], 60_000);
  const leg = legOf(series, 'late');
  assert.equal(leg.failure?.code, 'FILE_CHANGED');
  assert.deepEqual([leg.done, leg.total], [3, 4]);
  assert.equal((await scp.files()).length, 3);
});
