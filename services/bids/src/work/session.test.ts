/** Stored sessions of phantoms become BIDS, with the real dcm2niix and validator. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { bidsRig, OPTIONS, planByTable, storeSession } from '../../../../tests/integration/bids-support.ts';
import { listFiles } from './files.ts';
import { readNiftiHeader } from './check.ts';
import { bidsSession } from './session.ts';
import { validateDataset } from './validate.ts';
import type { Outcome, SessionOptions, SessionRequest } from './types.ts';

const run = (request: SessionRequest, options: Partial<SessionOptions> = {}): Promise<Outcome> =>
  bidsSession(request, { ...OPTIONS, ...options }, AbortSignal.timeout(120_000));

/** Every file of the dataset but locks, with the hash of its bytes. */
async function bytesOf(dataset: string): Promise<Record<string, string>> {
  const names = (await listFiles(dataset)).filter((name) => !name.startsWith('.scanflow/locks/'));
  const hashes = await Promise.all(
    names.map(async (name) => [
      name,
      createHash('sha256')
        .update(await readFile(join(dataset, name)))
        .digest('hex'),
    ]),
  );
  return Object.fromEntries(hashes) as Record<string, string>;
}

const json = async (path: string): Promise<Record<string, unknown>> =>
  JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;

const SESSION = 'sub-001/ses-mr01';
const START = `${SESSION}/func/sub-001_ses-mr01_task-rest`;

test('a session of every kind of image becomes a valid dataset, and running again gives the same bytes', async (t) => {
  const rig = await bidsRig(t);
  const outcome = await run(rig.request, { description: { Authors: ['A. Nobody'] } });
  assert.equal(outcome.state, 'published');
  assert.deepEqual(outcome.verdict?.errors, []);
  assert.equal(outcome.verdict.verdict, 'valid');
  assert.match(outcome.verdict.validator, /^bids-validator 1\.15\.0$/);
  assert.deepEqual(outcome.counts, { series: 13, converted: 9, failed: 0, left: 4, files: 26, images: 74 });

  const names = await listFiles(join(rig.dataset, SESSION));
  assert.equal(names.filter((name) => name.endsWith('.nii.gz')).length, 12);
  const bold = gunzipSync(await readFile(join(rig.dataset, `${START}_bold.nii.gz`)));
  assert.deepEqual(readNiftiHeader(bold)?.size, [32, 32, 9, 6]);
  const bvals = await readFile(join(rig.dataset, SESSION, 'dwi/sub-001_ses-mr01_dir-AP_dwi.bval'), 'utf8');
  assert.equal(bvals.trim(), '0 1000 1000 1000 0 2000 2000 2000');

  const sidecar = await json(join(rig.dataset, `${START}_bold.json`));
  assert.equal(sidecar['TaskName'], 'rest');
  assert.equal(sidecar['ConversionSoftware'], 'dcm2niix');
  assert.match(String(sidecar['ConversionSoftwareVersion']), /^v1\.0\./);
  for (const name of ['PatientName', 'PatientID', 'DeviceSerialNumber', 'AcquisitionDateTime'])
    assert.equal(sidecar[name], undefined, name);
  assert.deepEqual(Object.keys(sidecar), Object.keys(sidecar).sort());

  const scans = await readFile(join(rig.dataset, SESSION, 'sub-001_ses-mr01_scans.tsv'), 'utf8');
  assert.equal(scans.split('\n')[0], 'filename\tacq_time');
  assert.match(scans, /^func\/sub-001_ses-mr01_task-rest_bold\.nii\.gz\t2026-11-30T10:08:00\.000000$/m);
  const description = await json(join(rig.dataset, 'dataset_description.json'));
  assert.deepEqual(
    (description['GeneratedBy'] as { Name: string }[]).map(({ Name }) => Name),
    ['Scanflow', 'dcm2niix'],
  );
  const before = await bytesOf(rig.dataset);
  const again = await run(rig.request, { description: { Authors: ['A. Nobody'] } });
  assert.equal(again.state, 'unchanged');
  assert.deepEqual(await bytesOf(rig.dataset), before);
  assert.equal((await validateDataset(rig.dataset, OPTIONS.validator, t.signal)).verdict, 'valid');

  // whoever asks may name the series in any order
  const turned = { ...rig.request, series: rig.request.series.toReversed() };
  assert.equal((await run(turned, { description: { Authors: ['A. Nobody'] } })).state, 'unchanged');
  assert.deepEqual(await bytesOf(rig.dataset), before);

  // from nothing: another folder, the same bytes
  const other = join(rig.root, 'other');
  await run({ ...rig.request, datasetRoot: other }, { description: { Authors: ['A. Nobody'] } });
  assert.deepEqual(await bytesOf(other), before);
});

test('every image is in the provenance by its SOP Instance UID, with series, rule and hash', async (t) => {
  const rig = await bidsRig(t, { series: ['t1w', 'bold aborted', 'bold', 'unknown'] });
  await run(rig.request);
  const record = await json(join(rig.dataset, '.scanflow/sub-001_ses-mr01.json'));
  const series = record['series'] as {
    id: string;
    decision: string;
    sopInstanceUids: string[];
    files: { path: string; sha256: string }[];
  }[];
  assert.deepEqual(
    series.map(({ id, decision, sopInstanceUids }) => [id, decision, sopInstanceUids.length]),
    [
      ['t1w', 'convert', 16],
      ['bold aborted', 'aborted', 3],
      ['bold', 'convert', 6],
      ['unknown', 'unknown', 8],
    ],
  );
  assert.equal(new Set(series.flatMap(({ sopInstanceUids }) => sopInstanceUids)).size, 33);
  const hashes = await bytesOf(rig.dataset);
  for (const { path, sha256 } of series.flatMap(({ files }) => files))
    assert.equal(hashes[path], sha256, path);
  assert.equal(record['accessionNumber'], 'A-sub-001-ses-mr01');
});

test('a dataset that is wrong does not become one: it is kept aside, and the verdict says why', async (t) => {
  const rig = await bidsRig(t, { series: ['t1w', 'bold'] });
  const plan: SessionOptions['plan'] = (facts) => planByTable(facts, { metadata: () => ({}) });
  const outcome = await run(rig.request, { plan });
  assert.equal(outcome.state, 'kept aside');
  assert.equal(outcome.verdict?.verdict, 'invalid');
  assert.deepEqual(
    outcome.verdict.errors.map(({ code, count }) => [code, count]),
    [['TASK_NAME_MUST_DEFINE', 1]],
  );
  assert.deepEqual(outcome.verdict.errors[0]?.files, [`${START}_bold.nii.gz`]);
  await assert.rejects(stat(join(rig.dataset, SESSION)), { code: 'ENOENT' });
  assert.equal((await listFiles(join(rig.dataset, '.scanflow/invalid/sub-001_ses-mr01'))).length, 5);

  // the facility wants it all the same
  const wanted = await run(rig.request, { plan, publishInvalid: true });
  assert.deepEqual([wanted.state, wanted.verdict?.verdict], ['published', 'invalid']);
  assert.equal((await validateDataset(rig.dataset, OPTIONS.validator, t.signal)).verdict, 'invalid');

  // mended rules
  assert.equal((await run(rig.request)).state, 'published');
  assert.equal((await validateDataset(rig.dataset, OPTIONS.validator, t.signal)).verdict, 'valid');
});

test('files of people stay: added, changed, and columns of tables', async (t) => {
  const rig = await bidsRig(t, { series: ['t1w', 'bold'] });
  const at = (name: string): string => join(rig.dataset, name);
  await mkdir(rig.dataset);
  await writeFile(at('participants.tsv'), '\ufeffage\tparticipant_id\r\n41\tsub-900\r\n');
  await writeFile(at('README.md'), 'Ours, and nobody writes into it. '.repeat(8));
  await mkdir(at('sub-900/anat'), { recursive: true });
  await run(rig.request);
  const participants = '\ufeffage\tparticipant_id\r\n41\tsub-900\r\nn/a\tsub-001\r\n';
  assert.equal(await readFile(at('participants.tsv'), 'utf8'), participants);
  assert.ok(!(await readdir(rig.dataset)).includes('README'));

  const scans = `${SESSION}/sub-001_ses-mr01_scans.tsv`;
  const theirs = {
    [`${START}_events.tsv`]: 'onset\tduration\n1\t2\n',
    [`${START}_bold.json`]: '{ "TaskName": "rest", "RepetitionTime": 1, "Mine": true }',
    'dataset_description.json': '{ "Name": "Mine", "BIDSVersion": "1.10.0" }',
    CHANGES: '1.0.1 2026-12-01\n  - Mine\n',
    [scans]: (await readFile(at(scans), 'utf8')).replaceAll(
      /^(.*?)\t(.*)$/gm,
      (_, name: string) =>
        `${name}\t${name === 'filename' ? 'acq_time\tquality' : '1876-01-01T00:00:00\tgood'}`,
    ),
  };
  for (const [name, text] of Object.entries(theirs)) await writeFile(at(name), text);
  const storageRoot = rig.request.storageRoot;
  const late = await storeSession({
    ...{ storageRoot, dataset: rig.dataset, subject: 'sub-001', session: 'ses-mr01' },
    series: ['t1w', 'bold', 'late t2w'],
  });
  const outcome = await run(late);
  assert.equal(outcome.state, 'published');
  for (const [name, text] of Object.entries(theirs))
    if (name !== scans) assert.equal(await readFile(at(name), 'utf8'), text, name);
  assert.deepEqual(outcome.kept, [
    {
      path: `${START}_bold.json`,
      why: 'changed',
      ours: '.scanflow/conflicts/sub-001_ses-mr01/func/sub-001_ses-mr01_task-rest_bold.json',
    },
    { path: `${START}_events.tsv`, why: 'not ours', ours: undefined },
  ]);
  assert.equal((await json(at(outcome.kept[0]?.ours ?? '')))['TaskName'], 'rest');
  const table = (await readFile(at(scans), 'utf8')).trim().split('\n');
  assert.deepEqual(table, [
    'filename\tacq_time\tquality',
    'anat/sub-001_ses-mr01_T1w.nii.gz\t1876-01-01T00:00:00\tgood',
    'anat/sub-001_ses-mr01_T2w.nii.gz\t2026-11-30T10:02:00.000000\tn/a',
    'func/sub-001_ses-mr01_task-rest_bold.nii.gz\t1876-01-01T00:00:00\tgood',
  ]);
  assert.equal(await readFile(at('participants.tsv'), 'utf8'), participants);
  const again = await run(late);
  assert.deepEqual([again.state, again.kept.length], ['unchanged', 2]);
});

test('a session of another registration, or of labels that become one, is never merged', async (t) => {
  const rig = await bidsRig(t, { series: ['t1w'] });
  await run(rig.request);
  const before = await bytesOf(rig.dataset);
  await assert.rejects(run({ ...rig.request, accessionNumber: 'B' }), { code: 'BIDS_SESSION_TAKEN' });
  const plan: SessionOptions['plan'] = (facts) => ({
    ...planByTable(facts),
    subject: '001',
    session: 'mr02',
  });
  await assert.rejects(run({ ...rig.request, subject: 'sub-0_01', session: 'ses-mr02' }, { plan }), {
    code: 'BIDS_LABEL_TAKEN',
  });
  assert.deepEqual(await bytesOf(rig.dataset), before);
});

test('two workers on two sessions of one dataset: both get in, and each participant once', async (t) => {
  const rig = await bidsRig(t, { series: ['t1w'] });
  const { storageRoot } = rig.request;
  const common = { storageRoot, dataset: rig.dataset, series: ['t1w'] as const };
  const others = await Promise.all([
    storeSession({ ...common, subject: 'sub-001', session: 'ses-mr02' }),
    storeSession({ ...common, subject: 'sub-002', session: 'ses-mr01' }),
  ]);
  const outcomes = await Promise.all([rig.request, ...others, rig.request].map((request) => run(request)));
  assert.deepEqual(outcomes.map(({ state }) => state).sort(), [
    'published',
    'published',
    'published',
    'unchanged',
  ]);
  const participants = await readFile(join(rig.dataset, 'participants.tsv'), 'utf8');
  assert.deepEqual(participants.trim().split('\n').sort(), ['participant_id', 'sub-001', 'sub-002']);
  assert.equal((await validateDataset(rig.dataset, OPTIONS.validator, t.signal)).verdict, 'valid');
});
