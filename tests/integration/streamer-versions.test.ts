/** Images that are sent again after a correction: nothing that was answered Success is lost (docs/storage.md). */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { removeSplice } from '@scanflow/dicom';
import { startStorescp, until } from '@scanflow/testkit';
import { bookingRecord, legOf, makeRig, phantom, scratch, settled, type Rig } from './streamer-support.ts';
import { folderOf, recordOf, TAG, verifyManifest } from './streamer-verify.ts';
import { sha256 } from './sha256.ts';
import {
  corrected,
  post,
  reconstructed,
  seriesWhen,
  startReceiver,
  theSeries,
} from './streamer-versions-support.ts';

/** Last pixels of the files of the only series that stand under one SOP Instance UID, by name. */
async function pixelsOf(folder: string): Promise<Record<string, number | undefined>> {
  const { instances } = await recordOf(folder);
  const pixels = instances.map(async ({ file }): Promise<[string, number | undefined]> => {
    const bytes = removeSplice(await readFile(join(folder, file)), TAG);
    return [file, bytes.at(-1)];
  });
  return Object.fromEntries(await Promise.all(pixels));
}

interface Shown {
  readonly sameUid: readonly { readonly id: string }[];
  readonly versions: readonly {
    readonly files: readonly { readonly file: string; readonly newest: boolean }[];
  }[];
}

const shown = async (rig: Rig, id: string): Promise<Shown> =>
  ((await (await rig.api(`/api/series/${id}`)).json()) as { series: Shown }).series;

test('versions: two reconstructions between two looks are kept beside the first, and counted as no image', async (t) => {
  const pacs = await startStorescp({ folder: await scratch(t), aet: 'PACS' });
  t.after(() => pacs.stop());
  const rig = await makeRig(t, { destinations: { pacs: pacs.port } });
  const door = await startReceiver(t, rig);
  await rig.start();
  const { folder, files } = await phantom(join(rig.folder, 'a'), { images: 3 });
  await door.send(folder);
  const first = await theSeries(rig, 'complete');
  const before = await recordOf(folderOf(first));
  await rig.streamer().stop();
  const [file = ''] = files;
  const two = await reconstructed(file, join(rig.folder, 'two.dcm'), 2);
  const three = await reconstructed(file, join(rig.folder, 'three.dcm'), 3);
  for (const path of [two, three, two, file]) await door.send(path);
  await rig.start();
  const { series, record } = await seriesWhen(
    rig,
    ({ state }, { instances }) => state === 'complete' && instances.length === 5,
    'both reconstructions are stored',
  );
  await verifyManifest(folderOf(series));
  const beside = record.instances.filter(({ differsFrom }) => differsFrom !== undefined);
  const original = before.instances.find(({ sopInstanceUid }) => file.includes(sopInstanceUid));
  assert.deepEqual(
    beside.map(({ differsFrom }) => differsFrom),
    [original?.file, original?.file],
  );
  const pixels = await pixelsOf(folderOf(series));
  assert.deepEqual(beside.map((one) => pixels[one.file]).sort(), [2, 3]);
  // byte for byte but for the tag
  const orthancs = async (attachment: string): Promise<string> => {
    const id = beside[0]?.orthancId ?? '';
    const answer = await rig.orthanc.request(`/instances/${id}/attachments/${attachment}/data`);
    return sha256(new Uint8Array(await answer.arrayBuffer()));
  };
  const stripped = beside.map(async (one) =>
    sha256(removeSplice(await readFile(join(folderOf(series), one.file)), TAG)),
  );
  assert.deepEqual(
    (await Promise.all(stripped)).sort(),
    (await Promise.all([orthancs('5110'), orthancs('5111')])).sort(),
  );
  assert.deepEqual([record.counts['inOrthanc'], record.counts['stored']], [3, 3]);
  assert.deepEqual(series.images, { inOrthanc: 3, stored: 3, untagged: 0, differing: 2 });
  for (const target of ['storage', 'pacs'])
    assert.deepEqual([legOf(series, target).done, legOf(series, target).total], [3, 3], target);
  const { versions } = await shown(rig, series.id);
  assert.deepEqual(
    versions.map(({ files: all }) => all.map((one) => [pixels[one.file], one.newest])),
    [
      [
        [pixels[original?.file ?? ''], false],
        [2, false],
        [3, true],
      ],
    ],
  );
  // the PACS has had the first, and gets the one that came last
  const last = await Promise.all((await pacs.files()).map(async (path) => (await readFile(path)).at(-1)));
  assert.equal(last.filter((pixel) => pixel === 3).length, 1);
  assert.equal(last.filter((pixel) => pixel === 2).length, 0);
});

test('versions: a quarantined series is routed by its correction, which has the plain name', async (t) => {
  const pacs = await startStorescp({ folder: await scratch(t), aet: 'PACS' });
  t.after(() => pacs.stop());
  const rig = await makeRig(t, { destinations: { pacs: pacs.port } });
  const door = await startReceiver(t, rig);
  await rig.start();
  const wrong = await phantom(join(rig.folder, 'wrong'), { images: 3, studyId: 'typing error' });
  await door.send(wrong.folder);
  await theSeries(rig, 'quarantined');
  const right = await corrected(wrong.files, join(rig.folder, 'right'), 'StudyID=ses-mri01');
  // only some of them: nobody is to guess
  await door.send(right[0] ?? '');
  await until(async () => (await rig.series())[0]?.reasonCode === 'ROUTE_CORRECTED_IN_PART', {
    what: 'it is told that only a part was corrected',
    timeoutMs: 60_000,
  });
  await door.send(...right);
  const series = await theSeries(rig, 'complete');
  assert.match(folderOf(series), /3010000\.01\/raw\/sub-001\/ses-mri01\//);
  const record = await verifyManifest(folderOf(series));
  assert.equal(record.instances.length, 6);
  const plain = record.instances.filter(({ differsFrom }) => differsFrom === undefined);
  assert.equal(plain.length, 3);
  for (const { file } of plain) {
    assert.doesNotMatch(file, /_[0-9a-f]{12}\.dcm$/);
    assert.ok((await readFile(join(folderOf(series), file))).includes('ses-mri01'), file);
  }
  // what was corrected before it was sent is not sent
  const sent = await Promise.all((await pacs.files()).map((path) => readFile(path)));
  assert.equal(sent.length, 3);
  assert.ok(sent.every((bytes) => bytes.includes('ses-mri01')));
  assert.deepEqual([legOf(series, 'pacs').done, legOf(series, 'pacs').total], [3, 3]);
});

test('versions: a corrected accession number of a stored series shows until somebody decides', async (t) => {
  const rig = await makeRig(t);
  const door = await startReceiver(t, rig);
  await rig.book(
    bookingRecord({
      accessionNumber: 'A0001',
      labels: { project: '3010000.02', subject: 'sub-007', session: 'ses-mri02' },
    }),
  );
  await rig.book(
    bookingRecord({
      accessionNumber: 'A0002',
      labels: { project: '3010000.03', subject: 'sub-008', session: 'ses-mri03' },
    }),
  );
  await rig.start();
  const about = { images: 2, patientId: 'x', patientName: 'x', studyId: 'x' };
  const wrong = await phantom(join(rig.folder, 'wrong'), { ...about, accession: 'A0001' });
  await door.send(wrong.folder);
  const stored = await theSeries(rig, 'complete');
  assert.match(folderOf(stored), /3010000\.02/);
  const right = await corrected(wrong.files, join(rig.folder, 'right'), 'AccessionNumber=A0002');
  await door.send(...right);
  const failed = await theSeries(rig, 'failed');
  const { failure } = legOf(failed, 'storage');
  assert.equal(failure?.code, 'ROUTE_CORRECTED');
  assert.match(
    failure.message,
    /another AccessionNumber, by which it belongs to 3010000\.03 sub-008 ses-mri03/,
  );
  assert.equal((await verifyManifest(folderOf(failed))).instances.length, 4);
  // others than those that it has: that is a move
  const other = await post(rig, `/api/series/${failed.id}/release`, {
    project: '3010000.03',
    subject: 'sub-008',
    session: 'ses-mri03',
  });
  assert.equal(other.status, 409);
  const moved = await post(rig, `/api/series/${failed.id}/move`, {
    project: '3010000.03',
    subject: 'sub-008',
    session: 'ses-mri03',
    reason: 'corrected at the console',
  });
  assert.equal(moved.status, 200, await moved.text());
  const there = await theSeries(rig, 'complete');
  assert.match(folderOf(there), /3010000\.03\/raw\/sub-008/);
  assert.equal((await verifyManifest(folderOf(there))).instances.length, 4);
  // looked at again, it stays so
  await door.send(await reconstructed(right[0] ?? '', join(rig.folder, 'again.dcm'), 7));
  const { series } = await seriesWhen(
    rig,
    ({ state }, { instances }) => state !== 'collecting' && state !== 'working' && instances.length === 5,
    'the next version is stored',
  );
  assert.equal(series.state, 'complete', JSON.stringify(series.legs));
});

test('versions: somebody decides that a corrected series stays where it is', async (t) => {
  const rig = await makeRig(t);
  const door = await startReceiver(t, rig);
  await rig.start();
  const before = await phantom(join(rig.folder, 'before'), { images: 2, studyId: 'ses-mri01' });
  await door.send(before.folder);
  await theSeries(rig, 'complete');
  await door.send(...(await corrected(before.files, join(rig.folder, 'after'), 'StudyID=ses-mri99')));
  const failed = await theSeries(rig, 'failed');
  assert.equal(legOf(failed, 'storage').failure?.code, 'ROUTE_CORRECTED');
  const stays = { project: '3010000.01', subject: 'sub-001', session: 'ses-mri01' };
  const released = await post(rig, `/api/series/${failed.id}/release`, stays);
  assert.equal(released.status, 200, await released.text());
  const series = await theSeries(rig, 'complete');
  assert.match(folderOf(series), /ses-mri01/);
  assert.equal((await verifyManifest(folderOf(series))).instances.length, 4);
});

test('versions: under a corrected Patient ID it is a series of its own, and each names the other', async (t) => {
  const rig = await makeRig(t);
  const door = await startReceiver(t, rig);
  await rig.start();
  const before = await phantom(join(rig.folder, 'before'), { images: 2 });
  await door.send(before.folder);
  await theSeries(rig, 'complete');
  await door.send(
    ...(await corrected(
      before.files,
      join(rig.folder, 'after'),
      'PatientID=3010000.01_sub-009',
      'PatientName=3010000.01_sub-009',
    )),
  );
  const [one, other] = await settled(rig, 2, ['complete']);
  assert.ok(one !== undefined && other !== undefined);
  assert.notEqual(folderOf(one), folderOf(other));
  for (const [series, twin] of [
    [one, other],
    [other, one],
  ] as const)
    assert.deepEqual(
      (await shown(rig, series.id)).sameUid.map(({ id }) => id),
      [twin.id],
    );
});

test('versions: with an Orthanc that overwrites, nothing is overwritten behind the receiver', async (t) => {
  const rig = await makeRig(t, { orthanc: { overwrite: true } });
  const door = await startReceiver(t, rig);
  const { files } = await phantom(join(rig.folder, 'a'), { images: 2 });
  const [file = ''] = files;
  await door.send(...files);
  for (const pixel of [2, 3, 3]) {
    await door.send(await reconstructed(file, join(rig.folder, `${pixel}.dcm`), pixel));
  }
  await rig.start();
  const { series } = await seriesWhen(
    rig,
    ({ state }, { instances }) => state === 'complete' && instances.length === 4,
    'all three are stored',
  );
  const pixels = Object.values(await pixelsOf(folderOf(series)));
  for (const pixel of [2, 3]) assert.equal(pixels.filter((one) => one === pixel).length, 1);
});

test('versions: what Orthanc no longer reports is found by a look at all that it has', async (t) => {
  const rig = await makeRig(t);
  const door = await startReceiver(t, rig);
  await rig.start();
  const { files } = await phantom(join(rig.folder, 'a'), { images: 2 });
  await door.send(...files);
  await theSeries(rig, 'complete');
  await rig.streamer().stop();
  await door.send(await reconstructed(files[0] ?? '', join(rig.folder, 'two.dcm'), 2));
  assert.equal((await rig.orthanc.request('/changes', { method: 'DELETE' })).status, 200);
  await rig.start();
  await seriesWhen(
    rig,
    ({ state }, { instances }) => state === 'complete' && instances.length === 3,
    'it is stored',
  );
  // and nothing is looked for again
  await rig.streamer().stop();
  await rig.start();
  await until(() => /"?reconciled"?.*"?due"?[=:]\s*0/.test(rig.streamer().output()), {
    what: 'nothing is due',
    timeoutMs: 60_000,
  });
  assert.equal((await settled(rig, 1)).length, 1);
});
