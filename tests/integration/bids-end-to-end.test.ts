/**
 * Images arrive at Orthanc, the streamer stores them, and the bids service makes a valid dataset of the session: all by the real
 * programs, dcm2niix and the validator among them.
 */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { countsOf, planDiff, type PlanNow } from '@scanflow/bids/diff';
import { until } from '@scanflow/testkit';
import { openFacility, type Session } from './bids-facility.ts';
import type { Rig } from './streamer-support.ts';

const EVENTS = 'onset\tduration\ttrial_type\n1.0\t0.5\tgo\n';
const FOLDER = 'sub-001/ses-mri01';

/** The report that lies beside the images. */
async function reportOf({
  root,
}: Rig): Promise<{ readonly csv: string; readonly json: Pick<Session, 'bids'> }> {
  const found = (await readdir(root, { recursive: true })).filter((name) =>
    /scanflow-report-[^/]*$/.test(name),
  );
  const read = (end: string): Promise<string> =>
    readFile(join(root, found.find((name) => name.endsWith(end)) ?? ''), 'utf8');
  return { csv: await read('.csv'), json: JSON.parse(await read('.json')) as Pick<Session, 'bids'> };
}

const converted =
  (images: number) =>
  ({ bids }: Session): boolean =>
    bids?.state === 'done' && bids.result?.counts.converted === images;
const names = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.nii.gz')).toSorted();

test('bids: a stored session becomes a valid dataset; late images and new rules convert it anew', async (t) => {
  const { rig, dataset, startBids, scan, becomes, scanflow } = await openFacility(t, { rules: 'rules.yaml' });
  await writeFile(join(rig.folder, 'rules.yaml'), 'rules: []\n');
  await startBids();
  await scan(['localiser', 't1w', 'epi AP', 'epi PA', 'bold', 'unknown']);
  const first = await becomes('the session is converted', converted(4));
  assert.equal(first.bids?.result?.verdict, 'valid');
  assert.deepEqual(first.bids.result.errors, []);
  assert.deepEqual(await names(join(dataset, FOLDER)), [
    'anat/sub-001_ses-mri01_T1w.nii.gz',
    'fmap/sub-001_ses-mri01_dir-AP_epi.nii.gz',
    'fmap/sub-001_ses-mri01_dir-PA_epi.nii.gz',
    'func/sub-001_ses-mri01_task-rest_bold.nii.gz',
  ]);
  const report = await reportOf(rig);
  assert.match(report.csv, /,bids\r?\n/);
  assert.match(report.csv, /,"valid/);
  assert.equal(report.json.bids?.result?.verdict, 'valid');
  // a person's file beside ours stays, whatever comes
  const events = join(dataset, FOLDER, 'func/sub-001_ses-mri01_task-rest_events.tsv');
  await writeFile(events, EVENTS);

  await scan(['late t2w'], 9);
  await becomes('the late images are converted, too', converted(5));
  assert.equal((await reportOf(rig)).json.bids?.result?.counts.converted, 5);
  assert.ok((await names(join(dataset, FOLDER))).includes('anat/sub-001_ses-mri01_T2w.nii.gz'));

  const asked = await rig.api(`/api/bids/plan?session=${first.id}`);
  const { ok, now } = (await asked.json()) as { ok: boolean; now: PlanNow };
  assert.ok(ok && now.state === 'made' && now.was !== undefined, JSON.stringify(now));
  assert.deepEqual(countsOf(planDiff(now.was, now)), { added: 0, removed: 0, renamed: 0, same: 5 });
  assert.equal((await rig.api('/api/bids/plan?session=00000000')).status, 404);
  assert.equal((await rig.api('/api/bids/plan?session=..')).status, 400);

  const plan = await scanflow('bids', 'plan', '3010000.01');
  assert.match(plan.stdout, /My fancy scan/);
  assert.match(plan.stdout, /no rule takes it/);
  const rules = join(rig.folder, 'rules.yaml');
  await writeFile(rules, "rules:\n  - when: {name: '^My fancy'}\n    datatype: anat\n    suffix: PDw\n");
  const redo = await scanflow('bids', 'redo', '3010000.01');
  assert.equal(redo.code, 0, redo.stdout + redo.stderr);
  assert.ok((await names(join(dataset, FOLDER))).includes('anat/sub-001_ses-mri01_PDw.nii.gz'));
  assert.equal(await readFile(events, 'utf8'), EVENTS);
  const status = await scanflow('bids', 'status', '3010000.01');
  assert.equal(status.code, 0, status.stdout + status.stderr);
  assert.match(status.stdout, /valid/);
  const validate = await scanflow('bids', 'validate', '3010000.01');
  assert.equal(validate.code, 0, validate.stdout + validate.stderr);
  assert.match(validate.stdout, /^valid: the whole dataset \S+bids, 1 session: 0 errors/m);

  // rules with a mistake: nothing of the dataset changes, and the sentence names file and line
  const before = await names(join(dataset, FOLDER));
  await writeFile(rules, "rules:\n  - when: {name: '^My fancy'}\n    datatype: anatt\n    suffix: PDw\n");
  const wrong = await scanflow('bids', 'redo', '3010000.01');
  assert.equal(wrong.code, 1);
  assert.match(wrong.stdout + wrong.stderr, /rules\.yaml:3:\d+: .*did you mean anat/);
  assert.deepEqual(await names(join(dataset, FOLDER)), before);
});

test('bids: a service that is killed during the work, or that is not there yet, loses nothing', async (t) => {
  const { rig, dataset, startBids, scan, becomes } = await openFacility(t);
  await scan(['t1w', 'bold', 'dwi']);
  const away = await becomes('the service is missed', ({ bids }) => (bids?.attempts ?? 0) > 0);
  assert.notEqual(away.bids?.state, 'done');
  const noPlan = await rig.api(`/api/bids/plan?session=${away.id}`);
  assert.match(await noPlan.text(), /The bids service gives no plan \(ECONNREFUSED\)/);
  assert.ok(away.bids?.failure !== undefined);
  const killed = await startBids();
  await until(() => killed.output().includes('session taken'), {
    what: 'the work begins',
    timeoutMs: 60_000,
    everyMs: 5,
  });
  await killed.stop('SIGKILL');
  await startBids();
  const done = await becomes('the session is converted', converted(3));
  assert.equal(done.bids?.result?.verdict, 'valid');
  assert.equal((await names(join(dataset, FOLDER))).length, 3);
  const left = (await readdir(join(dataset, '.scanflow'))).filter((name) => name.startsWith('aside-'));
  assert.deepEqual(left, []);
});

const niftis = async (dataset: string): Promise<string[]> =>
  (await names(dataset)).filter((name) => !name.startsWith('.scanflow'));

interface Stored {
  readonly id: string;
  readonly seriesDescription: string;
  readonly labels?: { readonly subject: string };
}

/** Once the streamer, just started, answers. */
const listed = (rig: Rig): Promise<Stored[]> =>
  until(
    async () => {
      const response = await rig.api('/api/series').catch(() => undefined);
      return ((await response?.json()) as { series: Stored[] } | undefined)?.series;
    },
    { what: 'the streamer lists its series', timeoutMs: 30_000 },
  );

test('bids: a series that is moved to other labels leaves its old session; an erased subject leaves the dataset', async (t) => {
  const { rig, dataset, startBids, scan, becomes, scanflow } = await openFacility(t);
  await startBids();
  await scan(['t1w', 'bold']);
  await becomes('the session is converted', converted(2));
  const events = join(dataset, FOLDER, 'func/sub-001_ses-mri01_task-rest_events.tsv');
  await writeFile(events, EVENTS);
  const move = async (what: string): Promise<void> => {
    const series = await listed(rig);
    const { id = '' } = series.find(({ seriesDescription }) => seriesDescription.includes(what)) ?? {};
    const labels = ['--project', '3010000.01', '--subject', 'sub-002', '--session', 'ses-mri01'];
    const moved = await scanflow('series', 'move', id, ...labels, '--reason', 'wrong item');
    assert.equal(moved.code, 0, moved.stderr);
  };
  const dataHas = (wanted: readonly string[]): Promise<unknown> =>
    until(async () => (await niftis(dataset)).join() === wanted.join() || undefined, {
      what: `the dataset has ${wanted.join(' and ')}`,
      timeoutMs: 60_000,
    });
  const t1w = 'sub-002/ses-mri01/anat/sub-002_ses-mri01_T1w.nii.gz';
  await rig.streamer().stop();
  // killed after the dataset changed, before the ledger has it
  const doomed = await rig.start({ at: 'hook-ran' });
  await move('T1w');
  await until(() => doomed.exited(), { what: 'the streamer is killed', timeoutMs: 60_000 });
  await rig.start();
  await dataHas([`${FOLDER}/func/sub-001_ses-mri01_task-rest_bold.nii.gz`, t1w]);
  await becomes('the ledger has it', ({ bids }) => bids?.state === 'done' && bids.result?.also?.length === 1);
  await move('bold');
  await dataHas([t1w, 'sub-002/ses-mri01/func/sub-002_ses-mri01_task-rest_bold.nii.gz']);
  await becomes('both are valid', ({ bids }) => bids?.result?.removed?.[0]?.folders[0] === FOLDER);
  const participants = await readFile(join(dataset, 'participants.tsv'), 'utf8');
  assert.equal(participants, 'participant_id\nsub-002\n');
  assert.equal(await readFile(events, 'utf8'), EVENTS);
  const status = await scanflow('bids', 'status', '3010000.01');
  assert.match(status.stdout, /removed: sub-001\/ses-mri01: its series have other labels/);
  assert.match(status.stdout, /kept: sub-001\/ses-mri01\/func\/\S+events\.tsv/);

  const mine = join(dataset, 'sub-002/ses-mri01/func/sub-002_ses-mri01_task-rest_events.tsv');
  await writeFile(mine, EVENTS);
  const erase = ['erase', '--project', '3010000.01', '--subject', 'sub-002'];
  const preview = await scanflow(...erase, '--preview');
  assert.match(preview.stdout, /[0-9]+ files in the BIDS dataset/);
  assert.match(preview.stdout, /which stay.*\n\s+\S+sub-002_ses-mri01_task-rest_events\.tsv/);
  await rig.streamer().stop();
  const dying = await rig.start({ at: 'erasure-removed' });
  await listed(rig);
  await scanflow(...erase, '--yes', '--reason', 'consent withdrawn');
  await until(() => dying.exited(), { what: 'the streamer is killed', timeoutMs: 60_000 });
  await rig.start();
  await listed(rig);
  const erased = await scanflow(...erase, '--yes', '--reason', 'consent withdrawn');
  assert.equal(erased.code, 0, erased.stderr);
  const left = (await readdir(dataset, { recursive: true })).filter((name) => name.includes('sub-002'));
  assert.deepEqual(
    left.filter((name) => /\.\w+$/.test(name)),
    [mine.slice(dataset.length + 1)],
  );
  assert.equal(await readFile(join(dataset, 'participants.tsv'), 'utf8'), 'participant_id\n');
});

test('bids: while the dataset cannot be looked at, nothing is erased, and the command says what to do', async (t) => {
  const { rig, dataset, startBids, scan, becomes, scanflow } = await openFacility(t);
  const service = await startBids();
  await scan(['t1w']);
  await becomes('the session is converted', converted(1));
  await service.stop();
  const erase = [
    'erase',
    '--project',
    '3010000.01',
    '--subject',
    'sub-001',
    '--yes',
    '--reason',
    'withdrawn',
  ];
  const refused = await scanflow(...erase);
  assert.equal(refused.code, 1, refused.stdout);
  assert.match(refused.stderr, /Nothing is erased yet.*Start the bids service, then erase again/);
  assert.equal((await niftis(dataset)).length, 1);
  assert.equal((await listed(rig)).length, 1);
  await startBids();
  // cal2wl, which is not here, would take it away
  await rm(join(rig.data, 'bookings'), { recursive: true });
  await mkdir(join(rig.data, 'bookings'));
  await until(async () => (await scanflow(...erase)).code === 0 || undefined, {
    what: 'it is erased, once the service listens',
    timeoutMs: 60_000,
  });
  assert.deepEqual(await niftis(dataset), []);
});
