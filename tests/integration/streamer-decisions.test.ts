/** What a person decided of a series stays decided, whichever of ledger, Orthanc and storage is lost or old. */
import assert from 'node:assert/strict';
import { cp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { findPostgres, startPostgres, until } from '@scanflow/testkit';
import {
  bookingRecord,
  makeRig,
  phantom,
  sendTo,
  settled,
  type Rig,
  type Series,
} from './streamer-support.ts';
import { folderOf, verifyStored } from './streamer-verify.ts';

const ACCESSION = 'AAAAAAAAAAAAAAA1';
const LABELS = { project: '3010000.55', subject: 'sub-100', session: 'ses-1' };
const RELEASED = '3010000.55/raw/sub-100/ses-1/001-phantom_mr';

const change = (rig: Rig, series: Series | undefined, action: string, body: object): Promise<Response> =>
  rig.api(`/api/series/${series?.id ?? ''}/${action}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ by: 'anna', ...body }),
  });

/** Folders that hold images, below the root. */
async function folders(rig: Rig): Promise<string[]> {
  const files = await readdir(rig.root, { recursive: true });
  return [...new Set(files.filter((file) => file.endsWith('.dcm')).map((file) => join(file, '..')))].sort();
}

const stored = (rig: Rig): Promise<Series[]> =>
  until(
    async () => {
      const all = await settled(rig, 1);
      return all[0]?.legs[0]?.path !== undefined && relative(rig.root, folderOf(all[0])) === RELEASED
        ? all
        : undefined;
    },
    { what: 'it is stored where a person wants it', timeoutMs: 30_000 },
  );

/** Stored by its booking, its folder taken away, released to another project. */
async function released(rig: Rig): Promise<Series[]> {
  await rig.book(bookingRecord({ accessionNumber: ACCESSION }));
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'a'), {
    images: 3,
    accession: ACCESSION,
    patientId: '3010000.02_sub-007',
    studyId: 'ses-mri02',
  });
  await sendTo(rig.orthanc, folder);
  const [series] = await settled(rig, 1, ['complete']);
  assert.ok(series !== undefined);
  await rename(folderOf(series), join(rig.folder, 'moved-away'));
  assert.equal((await change(rig, series, 'release', LABELS)).status, 200);
  return stored(rig);
}

/** The ledger alone: what says which Scanflow this is stays. */
async function loseLedger(rig: Rig): Promise<void> {
  for (const end of ['', '-wal', '-shm'])
    await rm(join(rig.data, 'streamer', `ledger.sqlite${end}`), { force: true });
}

test('decisions: a ledger that is lost does not undo what a person released', async (t) => {
  const rig = await makeRig(t);
  await released(rig);
  await rig.streamer().stop();
  await loseLedger(rig);
  await rig.start();
  const [again] = await stored(rig);
  assert.deepEqual(await folders(rig), [RELEASED]);
  assert.equal(await verifyStored(rig, again!), 3);
  const record = JSON.parse(await readFile(join(folderOf(again!), 'series.json'), 'utf8')) as {
    routedBy: string;
    decision: { by: string; labels: object };
  };
  assert.deepEqual([record.routedBy, record.decision.by, record.decision.labels], ['person', 'anna', LABELS]);
});

test('decisions: Orthanc alone tells, and project storage alone tells', async (t) => {
  const rig = await makeRig(t);
  const [series] = await released(rig);
  await rig.streamer().stop();
  await loseLedger(rig);
  await rm(join(rig.root, '.scanflow'), { recursive: true });
  await rig.start();
  await stored(rig);
  await rig.streamer().stop();
  await loseLedger(rig);
  // all that Orthanc has is lost, and the images are sent again
  await rig.orthanc.request(`/series/${series?.id ?? ''}`, { method: 'DELETE' });
  await rig.start();
  await sendTo(rig.orthanc, join(rig.folder, 'a'));
  await stored(rig);
  assert.deepEqual(await folders(rig), [RELEASED]);
});

const skip = findPostgres() === undefined ? 'PostgreSQL is not installed' : false;
test('decisions: the change from SQLite to PostgreSQL keeps them', { skip }, async (t) => {
  const server = await startPostgres();
  t.after(() => server.stop());
  const rig = await makeRig(t);
  await released(rig);
  await rig.streamer().stop();
  const config = JSON.parse(await readFile(rig.configFile, 'utf8')) as object;
  const ledger = { url: server.url, passwordFile: server.passwordFile };
  await writeFile(rig.configFile, JSON.stringify({ ...config, ledger }));
  await rig.start();
  const [series] = await stored(rig);
  assert.equal(await verifyStored(rig, series!), 3);
  assert.deepEqual(await folders(rig), [RELEASED]);
});

test('decisions: an older ledger that is restored knows less than Orthanc and storage, and is believed less', async (t) => {
  const rig = await makeRig(t);
  await rig.book(bookingRecord({ accessionNumber: ACCESSION }));
  await rig.start();
  const options = { accession: ACCESSION, patientId: '3010000.02_sub-007', studyId: 'ses-mri02' };
  const { files } = await phantom(join(rig.folder, 'a'), { images: 4, ...options });
  await sendTo(rig.orthanc, ...files.slice(0, 3));
  const [series] = await settled(rig, 1, ['complete']);
  await rig.streamer().stop();
  const ledger = join(rig.data, 'streamer');
  await cp(ledger, `${ledger}-backup`, { recursive: true });
  await rig.start();
  await settled(rig, 1, ['complete']);
  assert.equal((await change(rig, series, 'move', { ...LABELS, reason: 'wrong item' })).status, 200);
  await stored(rig);
  await rig.streamer().stop();
  await rm(ledger, { recursive: true });
  await rename(`${ledger}-backup`, ledger);
  await rig.start();
  // a late image makes it look
  await sendTo(rig.orthanc, files[3]!);
  const [late] = await stored(rig);
  assert.equal(await verifyStored(rig, late!), 4);
  assert.deepEqual(await folders(rig), [RELEASED]);
});

for (const at of ['decision-noted', 'decision-kept', 'folder-claimed', 'record-written'])
  test(`decisions: killed at ${at}, with the ledger lost on top or not, a release holds`, async (t) => {
    const rig = await makeRig(t);
    // released by the API, whose own notes are what is killed first
    const doomed = await rig.start({ at });
    const { folder } = await phantom(join(rig.folder, 'a'), { images: 3, patientId: 'typed by hand' });
    await sendTo(rig.orthanc, folder);
    const [waiting] = await settled(rig, 1, ['quarantined']);
    await change(rig, waiting, 'release', LABELS).catch(() => undefined);
    await until(() => doomed.exited(), { what: `the streamer dies at ${at}`, timeoutMs: 60_000 });
    if (at !== 'decision-noted') await loseLedger(rig);
    await rig.start();
    const [series] = await stored(rig);
    assert.equal(await verifyStored(rig, series!), 3);
    assert.deepEqual(await folders(rig), [RELEASED]);
  });

test('decisions: labels are held to the rules for bookings', async (t) => {
  const rig = await makeRig(t);
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'a'), { images: 1, patientId: 'typed by hand' });
  await sendTo(rig.orthanc, folder);
  const [waiting] = await settled(rig, 1, ['quarantined']);
  const refused = await change(rig, waiting, 'release', { ...LABELS, subject: 'anna test' });
  assert.equal(refused.status, 400);
  assert.match(await refused.text(), /must be a code with a digit and without spaces/);
});
