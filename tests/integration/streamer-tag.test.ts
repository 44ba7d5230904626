/** What carries the tag, and that the same image always gets the same one. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  applyEdits,
  inflateFile,
  planSplice,
  readFileHeader,
  removeSplice,
  transferSyntaxes,
} from '@scanflow/dicom';
import { startStorescp, until } from '@scanflow/testkit';
import { folderOf, recordOf, TAG, verifyForwarded, verifyManifest, verifyStored } from './streamer-verify.ts';
import { makeRig, phantom, scratch, sendTo, settled, type Rig, type RigOptions } from './streamer-support.ts';

/** The rig with `tag` in its configuration. */
async function rigWith(t: TestContext, tag: object, options: RigOptions = {}): Promise<Rig> {
  const rig = await makeRig(t, options);
  const config = JSON.parse(await readFile(rig.configFile, 'utf8')) as object;
  await writeFile(rig.configFile, JSON.stringify({ ...config, tag }));
  return rig;
}

async function pacsFor(t: TestContext) {
  const pacs = await startStorescp({ folder: await scratch(t), aet: 'PACS' });
  t.after(() => pacs.stop());
  return pacs;
}

const dataSetOf = (file: Uint8Array): Buffer => {
  const header = readFileHeader(file, file.length);
  assert.ok(!('needMore' in header));
  return Buffer.from(file.subarray(header.dataSetOffset));
};
const tagged = (file: Uint8Array): Buffer => {
  const plan = planSplice(file, TAG, true);
  assert.ok(plan.kind === 'splice');
  return Buffer.from(applyEdits(file, plan.edits));
};
const sorted = (list: readonly Uint8Array[]): string[] =>
  list.map((bytes) => Buffer.from(bytes).toString('base64')).sort();

for (const apply of ['stored+forwarded', 'forwarded'])
  test(`tag: data sets without file meta information are stored, and sent with the tag (${apply})`, async (t) => {
    const pacs = await pacsFor(t);
    const rig = await rigWith(t, { apply }, { destinations: { pacs: pacs.port } });
    await rig.start();
    const originals: Buffer[] = [];
    for (const [index, transferSyntax] of [
      transferSyntaxes.explicitVRLittleEndian,
      transferSyntaxes.implicitVRLittleEndian,
    ].entries()) {
      const place = join(rig.folder, `bare${index}`);
      const { files } = await phantom(place, { images: 3, seriesNumber: index + 1, transferSyntax });
      for (const file of files) {
        const bare = dataSetOf(await readFile(file));
        const { status, body } = await rig.orthanc.upload(bare);
        assert.equal(status, 200, JSON.stringify(body));
        originals.push(bare);
      }
    }
    const all = await settled(rig, 2, ['complete']);
    for (const series of all) assert.equal(await verifyStored(rig, series), 3);
    const came = await Promise.all((await pacs.files()).map(async (file) => dataSetOf(await readFile(file))));
    assert.deepEqual(sorted(came), sorted(originals.map(tagged)));
    if (apply === 'stored+forwarded')
      assert.equal(await verifyForwarded(all.map(folderOf), await pacs.files()), 6);
  });

test('tag: apply forwarded stores files as they came, and sends them tagged', async (t) => {
  const pacs = await pacsFor(t);
  const rig = await rigWith(t, { apply: 'forwarded' }, { destinations: { pacs: pacs.port } });
  await rig.start();
  const { folder, files } = await phantom(join(rig.folder, 'mr'), { images: 6 });
  await sendTo(rig.orthanc, folder);
  const [series] = await settled(rig, 1, ['complete']);
  assert.ok(series !== undefined);
  assert.equal(await verifyStored(rig, series), 6);
  assert.deepEqual(series.images, { ...series.images, stored: 6, untagged: 0 });
  const record = await recordOf(folderOf(series));
  const stored = await Promise.all(
    record.instances.map(({ file }) => readFile(join(folderOf(series), file))),
  );
  assert.ok(record.instances.every((one) => !one.tagged && one.untagged === undefined));
  const original = await Promise.all(files.map((file) => readFile(file)));
  assert.deepEqual(sorted(stored.map(dataSetOf)), sorted(original.map(dataSetOf)));
  const received = await Promise.all((await pacs.files()).map((file) => readFile(file)));
  assert.deepEqual(sorted(received.map(dataSetOf)), sorted(stored.map(tagged).map(dataSetOf)));
});

test('tag: apply forwarded, a deflated image', async (t) => {
  const pacs = await pacsFor(t);
  const rig = await rigWith(
    t,
    { apply: 'forwarded' },
    { destinations: { pacs: pacs.port }, unmatched: 'all/{SOPInstanceUID}.dcm' },
  );
  await rig.start();
  const original = await readFile('/usr/lib/python3/dist-packages/pydicom/data/test_files/image_dfl.dcm');
  await rig.orthanc.upload(original);
  const [series] = await settled(rig, 1, ['complete']);
  assert.ok(series !== undefined);
  const { instances } = await verifyManifest(folderOf(series));
  assert.deepEqual(await readFile(join(folderOf(series), instances[0]?.file ?? '')), original);
  const [received] = await Promise.all((await pacs.files()).map((file) => readFile(file)));
  assert.ok(received !== undefined);
  const bare = removeSplice(received, TAG);
  assert.deepEqual(dataSetOf(bare), dataSetOf(inflateFile(original)));
});

test('tag: apply none stores and sends what came', async (t) => {
  const pacs = await pacsFor(t);
  const rig = await rigWith(t, { apply: 'none' }, { destinations: { pacs: pacs.port } });
  await rig.start();
  const { folder, files } = await phantom(join(rig.folder, 'mr'), { images: 3 });
  await sendTo(rig.orthanc, folder);
  const [series] = await settled(rig, 1, ['complete']);
  assert.ok(series !== undefined);
  assert.equal(series.images.untagged, 0);
  assert.equal(await verifyForwarded([folderOf(series)], await pacs.files()), 3);
  const original = await Promise.all(files.map((file) => readFile(file)));
  const received = await Promise.all((await pacs.files()).map((file) => readFile(file)));
  assert.deepEqual(sorted(received.map(dataSetOf)), sorted(original.map(dataSetOf)));
});

test('tag: accession number and time are those of the series, after a crash and for late images too', async (t) => {
  const pacs = await pacsFor(t);
  const rig = await rigWith(t, { accession: true, time: true }, { destinations: { pacs: pacs.port } });
  const first = await rig.start({ at: 'image-named', nth: 3 });
  const { files } = await phantom(join(rig.folder, 'mr'), { images: 8, accession: 'ACC0007' });
  await sendTo(rig.orthanc, ...files.slice(0, 6));
  await until(() => first.exited(), { what: 'the streamer is killed', timeoutMs: 60_000 });
  // a second has passed, so that a time of its own would be another
  const killed = Temporal.Now.instant().epochMilliseconds;
  await until(() => Temporal.Now.instant().epochMilliseconds > killed + 1100, {
    what: 'the clock goes on',
    timeoutMs: 60_000,
  });
  await rig.start();
  await settled(rig, 1, ['complete']);
  await sendTo(rig.orthanc, ...files.slice(6));
  const [series] = await until(
    async () => {
      const all = await settled(rig, 1, ['complete']);
      return all[0]?.images.stored === 8 ? all : undefined;
    },
    { what: 'the late images are stored', timeoutMs: 60_000 },
  );
  assert.ok(series !== undefined);
  assert.equal(await verifyForwarded([folderOf(series)], await pacs.files()), 8);
  const record = (await verifyManifest(folderOf(series))) as unknown as {
    readonly tag: { readonly accession: object; readonly time: { readonly value: string } };
    readonly instances: readonly { readonly file: string }[];
  };
  assert.deepEqual(record.tag.accession, { element: '11', value: 'ACC0007' });
  assert.match(record.tag.time.value, /^\d{14}\+0000$/);
  const also = [
    { element: 0x11, vr: 'SH', value: 'ACC0007' },
    { element: 0x12, vr: 'DT', value: record.tag.time.value },
  ] as const;
  const original = await Promise.all(files.map((file) => readFile(file)));
  const wanted = original.map((file) => {
    const plan = planSplice(file, { ...TAG, also }, true);
    assert.ok(plan.kind === 'splice');
    return dataSetOf(applyEdits(file, plan.edits));
  });
  const stored = await Promise.all(
    record.instances.map(({ file }) => readFile(join(folderOf(series), file))),
  );
  assert.deepEqual(sorted(stored.map(dataSetOf)), sorted(wanted));
});

test('tag: an image that comes back tagged is left as it is', async (t) => {
  const rig = await rigWith(t, { time: true });
  await rig.start();
  const { files } = await phantom(join(rig.folder, 'mr'), { images: 1 });
  const [file = ''] = files;
  const came = tagged(await readFile(file));
  await writeFile(file, came);
  await sendTo(rig.orthanc, file);
  const [series] = await settled(rig, 1, ['complete']);
  assert.ok(series !== undefined);
  const { instances } = await verifyManifest(folderOf(series));
  assert.equal(instances[0]?.tagged, true);
  assert.deepEqual(dataSetOf(await readFile(join(folderOf(series), instances[0].file))), dataSetOf(came));
});

/** The file with all 240 blocks of group 0021 reserved by others. */
function withoutFreeBlock(file: Uint8Array): Buffer {
  let bytes = Buffer.from(file);
  for (let index = 0; index < 240; index += 1) {
    const plan = planSplice(bytes, { ...TAG, creator: `VENDOR${index}` }, true);
    if (plan.kind === 'splice') bytes = Buffer.from(applyEdits(bytes, plan.edits));
  }
  return bytes;
}

test('tag: an image whose group has no free block is kept as it came, and it shows', async (t) => {
  const rig = await rigWith(t, {});
  await rig.start();
  const { files } = await phantom(join(rig.folder, 'mr'), { images: 2 });
  const [file = ''] = files;
  const full = withoutFreeBlock(await readFile(file));
  await writeFile(file, full);
  await sendTo(rig.orthanc, ...files);
  const [series] = await settled(rig, 1, ['complete']);
  assert.ok(series !== undefined);
  assert.deepEqual([series.images.stored, series.images.untagged], [2, 1]);
  assert.match(await rig.csv(), /untagged/);
  const { instances } = await verifyManifest(folderOf(series));
  const kept = instances.find(({ tagged }) => !tagged);
  assert.equal(kept?.untagged?.code, 'TAG_NO_FREE_BLOCK');
  assert.deepEqual(dataSetOf(await readFile(join(folderOf(series), kept.file))), dataSetOf(full));
});
