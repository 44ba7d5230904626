/** Sessions leave the dataset: nothing of ours stays, nothing of people is lost, and a kill at any step leaves something that is completed. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, chmod, cp, mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { bidsRig, OPTIONS, storeSession } from '../../../../tests/integration/bids-support.ts';
import { listFiles } from './files.ts';
import { readProvenance } from './provenance.ts';
import { joinPeople, publish, takeOut } from './publish.ts';
import { removeSessions, type RemoveRequest } from './remove.ts';
import { bidsSession, recoverDataset } from './session.ts';

const SUBJECT = 'sub-001';
const SESSION = 'sub-001/ses-mr01';
const EVENTS = `${SESSION}/func/sub-001_ses-mr01_task-rest_events.tsv`;
const SCANS = `${SESSION}/sub-001_ses-mr01_scans.tsv`;

/** Two subjects, one with two sessions; people worked in them. */
async function place(t: TestContext): Promise<{ readonly root: string; readonly request: RemoveRequest }> {
  const rig = await bidsRig(t, { series: ['t1w', 'bold'] });
  const validator = join(rig.root, 'validator');
  await writeFile(validator, '#!/bin/sh\necho \'{"issues":{"errors":[],"warnings":[]}}\'\n');
  await chmod(validator, 0o755);
  const options = { ...OPTIONS, validator: { command: [validator], timeoutMs: 10_000 } };
  const { storageRoot } = rig.request;
  const more = [
    ['sub-001', 'ses-mr02'],
    ['sub-0011', 'ses-mr01'],
  ] as const;
  await bidsSession(rig.request, options, AbortSignal.timeout(60_000));
  for (const [subject, session] of more) {
    const stored = await storeSession({
      storageRoot,
      dataset: rig.dataset,
      subject,
      session,
      series: ['t1w'],
    });
    await bidsSession(stored, options, AbortSignal.timeout(60_000));
  }
  await writeFile(join(rig.dataset, EVENTS), 'onset\tduration\n');
  const root = rig.dataset;
  const request = { project: '3010000.01', subject: SUBJECT, session: undefined, accessionNumber: undefined };
  return { root, request: { ...request, erased: true, datasetRoot: root } };
}

/** Everywhere, in names and texts. */
async function traces(root: string, label: string): Promise<string[]> {
  const found: string[] = [];
  const whole = new RegExp(`${label}(?![0-9])`);
  for (const name of await listFiles(root))
    if (whole.test(name) || whole.test(await readFile(join(root, name), 'latin1'))) found.push(name);
  return found;
}

const remove = (request: RemoveRequest): ReturnType<typeof removeSessions> =>
  removeSessions(request, {}, AbortSignal.timeout(30_000));

test('an erased subject leaves nothing of ours; files of people stay, and are named', async (t) => {
  const { root, request } = await place(t);
  await mkdir(join(root, '.scanflow/invalid/sub-001_ses-mr03/anat'), { recursive: true });
  await writeFile(join(root, '.scanflow/invalid/sub-001_ses-mr03/anat/x.json'), '{}');
  // of a conversion that was killed, and of one of another subject that runs
  for (const name of ['aside-sub-001_ses-mr04-0123456789ab', 'aside-sub-0011_ses-mr04-0123456789ab']) {
    await mkdir(join(root, '.scanflow', name, 'raw'), { recursive: true });
    await writeFile(join(root, '.scanflow', name, 'raw/x.nii'), '');
  }
  await writeFile(join(root, 'participants.tsv'), 'participant_id\tage\nsub-001\t30\nsub-0011\t40\n');
  const json = `${SESSION}/anat/sub-001_ses-mr01_T1w.json`;
  await writeFile(join(root, json), '{ "Mine": true }');
  const before = await listFiles(root);
  const preview = await removeSessions(request, { preview: true }, t.signal);
  assert.deepEqual(await listFiles(root), before, 'the preview changed something');
  const removed = await remove(request);
  assert.deepEqual(removed, preview);
  assert.deepEqual(removed.folders, [SESSION, 'sub-001/ses-mr02']);
  assert.deepEqual(removed.kept, [json, EVENTS]);
  assert.deepEqual(await traces(root, 'sub-001'), [json, EVENTS]);
  assert.equal(await readFile(join(root, 'participants.tsv'), 'utf8'), 'participant_id\tage\nsub-0011\t40\n');
  assert.ok((await traces(root, 'sub-0011')).length > 3);
  assert.deepEqual(await remove(request), { folders: [], files: 0, kept: [json, EVENTS] });
});

test('a conversion that ended midway while the removal waited: files of people stay all the same', async (t) => {
  const { root, request } = await place(t);
  const other = { root, folder: 'sub-0011/ses-mr01', ours: [], removal: { erased: false } };
  const midway = (name: string): void => {
    if (name === 'in') throw new Error('ended here');
  };
  await assert.rejects(takeOut({ ...other, aside: '.scanflow/leaving-1' }, midway), /ended here/);
  const standing = { ours: [], people: [{ path: EVENTS, why: 'not ours' as const }] };
  const aside = '.scanflow/aside-sub-001_ses-mr01-0123456789ab';
  let isBegun = false;
  const beforeStep = async (name: string): Promise<void> => {
    // the removal completes the one; meanwhile another conversion of its session ends
    if (name !== 'forget' || isBegun) return;
    isBegun = true;
    await joinPeople(root, join(root, aside), SESSION, standing);
    const provenance = await readFile(join(root, '.scanflow/sub-001_ses-mr01.json'), 'utf8');
    const publication = { root, aside, folder: SESSION, standing, provenance };
    await assert.rejects(publish(publication, midway), /ended here/);
  };
  const { kept } = await removeSessions(request, { beforeStep }, AbortSignal.timeout(30_000));
  assert.ok(isBegun);
  assert.ok(kept.includes(EVENTS), kept.join(' '));
  await stat(join(root, EVENTS));
});

test('labels with characters that no name of a file has: their locks go, too', async (t) => {
  const { root, request } = await place(t);
  await mkdir(join(root, '.scanflow/locks'), { recursive: true });
  await writeFile(join(root, '.scanflow/locks/session-sub_002_ses-mr01'), '');
  await remove({ ...request, subject: 'sub.002' });
  assert.ok(!(await readdir(join(root, '.scanflow/locks'))).some((name) => name.includes('sub_002')));
});

test('one session leaves, another stays; a table that people changed loses our rows alone', async (t) => {
  const { root, request } = await place(t);
  await appendFile(join(root, SCANS), 'func/sub-001_ses-mr01_task-rest_events.tsv\tn/a\n');
  const others = { ...request, session: 'ses-mr01', accessionNumber: 'another' };
  assert.deepEqual((await remove(others)).folders, []);
  // of the same registration, or of none, and none of the series that left: it is another session's by now
  const left = { ...request, session: 'ses-mr01', erased: false, series: ['another'] };
  assert.deepEqual((await remove(left)).folders, []);
  await stat(join(root, SESSION, 'anat'));
  const record = await readProvenance(root, SESSION);
  const series = ['another', record?.series[0]?.id ?? ''];
  const removed = await remove({ ...request, session: 'ses-mr01', erased: false, series });
  assert.deepEqual([removed.folders, removed.kept], [[SESSION], [EVENTS]]);
  assert.deepEqual(await listFiles(join(root, SESSION)), [
    EVENTS.slice(SESSION.length + 1),
    SCANS.slice(SESSION.length + 1),
  ]);
  const scans = await readFile(join(root, SCANS), 'utf8');
  assert.equal(scans, 'filename\tacq_time\nfunc/sub-001_ses-mr01_task-rest_events.tsv\tn/a\n');
  // the subject has another session
  assert.match(await readFile(join(root, 'participants.tsv'), 'utf8'), /^sub-001$/m);
  await stat(join(root, 'sub-001/ses-mr02'));
});

test('a moved session: the row of the subject goes with its last session, unless people wrote into it', async (t) => {
  const { root, request } = await place(t);
  await rm(join(root, EVENTS));
  await remove({ ...request, erased: false });
  assert.doesNotMatch(await readFile(join(root, 'participants.tsv'), 'utf8'), /^sub-001$/m);
  await assert.rejects(stat(join(root, SUBJECT)), { code: 'ENOENT' });
  const other = { ...request, subject: 'sub-0011', erased: false };
  await writeFile(join(root, 'participants.tsv'), 'participant_id\tage\nsub-0011\t40\n');
  await remove(other);
  assert.match(await readFile(join(root, 'participants.tsv'), 'utf8'), /^sub-0011\t40$/m);
});

test('a record of ours that somebody changed: refused, with the file', async (t) => {
  const { root, request } = await place(t);
  const record = join(root, '.scanflow/sub-001_ses-mr02.json');
  await writeFile(record, 'nonsense');
  const before = await listFiles(root);
  await assert.rejects(remove(request), { code: 'BIDS_PROVENANCE' });
  assert.deepEqual(await listFiles(root), before);
});

const WORKER = `
const [work, request, step] = process.argv.slice(1);
const { removeSessions } = await import(work);
const beforeStep = (name) => { if (name === step) process.kill(process.pid, 'SIGKILL'); };
await removeSessions(JSON.parse(request), { beforeStep }, AbortSignal.timeout(60000));
`;

test('killed before any step, the removal is completed by the next one; a start of the service completes a begun one', async (t) => {
  const { root, request } = await place(t);
  const before = `${root}-before`;
  t.after(() => rm(before, { recursive: true, force: true }));
  await cp(root, before, { recursive: true });
  await remove(request);
  const texts = async (): Promise<string[]> => {
    const names = (await listFiles(root)).filter((name) => !name.startsWith('.scanflow/locks/'));
    return Promise.all(names.map(async (name) => `${name} ${await readFile(join(root, name), 'latin1')}`));
  };
  const reference = await texts();
  const folders = (await readdir(root)).sort();
  for (const step of ['journal', 'out', 'in', 'provenance', 'rescue', 'rows', 'remove', 'forget', 'traces']) {
    await rm(root, { recursive: true });
    await cp(before, root, { recursive: true });
    const args = ['--input-type=module', '-e', WORKER, join(import.meta.dirname, 'remove.ts')];
    const child = spawn(process.execPath, [...args, JSON.stringify(request), step], { stdio: 'ignore' });
    await once(child, 'close');
    assert.equal(child.signalCode, 'SIGKILL', step);
    await stat(join(root, EVENTS)).catch(() => recoverDataset(root, {}, t.signal));
    await stat(join(root, EVENTS));
    assert.deepEqual((await remove(request)).kept, [EVENTS], step);
    assert.deepEqual(await texts(), reference, step);
    assert.deepEqual((await readdir(root)).sort(), folders, step);
  }
});
