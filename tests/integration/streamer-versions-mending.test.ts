/** Sent again, a damaged image is mended; and no moment is the wrong one to send a correction. */
import assert from 'node:assert/strict';
import { open, readFile, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { removeSplice } from '@scanflow/dicom';
import { storescu, until } from '@scanflow/testkit';
import { startProxy, type Disturbance } from '../faults/orthanc-proxy.ts';
import { folderOf, recordOf, TAG, verifyManifest } from './streamer-verify.ts';
import { legWhen, makeRig, phantom, type Rig } from './streamer-support.ts';
import {
  post,
  reconstructed,
  relay,
  seriesWhen,
  startReceiver,
  theSeries,
} from './streamer-versions-support.ts';

const OUT_OF_RESOURCES = 0xa700;
const CLEANUP = { cleanup: { after: '500ms' } };

const inOrthanc = async (rig: Rig): Promise<number> =>
  ((await rig.orthanc.get('/statistics')) as { CountInstances: number }).CountInstances;
const empty = (rig: Rig): Promise<unknown> =>
  until(async () => (await inOrthanc(rig)) === 0, { what: 'Orthanc is empty', timeoutMs: 60_000 });

/** Where Orthanc has the first file of an instance. */
async function fileIn(rig: Rig, instance: string): Promise<string> {
  const { Uuid: uuid } = (await rig.orthanc.get(`/instances/${instance}/attachments/dicom/info`)) as {
    Uuid: string;
  };
  return join(rig.orthanc.folder, 'storage', uuid.slice(0, 2), uuid.slice(2, 4), uuid);
}

const DAMAGES: readonly (readonly [name: string, spoil: (file: string) => Promise<void>])[] = [
  [
    'a byte is another',
    async (file) => {
      const handle = await open(file, 'r+');
      const { size } = await handle.stat();
      await handle.write(Buffer.from([0xa5]), 0, 1, size - 9);
      await handle.close();
    },
  ],
  ['it is cut', (file) => truncate(file, 3000)],
  ['it is gone', (file) => rm(file)],
];

for (const [name, spoil] of DAMAGES)
  test(`versions: a damaged copy in Orthanc (${name}) is mended by sending again, and is cleaned away`, async (t) => {
    // its cache would still serve what was received
    const rig = await makeRig(t, { orthanc: { extra: { MaximumStorageCacheSize: 0 } }, extra: CLEANUP });
    const door = await startReceiver(t, rig);
    const { files } = await phantom(join(rig.folder, 'a'), { images: 3 });
    await door.send(...files);
    const [instance = ''] = (await rig.orthanc.get('/instances')) as string[];
    await spoil(await fileIn(rig, instance));
    await rig.start();
    await legWhen(rig, 'storage', ({ failure }) => failure !== undefined, 'the damage shows');
    await door.send(...files);
    const { series, record } = await seriesWhen(
      rig,
      ({ state }, { instances }) => state === 'complete' && instances.length === 3,
      'it goes on by itself',
    );
    assert.ok(record.instances.every(({ differsFrom }) => differsFrom === undefined));
    await verifyManifest(folderOf(series));
    for (const file of files) {
      const entry = record.instances.find(({ sopInstanceUid }) => file.includes(sopInstanceUid));
      const tagged = await readFile(join(folderOf(series), entry?.file ?? ''));
      const stored = Buffer.from(removeSplice(tagged, TAG));
      // but for the head, which the receiver writes
      assert.ok(stored.subarray(-9000).equals((await readFile(file)).subarray(-9000)), file);
    }
    await empty(rig);
  });

test('versions: a correction that comes while its series is pulled, and one after it was cleaned away', async (t) => {
  let correction: (() => Promise<void>) | undefined;
  const rig = await makeRig(t, {
    extra: CLEANUP,
    between: async (orthanc) => {
      const proxy = await startProxy(t, orthanc, async (): Promise<Disturbance> => {
        const send = correction;
        correction = undefined;
        await send?.();
        return 'pass';
      });
      return proxy.url;
    },
  });
  const door = await startReceiver(t, rig);
  const { files } = await phantom(join(rig.folder, 'a'), { images: 3 });
  const [file = '', other = ''] = files;
  const two = await reconstructed(file, join(rig.folder, 'two.dcm'), 2);
  correction = () => door.send(two);
  await door.send(...files);
  await rig.start();
  await seriesWhen(rig, (_, { instances }) => instances.length === 4, 'both are stored');
  await empty(rig);
  const three = await reconstructed(file, join(rig.folder, 'three.dcm'), 3);
  await door.send(three);
  await seriesWhen(rig, (_, { instances }) => instances.length === 5, 'so is the third');
  await empty(rig);
  // the same images again, which another node sends: their heads differ, and nothing else
  const before = await recordOf(folderOf(await theSeries(rig, 'complete')));
  await storescu({ port: rig.orthanc.dicomPort, calledAet: 'ORTHANC', callingAet: 'OTHER' }, [other, two]);
  await until(async () => (await inOrthanc(rig)) > 0, { what: 'they came', timeoutMs: 30_000 });
  await empty(rig);
  const after = await verifyManifest(folderOf(await theSeries(rig, 'complete')));
  assert.deepEqual(
    after.instances.map(({ file: name, sha256 }) => [name, sha256]),
    before.instances.map(({ file: name, sha256 }) => [name, sha256]),
  );
});

test('versions: a correction that comes while its series is deleted is not acknowledged, or is stored', async (t) => {
  const rig = await makeRig(t, { extra: CLEANUP });
  const door = await startReceiver(t, rig);
  const { files } = await phantom(join(rig.folder, 'a'), { images: 3 });
  const doomed = await rig.start({ at: 'series-leaving' });
  await door.send(...files);
  await until(() => doomed.exited(), { what: 'the streamer dies while it deletes', timeoutMs: 60_000 });
  const two = await reconstructed(files[0] ?? '', join(rig.folder, 'two.dcm'), 2);
  assert.equal(await door.offer(two), OUT_OF_RESOURCES);
  // the scanner has it still, and sends it again until the deletion has gone on and ended
  await rig.start();
  await until(async () => (await door.offer(two)) === 0, { what: 'it is taken', timeoutMs: 120_000 });
  const { series } = await seriesWhen(rig, (_, { instances }) => instances.length === 4, 'it is stored');
  await verifyManifest(folderOf(series));
});

/** Moments at which a streamer is ended that takes a version in. */
const MOMENTS = [
  'changes-read',
  'changes-recorded',
  'image-begun',
  'image-flushed',
  'image-named',
  'images-recorded',
  'manifest-written',
  'record-written',
  'series-stored',
];

test('versions: a streamer that is killed at each moment loses none and doubles none', async (t) => {
  const rig = await makeRig(t);
  const door = await startReceiver(t, rig);
  await rig.start();
  const { files } = await phantom(join(rig.folder, 'a'), { images: 2 });
  await door.send(...files);
  await theSeries(rig, 'complete');
  await rig.streamer().stop();
  for (const [index, at] of MOMENTS.entries()) {
    const doomed = await rig.start({ at });
    await door.send(await reconstructed(files[0] ?? '', join(rig.folder, `${index}.dcm`), 100 + index));
    await until(() => doomed.exited(), { what: `the streamer dies at ${at}`, timeoutMs: 60_000 });
  }
  await rig.start();
  const { series, record } = await seriesWhen(
    rig,
    ({ state }) => state === 'complete',
    'everything is stored',
  );
  assert.equal(record.instances.length, 2 + MOMENTS.length);
  await verifyManifest(folderOf(series));
  const pixels = record.instances.map(async ({ file }) =>
    removeSplice(await readFile(join(folderOf(series), file)), TAG).at(-1),
  );
  for (const index of MOMENTS.keys())
    assert.ok((await Promise.all(pixels)).includes(100 + index), `${index}`);
  // what somebody took away comes back from Orthanc
  const beside = record.instances.find(({ differsFrom }) => differsFrom !== undefined);
  await rm(join(folderOf(series), beside?.file ?? ''));
  const retried = await post(rig, `/api/series/${series.id}/retry`, {});
  assert.equal(retried.status, 200, await retried.text());
  await until(() => readFile(join(folderOf(series), beside?.file ?? '')).catch(() => undefined), {
    what: 'the file is there again',
    timeoutMs: 60_000,
  });
  await theSeries(rig, 'complete');
  assert.equal((await verifyManifest(folderOf(series))).instances.length, 2 + MOMENTS.length);
});

test('versions: a receiver that is killed around each request acknowledges nothing that is lost', async (t) => {
  const rig = await makeRig(t);
  let doom: { readonly path: RegExp; readonly when: 'before' | 'after' } | undefined;
  let kill = (): Promise<void> => Promise.resolve();
  const url = await relay(t, rig.orthanc, async (when, method, path) => {
    if (method !== 'PUT' || doom?.when !== when || !doom.path.test(path)) return;
    doom = undefined;
    await kill();
  });
  const door = await startReceiver(t, rig, url);
  kill = async () => {
    await door.program().stop('SIGKILL');
  };
  await rig.start();
  const { files } = await phantom(join(rig.folder, 'a'), { images: 2 });
  await door.send(...files);
  await theSeries(rig, 'complete');
  let pixel = 100;
  for (const path of [/metadata\/5103$/, /attachments\/51\d\d$/])
    for (const when of ['before', 'after'] as const) {
      const next = await reconstructed(files[0] ?? '', join(rig.folder, `${pixel}.dcm`), pixel);
      pixel += 1;
      doom = { path, when };
      await assert.rejects(door.send(next));
      await door.start();
      await door.send(next);
    }
  const { series, record } = await seriesWhen(
    rig,
    ({ state }, { instances }) => state === 'complete' && instances.length === 6,
    'everything is stored once',
  );
  await verifyManifest(folderOf(series));
  assert.equal(record.counts['stored'], 2);
});
