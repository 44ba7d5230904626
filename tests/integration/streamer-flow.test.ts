/** The streamer between a real Orthanc, a real disk and DCMTK's storescp. */
import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { dcmtk, startStorescp } from '@scanflow/testkit';
import { bookingRecord, makeRig, phantom, scratch, sendTo, settled } from './streamer-support.ts';
import { folderOf, recordOf, verifyForwarded, verifyStored } from './streamer-verify.ts';

/** What people see: the root's identity is hidden. */
const visibleIn = async (root: string): Promise<string[]> =>
  (await readdir(root)).filter((name) => !name.startsWith('.'));

test('streamer: a series is tagged, stored, verified and forwarded byte for byte', async (t) => {
  const scp = await startStorescp({ folder: await scratch(t), aet: 'PACS' });
  t.after(() => scp.stop());
  const rig = await makeRig(t, { destinations: { pacs: scp.port } });
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'mr'), { images: 12, seriesNumber: 3 });
  await sendTo(rig.orthanc, folder);
  const [series] = await settled(rig, 1);
  assert.equal(series?.state, 'complete', rig.streamer().output());
  assert.equal(folderOf(series), join(rig.root, '3010000.01/raw/sub-001/ses-mri01/003-phantom_mr'));
  assert.equal(await verifyStored(rig, series), 12);
  const record = await recordOf(folderOf(series));
  assert.ok(record.instances.every(({ tagged }) => tagged));
  assert.deepEqual(record.counts, { inOrthanc: 12, stored: 12, untagged: 0, failed: 0 });
  const dump = await dcmtk('dcmdump', [join(folderOf(series), record.instances[0]?.file ?? '')]);
  assert.match(dump.stdout, /\(0021,1\d10\) LO \[DICOM send\]/);
  assert.equal(await verifyForwarded([folderOf(series)], await scp.files()), 12);
  assert.equal((await rig.health()).status, 200);
  const metrics = await rig.metrics();
  assert.match(metrics, /scanflow_streamer_images_stored_total 12/);
  assert.match(metrics, /scanflow_streamer_images_forwarded_total\{target="pacs"\} 12/);
  assert.match(metrics, /scanflow_streamer_series\{state="complete"\} 1/);
  await rig.streamer().stop('SIGTERM', 9_000);
  assert.equal(await rig.streamer().ended, 0);
  assert.doesNotMatch(rig.streamer().output(), /sub-001|3010000/, 'a label stands in the log');
});

test('streamer: the booking of the accession number gives the labels, then that of the Study UID', async (t) => {
  const rig = await makeRig(t);
  const byAccession = bookingRecord({ accessionNumber: 'ACC0000000000001' });
  const byStudy = bookingRecord({
    accessionNumber: 'ACC0000000000002',
    labels: { project: '3010000.03', subject: 'sub-008', session: 'ses-mri03' },
  });
  await rig.book(byAccession);
  await rig.book(byStudy);
  await rig.start();
  const first = await phantom(join(rig.folder, 'a'), {
    images: 2,
    accession: 'ACC0000000000001',
    patientId: '3010000.02_sub-007',
  });
  const second = await phantom(join(rig.folder, 'b'), {
    images: 2,
    accession: 'OTHERSYSTEM',
    studyInstanceUid: byStudy.studyInstanceUid,
    // a number of another system
    patientId: '7654321',
  });
  await sendTo(rig.orthanc, first.folder, second.folder);
  const all = await settled(rig, 2);
  const folders = all.map((series) => relative(rig.root, folderOf(series))).sort();
  assert.deepEqual(folders, [
    '3010000.02/raw/sub-007/ses-mri02/001-phantom_mr',
    '3010000.03/raw/sub-008/ses-mri03/001-phantom_mr',
  ]);
  for (const series of all) assert.equal(await verifyStored(rig, series), 2);
});

test('streamer: an accession number that is a path finds no file', async (t) => {
  const rig = await makeRig(t);
  await writeFile(
    join(rig.folder, 'data', 'evil.json'),
    JSON.stringify(bookingRecord({ accessionNumber: '../evil' })),
  );
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'a'), {
    images: 1,
    accession: '../evil',
    patientId: 'nobody',
  });
  await sendTo(rig.orthanc, folder);
  const [series] = await settled(rig, 1);
  assert.equal(series?.state, 'quarantined');
  assert.equal(series.reasonCode, 'ROUTE_NO_MATCH');
});

test('streamer: a quarantined series is stored when its booking appears', async (t) => {
  const rig = await makeRig(t);
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'a'), {
    images: 3,
    accession: 'LATE000000000001',
    patientId: 'typed by hand',
  });
  await sendTo(rig.orthanc, folder);
  const [waiting] = await settled(rig, 1);
  assert.equal(waiting?.state, 'quarantined');
  assert.deepEqual(await visibleIn(rig.root), [], 'something was stored');
  await rig.book(bookingRecord({ accessionNumber: 'LATE000000000001' }));
  const [series] = await settled(rig, 1, ['complete']);
  assert.ok(series !== undefined);
  assert.equal(await verifyStored(rig, series), 3);
  assert.equal(series.reasonCode, undefined);
});

test('streamer: late images are added, duplicates change nothing', async (t) => {
  const scp = await startStorescp({ folder: await scratch(t), aet: 'PACS', extra: ['+uf'] });
  t.after(() => scp.stop());
  const rig = await makeRig(t, { destinations: { pacs: scp.port } });
  await rig.start();
  const { files } = await phantom(join(rig.folder, 'a'), { images: 10 });
  await sendTo(rig.orthanc, ...files.slice(0, 6));
  const [first] = await settled(rig, 1, ['complete']);
  assert.ok(first !== undefined);
  assert.equal(await verifyStored(rig, first), 6);
  const before = await recordOf(folderOf(first));

  // all ten: six are repeats
  await sendTo(rig.orthanc, ...files);
  const [second] = await settled(rig, 1, ['complete']);
  assert.ok(second !== undefined);
  assert.equal(await verifyStored(rig, second), 10);
  const after = await recordOf(folderOf(second));
  assert.deepEqual(after.instances.slice(0, 6), before.instances, 'the first six were touched');
  assert.deepEqual([...new Set(after.instances.slice(6).map(({ increment }) => increment))], [2]);
  // +uf gives each reception a name of its own: ten files are ten receptions
  assert.equal(await verifyForwarded([folderOf(second)], await scp.files()), 10);
  assert.equal(second.legs.find(({ target }) => target === 'pacs')?.done, 10);
});

test('streamer: the same SOP Instance UID with other bytes is kept beside the first', async (t) => {
  const rig = await makeRig(t, { orthanc: { overwrite: true } });
  await rig.start();
  const { files } = await phantom(join(rig.folder, 'a'), { images: 2 });
  await sendTo(rig.orthanc, ...files);
  const [first] = await settled(rig, 1, ['complete']);
  assert.ok(first !== undefined);
  const [changed = ''] = files;
  assert.equal((await dcmtk('dcmodify', ['-nb', '-i', '(0020,4000)=other', changed])).code, 0);
  await sendTo(rig.orthanc, changed);
  const [series] = await settled(rig, 1, ['complete']);
  assert.ok(series !== undefined);
  assert.equal(await verifyStored(rig, series), 3);
  const { instances } = await recordOf(folderOf(series));
  const other = instances.find(({ differsFrom }) => differsFrom !== undefined);
  assert.equal(other?.increment, 2);
  assert.equal(
    other.sopInstanceUid,
    instances.find(({ file }) => file === other.differsFrom)?.sopInstanceUid,
  );
});

test('streamer: two series with one folder by their attributes keep apart', async (t) => {
  const rig = await makeRig(t, { layout: '{project}/{subject}/{SOPInstanceUID}.dcm' });
  await rig.start();
  const a = await phantom(join(rig.folder, 'a'), { images: 4, seriesNumber: 1 });
  const b = await phantom(join(rig.folder, 'b'), { images: 4, seriesNumber: 2 });
  await sendTo(rig.orthanc, a.folder, b.folder);
  const all = await settled(rig, 2, ['complete']);
  const folders = all
    .map(folderOf)
    .map((folder) => relative(rig.root, folder))
    .sort();
  assert.equal(folders[0], '3010000.01/sub-001');
  assert.match(folders[1] ?? '', /^3010000\.01\/sub-001_[0-9a-f]{8}$/);
  for (const series of all) assert.equal(await verifyStored(rig, series), 4);
});

test('streamer: hostile descriptions stay within the root', async (t) => {
  const rig = await makeRig(t);
  const hostile = [
    '../../x',
    '$(touch /tmp/x)',
    '漢'.repeat(85),
    '/etc/passwd',
    '. .',
    'CON',
    "a'; rm -rf b",
  ];
  await rig.start();
  for (const [index, seriesDescription] of hostile.entries()) {
    const { folder } = await phantom(join(rig.folder, `h${index}`), {
      images: 1,
      seriesNumber: index + 1,
      seriesDescription,
      characterSet: 'ISO_IR 192',
    });
    await sendTo(rig.orthanc, folder);
  }
  const all = await settled(rig, hostile.length, ['complete']);
  const names = all.map((series) => relative(rig.root, folderOf(series))).sort();
  assert.deepEqual(names, [
    '3010000.01/raw/sub-001/ses-mri01/001-x',
    '3010000.01/raw/sub-001/ses-mri01/002-touch_tmp_x',
    `3010000.01/raw/sub-001/ses-mri01/003-${'漢'.repeat(33)}`,
    '3010000.01/raw/sub-001/ses-mri01/004-etc_passwd',
    '3010000.01/raw/sub-001/ses-mri01/005-none',
    '3010000.01/raw/sub-001/ses-mri01/006-CON',
    '3010000.01/raw/sub-001/ses-mri01/007-a_rm_-rf_b',
  ]);
  for (const series of all) assert.equal(await verifyStored(rig, series), 1);
  assert.deepEqual(await visibleIn(rig.root), ['3010000.01']);
});

test('streamer: series without a project have a layout of their own where configured', async (t) => {
  const rig = await makeRig(t, { unmatched: 'unmatched/{PatientID}/{SeriesNumber:3}/{SOPInstanceUID}.dcm' });
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'a'), { images: 2, patientId: 'nobody/knows' });
  await sendTo(rig.orthanc, folder);
  const [series] = await settled(rig, 1, ['complete']);
  assert.ok(series !== undefined);
  assert.equal(relative(rig.root, folderOf(series)), 'unmatched/nobody_knows/001');
  assert.equal(await verifyStored(rig, series), 2);
});

test('streamer: a second one on the same ledger does not start', async (t) => {
  const rig = await makeRig(t);
  const first = await rig.start();
  await settled(rig, 0);
  const second = await rig.start();
  assert.equal(await second.ended, 1);
  assert.match(second.output(), /LEDGER_IN_USE/);
  assert.equal(first.exited(), false);
  await first.stop();
});

test('streamer: the report is there as CSV', async (t) => {
  const rig = await makeRig(t);
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'a'), { images: 2, accession: '=1+1' });
  await sendTo(rig.orthanc, folder);
  await settled(rig, 1, ['complete']);
  const csv = await rig.csv();
  assert.match(csv, /^accession,series_number,modality,state,/);
  assert.match(csv, /\r\n'=1\+1,1,MR,complete,2,2,0,storage,done,2,2,,0\r\n$/);
});
