/** Images go to the right project, or nowhere: identifiers that contradict each other, weak signs, and who sent them. */
import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { run, until } from '@scanflow/testkit';
import { bookingRecord, makeRig, phantom, sendTo, settled, type Rig } from './streamer-support.ts';
import { folderOf, verifyStored } from './streamer-verify.ts';

const SCANFLOW = join(import.meta.dirname, '../../services/cli/bin/scanflow');
const A = bookingRecord({
  accessionNumber: 'AAAAAAAAAAAAAAA1',
  labels: { project: '3010000.01', subject: 'sub-001', session: 'ses-mri01' },
  patientId: '3010000.01_sub-001',
  patientName: '3010000.01_sub-001',
});
const B = bookingRecord({ accessionNumber: 'BBBBBBBBBBBBBBB2' });
const ofA = { patientId: A.patientId, patientName: A.patientName, studyId: 'ses-mri01' };
const ofB = { patientId: B.patientId, patientName: B.patientName, studyId: 'ses-mri02' };
const items = {
  a: { accession: A.accessionNumber, studyInstanceUid: A.studyInstanceUid },
  b: { accession: B.accessionNumber, studyInstanceUid: B.studyInstanceUid },
  none: { studyInstanceUid: A.studyInstanceUid },
};

/** The ledger alone: what says which Scanflow this is stays. */
async function loseLedger(rig: Rig): Promise<void> {
  for (const end of ['', '-wal', '-shm'])
    await rm(join(rig.data, 'streamer', `ledger.sqlite${end}`), { force: true });
}

const show = async (rig: Rig, id: string): Promise<string> =>
  (await run(SCANFLOW, ['series', 'show', id, '--config', rig.configFile])).stdout;

test('routing: the wrong item, corrected at the console: quarantined, with both values and where they come from', async (t) => {
  const rig = await makeRig(t);
  await rig.book(A);
  await rig.book(B);
  await rig.start();
  const wrong = [
    { ...items.a, ...ofB },
    { ...items.b, ...ofA },
    { ...items.none, ...ofB },
  ];
  for (const [index, options] of wrong.entries()) {
    const { folder } = await phantom(join(rig.folder, `wrong${index}`), {
      images: 1,
      seriesNumber: index + 1,
      ...options,
    });
    await sendTo(rig.orthanc, folder);
  }
  const right = await phantom(join(rig.folder, 'right'), { images: 2, seriesNumber: 9, ...items.a, ...ofA });
  await sendTo(rig.orthanc, right.folder);
  const all = await settled(rig, 4, ['complete', 'quarantined']);
  const stored = all.filter(({ state }) => state === 'complete');
  assert.deepEqual(
    stored.map((one) => relative(rig.root, folderOf(one))),
    ['3010000.01/raw/sub-001/ses-mri01/009-phantom_mr'],
  );
  assert.equal(await verifyStored(rig, stored[0]!), 2);
  const quarantined = all.filter(({ state }) => state === 'quarantined');
  assert.deepEqual(
    quarantined.map(({ reasonCode }) => reasonCode),
    Array.from({ length: 3 }, () => 'ROUTE_CONTRADICTION'),
  );
  assert.deepEqual(
    (await readdir(rig.root)).filter((name) => !name.startsWith('.')),
    ['3010000.01'],
  );
  const pages = await Promise.all(quarantined.map(({ id }) => show(rig, id)));
  const page = pages.find((text) => /AccessionNumber: AAAA/.test(text)) ?? '';
  assert.match(page, /PatientID “3010000\.02_sub-007” reads as 3010000\.02 sub-007 ses-mri02/);
  assert.match(page, /AccessionNumber AAAAAAAAAAAAAAA1 is the booking of 3010000\.01 sub-001 ses-mri01/);
  assert.match(page, /PatientID: 3010000\.02_sub-007/);
  assert.doesNotMatch(rig.streamer().output(), /sub-007|sub-001|3010000/, 'a label stands in the log');
});

test('routing: weak signs are shown, and quarantine by configuration, kind by kind', async (t) => {
  const arrivals = { quiet: '500ms', poll: '100ms', doubts: { time: 'quarantine' } };
  const rig = await makeRig(t, { extra: { arrivals } });
  await rig.book(A);
  await rig.start();
  const own = await phantom(join(rig.folder, 'own'), {
    images: 1,
    accession: A.accessionNumber,
    ...ofA,
    patientName: '3010000.01 SUB001',
  });
  await sendTo(rig.orthanc, own.folder);
  const [stored] = await settled(rig, 1, ['complete']);
  const { series } = (await (await rig.api(`/api/series/${stored!.id}`)).json()) as {
    series: { doubts: { kind: string }[] };
  };
  assert.deepEqual(
    series.doubts.map(({ kind }) => kind),
    ['spelling', 'study'],
  );
  const record = JSON.parse(await readFile(join(folderOf(stored!), 'series.json'), 'utf8')) as {
    doubts: object;
    attributes: Record<string, string>;
  };
  assert.deepEqual(record.doubts, series.doubts);
  assert.equal(record.attributes['PatientName'], undefined);
  assert.match(await show(rig, stored!.id), /^doubt +study: StudyInstanceUID/m);
  const late = await phantom(join(rig.folder, 'late'), {
    images: 1,
    seriesNumber: 2,
    ...items.a,
    ...ofA,
    when: Temporal.ZonedDateTime.from('2026-11-25T10:00[Europe/Amsterdam]'),
  });
  await sendTo(rig.orthanc, late.folder);
  const all = await settled(rig, 2, ['complete', 'quarantined']);
  assert.deepEqual(all.map(({ state, reasonCode }) => [state, reasonCode]).sort(), [
    ['complete', undefined],
    ['quarantined', 'ROUTE_DOUBT'],
  ]);
});

test('routing: what was stored before is not judged again, with late images and with a new ledger', async (t) => {
  const rig = await makeRig(t);
  await rig.book(A);
  await rig.start();
  const { files } = await phantom(join(rig.folder, 'a'), { images: 3, ...items.a, ...ofA });
  await sendTo(rig.orthanc, ...files.slice(1));
  await settled(rig, 1, ['complete']);
  // the booking's patient is another by now: what is stored would contradict it
  await rig.book({ ...A, patientId: B.patientId, patientName: B.patientName, labels: A.labels });
  await rig.book({
    ...B,
    accessionNumber: 'CCCCCCCCCCCCCCC3',
    patientId: A.patientId,
    patientName: A.patientName,
  });
  await rig.streamer().stop();
  await loseLedger(rig);
  await rig.start();
  await sendTo(rig.orthanc, files[0]!);
  const stored = await until(
    async () => {
      const [one] = await settled(rig, 1, ['complete']);
      return one?.images.stored === 3 ? one : undefined;
    },
    { what: 'the late image is stored', timeoutMs: 30_000 },
  );
  assert.equal(relative(rig.root, folderOf(stored)), '3010000.01/raw/sub-001/ses-mri01/001-phantom_mr');
});

test('routing: images of an unknown AE title go nowhere, by booking and by patterns; its name and address are known', async (t) => {
  const rig = await makeRig(t, {
    extra: {
      scanners: { prisma: { aet: 'PRISMA', modality: 'MR', sends: ['PRISMA_STORE'] } },
      arrivals: { quiet: '500ms', poll: '100ms', from: 'scanners' },
    },
  });
  await rig.book(A);
  await rig.start();
  const send = async (name: string, aet: string, options: object): Promise<void> => {
    const { files } = await phantom(join(rig.folder, name), { images: 1, ...options });
    const port = String(rig.orthanc.dicomPort);
    const sent = await run('storescu', ['-aet', aet, '-aec', 'WHATEVER', '127.0.0.1', port, ...files]);
    assert.equal(sent.code, 0, sent.stderr);
  };
  await send('nobody', 'NOBODY', { patientId: '3010000.99_sub-666', studyId: 'ses-x1' });
  await send('booked', 'NOBODY', { seriesNumber: 2, ...items.a, ...ofA });
  await send('known', 'PRISMA_STORE', { seriesNumber: 3, ...items.a, ...ofA });
  const { files } = await phantom(join(rig.folder, 'http'), { images: 1, seriesNumber: 4 });
  await rig.orthanc.upload(await readFile(files[0]!));
  const all = await settled(rig, 4, ['complete', 'quarantined']);
  assert.deepEqual(all.map(({ reasonCode }) => reasonCode ?? 'stored').sort(), [
    'ROUTE_UNKNOWN_SENDER',
    'ROUTE_UNKNOWN_SENDER',
    'stored',
    'stored',
  ]);
  assert.deepEqual(
    (await readdir(rig.root)).filter((name) => !name.startsWith('.')),
    ['3010000.01'],
  );
  const { senders } = (await (await rig.api('/api/senders')).json()) as {
    senders: { aet: string; called: string; address: string; admitted: boolean }[];
  };
  assert.deepEqual(
    senders.map(({ aet, called, address, admitted }) => [aet, called, address, admitted]).sort(),
    [
      ['NOBODY', 'WHATEVER', '127.0.0.1', false],
      ['PRISMA_STORE', 'WHATEVER', '127.0.0.1', true],
    ],
  );
});

test('routing: who sent a series is believed from what received it before Orthanc did', async (t) => {
  const rig = await makeRig(t, {
    extra: { arrivals: { quiet: '1500ms', poll: '100ms', from: 'scanners' } },
  });
  await rig.start();
  const { files } = await phantom(join(rig.folder, 'a'), { images: 1 });
  await rig.orthanc.upload(await readFile(files[0]!));
  const [id = ''] = (await rig.orthanc.get('/series')) as string[];
  await rig.orthanc.request(`/series/${id}/metadata/5101`, {
    method: 'PUT',
    body: JSON.stringify({ aet: 'NOBODY', called: 'SCANFLOW', address: '10.0.0.7' }),
  });
  const [series] = await settled(rig, 1, ['complete', 'quarantined']);
  assert.equal(series?.reasonCode, 'ROUTE_UNKNOWN_SENDER');
  assert.match(await show(rig, id), /AE title NOBODY \(address 10\.0\.0\.7, calling SCANFLOW\)/);
  // a note on the image comes before that on its series
  const [instance = ''] = ((await rig.orthanc.get(`/series/${id}`)) as { Instances: string[] }).Instances;
  await rig.orthanc.request(`/instances/${instance}/metadata/5101`, {
    method: 'PUT',
    body: JSON.stringify({ aet: 'PRISMA', called: 'SCANFLOW', address: '10.0.0.8' }),
  });
  await rig.streamer().stop();
  await loseLedger(rig);
  await rig.start();
  const [stored] = await settled(rig, 1, ['complete']);
  const record = JSON.parse(await readFile(join(folderOf(stored!), 'series.json'), 'utf8')) as {
    provenance: { increments: { from: string; address: string; uploaded?: boolean }[] };
  };
  const [{ from, address, uploaded } = { from: '', address: '' }] = record.provenance.increments;
  assert.deepEqual([from, address, uploaded], ['PRISMA', '10.0.0.8', undefined]);
});

test('routing: check --against lists what stricter rules would have quarantined, and changes nothing', async (t) => {
  const rig = await makeRig(t);
  await rig.book(A);
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'a'), {
    images: 1,
    accession: A.accessionNumber,
    ...ofA,
  });
  await sendTo(rig.orthanc, folder);
  const [stored] = await settled(rig, 1, ['complete']);
  const check = (file: string, ...more: string[]) =>
    run(SCANFLOW, ['check', file, '--against', '90d', ...more]);
  const now = await check(rig.configFile);
  assert.match(now.stdout, /^0 would be quarantined; 1 stored series were looked at/m, now.stderr);
  // another sender's name, and a study of the scanner's own
  const config = JSON.parse(await readFile(rig.configFile, 'utf8')) as Record<string, object>;
  const strict = join(rig.folder, 'strict.yaml');
  const stricter = {
    ...config,
    arrivals: { ...config['arrivals'], from: ['PRISMA'], doubts: { study: 'quarantine' } },
  };
  await writeFile(strict, JSON.stringify(stricter));
  const found = await check(strict);
  assert.equal(found.code, 0, found.stderr);
  assert.match(
    found.stdout,
    new RegExp(`^${stored!.id.slice(0, 8)}  3010000\\.01/raw/\\S+\\n +ROUTE_UNKNOWN_SENDER: `, 'm'),
  );
  assert.match(found.stdout, /^1 would be quarantined/m);
  assert.deepEqual(
    (await rig.series()).map(({ state }) => state),
    ['complete'],
  );
});
