/** Images that were sent again with other bytes, and all that is done with stored files. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { askRebuild, rebuilt, scanflow } from './streamer-loss-support.ts';
import { folderOf, verifyManifest } from './streamer-verify.ts';
import { legOf, makeRig, phantom } from './streamer-support.ts';
import { reconstructed, seriesWhen, startReceiver, theSeries } from './streamer-versions-support.ts';

test('versions: they are copied, verified, repaired, found by a rebuild of the ledger, and erased', async (t) => {
  const rig = await makeRig(t);
  const config = JSON.parse(await readFile(rig.configFile, 'utf8')) as Record<string, object>;
  const copy = { root: join(rig.folder, 'copy') };
  await mkdir(copy.root);
  await writeFile(rig.configFile, JSON.stringify({ ...config, storage: { ...config['storage'], copy } }));
  const door = await startReceiver(t, rig);
  await rig.start();
  const { files } = await phantom(join(rig.folder, 'a'), { images: 2 });
  await door.send(...files);
  await theSeries(rig, 'complete');
  await door.send(await reconstructed(files[0] ?? '', join(rig.folder, 'two.dcm'), 2));
  const { series, record } = await seriesWhen(
    rig,
    ({ state }, { instances }) => state === 'complete' && instances.length === 3,
    'it is stored',
  );
  assert.deepEqual([legOf(series, 'copy').done, legOf(series, 'copy').total], [2, 2]);
  const dicom = async (root: string): Promise<number> =>
    (await readdir(root, { recursive: true })).filter((name) => name.endsWith('.dcm')).length;
  assert.equal(await dicom(copy.root), 3);
  const asked = (...args: string[]): ReturnType<typeof scanflow> =>
    scanflow(...args, '--config', rig.configFile);
  const beside = join(folderOf(series), record.instances.find((one) => one.differsFrom)?.file ?? '');
  const bytes = await readFile(beside);
  await writeFile(beside, bytes.fill(1, bytes.length - 100));
  assert.equal((await asked('verify', series.id)).code, 1);
  const repaired = await asked('verify', series.id, '--repair');
  assert.equal(repaired.code, 0, repaired.stdout + repaired.stderr);
  await rm(`${beside.replace(/\.dcm$/, '')}_changed.dcm`, { force: true });
  assert.equal((await verifyManifest(folderOf(series))).instances.length, 3);
  await rig.streamer().stop();
  await askRebuild(rig);
  await rig.start();
  await rebuilt(rig);
  const anew = await theSeries(rig, 'complete');
  assert.deepEqual(anew.images, { inOrthanc: 2, stored: 2, untagged: 0, differing: 1 });
  const labels = ['--project', '3010000.01', '--subject', 'sub-001'];
  const erased = await asked('erase', ...labels, '--yes', '--reason', 'consent withdrawn');
  assert.equal(erased.code, 0, erased.stderr + rig.streamer().output());
  assert.deepEqual([await dicom(copy.root), await dicom(rig.root)], [0, 0]);
  assert.deepEqual(await rig.orthanc.get('/instances'), []);
});
