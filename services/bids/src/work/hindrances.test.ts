/** Sessions that cannot be converted, or not all of them: each series for itself, a clear failure, nothing half. */
import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { codeOf } from '@scanflow/failure';
import { makeDisk } from '../../../../tests/faults/disk.ts';
import { bidsRig, OPTIONS } from '../../../../tests/integration/bids-support.ts';
import { planOf } from './look.ts';
import { bidsSession } from './session.ts';
import type { Outcome, SessionOptions, SessionRequest } from './types.ts';

const SESSION = 'sub-001/ses-mr01';
const run = (request: SessionRequest, options: Partial<SessionOptions> = {}): Promise<Outcome> =>
  bidsSession(request, { ...OPTIONS, ...options }, AbortSignal.timeout(120_000));

test('series that cannot be converted stop no other, and carry the words of dcm2niix', async (t) => {
  const rig = await bidsRig(t, {
    series: ['t1w', 'bold cut', 'unconvertible', 'bold', 'dwi slices', 'enhanced'],
  });
  const [, , , bold] = rig.request.series;
  assert.ok(bold !== undefined);
  const [file = ''] = (await readdir(join(rig.request.storageRoot, bold.folder))).slice(2);
  const bytes = await readFile(join(rig.request.storageRoot, bold.folder, file));
  await writeFile(join(rig.request.storageRoot, bold.folder, file), bytes.subarray(0, 700));
  const gone = { id: 'gone', folder: 'raw/sub-001/ses-mr01/no-such-folder' };
  const outcome = await run({ ...rig.request, series: [...rig.request.series, gone] });
  assert.equal(outcome.state, 'published');
  assert.deepEqual(
    outcome.series.map(({ id, decision }) => [id, decision]),
    [
      ['t1w', 'convert'],
      ['bold cut', 'unreadable'],
      ['unconvertible', 'unreadable'],
      ['bold', 'unreadable'],
      ['dwi slices', 'convert'],
      ['enhanced', 'convert'],
      ['gone', 'unreadable'],
    ],
  );
  const reason = (id: string): string => outcome.series.find((one) => one.id === id)?.reason ?? '';
  assert.match(reason('bold cut'), /number of slices \(33\) not divisible by number of repeats \(4\)/);
  assert.match(reason('unconvertible'), /No valid DICOM images were found/);
  assert.match(reason('bold'), new RegExp(`${file.slice(0, 5)}.* cannot be read`));
  assert.match(reason('gone'), /ENOENT/);
});

/** A dcm2niix that does more, or less, once it converts. */
async function odd(t: TestContext, folder: string, script: string): Promise<SessionOptions['dcm2niix']> {
  const path = join(folder, `dcm2niix-${t.name.length}-${script.length}`);
  await writeFile(path, `#!/bin/sh\nset -e\ndcm2niix "$@"\ncase "$2" in y) cd out; ${script};; esac\n`);
  await chmod(path, 0o755);
  return { command: [path], timeoutMs: 20_000 };
}

test('outputs that nobody expected, that are missing, or that have other sizes are failures of their series', async (t) => {
  const rig = await bidsRig(t, { series: ['t1w', 'dwi'] });
  const cases = [
    ['if [ ! -e out.bval ]; then cp out.nii out_Eq_1.nii; fi', 'BIDS_OUTPUT_UNEXPECTED', /out_Eq_1/],
    ['if [ ! -e out.bval ]; then rm out.nii; fi', 'BIDS_OUTPUT_MISSING', /did not make out/],
    ['if [ ! -e out.bval ]; then truncate -s -1 out.nii; fi', 'BIDS_CHECK_FAILED', /shorter/],
    ['if [ ! -e out.bval ]; then exit 3; fi', 'BIDS_CONVERT_FAILED', /48x48x16x1.*exit code 3/],
  ] as const;
  for (const [script, code, words] of cases) {
    const outcome = await run(rig.request, { dcm2niix: await odd(t, rig.root, script) });
    const [t1w, dwi] = outcome.series;
    assert.equal(t1w?.failure?.code, code);
    assert.match(t1w.failure.message, words);
    assert.deepEqual([t1w.files.length, dwi?.files.length], [0, 4]);
    assert.deepEqual([outcome.counts.failed, outcome.verdict?.verdict], [1, 'valid']);
  }
  const gradients = await odd(t, rig.root, 'if [ -e out.bval ]; then echo 0 1000 >out.bval; fi');
  const [, dwi] = (await run(rig.request, { dcm2niix: gradients })).series;
  assert.match(dwi?.failure?.message ?? '', /8 volumes and 2 b-values/);
  const slow = await odd(t, rig.root, 'if [ -e out.bval ]; then sleep 60; fi');
  const [, hanging] = (await run(rig.request, { dcm2niix: { ...slow, timeoutMs: 1_000 } })).series;
  assert.equal(hanging?.failure?.code, 'BIDS_DCM2NIIX_TIMEOUT');
});

test('a full disk: a clear failure, nothing half, and once there is room it goes on', async (t) => {
  const disk = await makeDisk(t, { kind: 'tmpfs', megabytes: 1 });
  if (disk === undefined) return;
  const dataset = join(disk.path, 'bids');
  const rig = await bidsRig(t, { series: ['t1w', 'bold', 'dwi'], dataset });
  // room for locks and folders, and not for the images
  await mkdir(dataset, { recursive: true });
  await writeFile(join(disk.path, 'ballast'), Buffer.alloc(850 * 1024));
  const error = await run(rig.request).catch((thrown: unknown) => thrown);
  assert.equal(codeOf(error), 'BIDS_DISK_FULL', String(error));
  await assert.rejects(stat(join(dataset, SESSION)), { code: 'ENOENT' });
  assert.deepEqual(
    (await readdir(join(dataset, '.scanflow'))).filter((name) => name.startsWith('aside')),
    [],
  );
  await rm(join(disk.path, 'ballast'));
  assert.equal((await run(rig.request)).state, 'published');
});

test('a stop leaves nothing aside and no process; a plan writes nothing', async (t) => {
  const rig = await bidsRig(t, { series: ['t1w', 'bold'] });
  const { plan, facts } = await planOf(rig.request, OPTIONS, t.signal);
  assert.deepEqual(
    [plan.series.length, facts.series[1]?.volumes, facts.series[1]?.plannedVolumes],
    [2, 6, 6],
  );
  await assert.rejects(stat(rig.dataset), { code: 'ENOENT' });
  const stop = new AbortController();
  const dcm2niix = await odd(t, rig.root, 'sleep 600');
  const stopped = bidsSession(
    rig.request,
    {
      ...OPTIONS,
      dcm2niix,
      onProgress: ({ done, of }) => done === of && setTimeout(() => stop.abort(), 300),
    },
    stop.signal,
  );
  await assert.rejects(stopped, { name: 'AbortError' });
  assert.deepEqual(await readdir(join(rig.dataset, '.scanflow')), ['locks']);
  assert.deepEqual(await readdir(rig.dataset), ['.scanflow']);
});

test('a validator that is missing, hangs or says nothing: a failure, and the dataset stays', async (t) => {
  const rig = await bidsRig(t, { series: ['t1w'] });
  const cases = [
    [['/no/such/validator'], 'BIDS_VALIDATOR_MISSING'],
    [['/bin/sh', '-c', 'sleep 60'], 'BIDS_VALIDATOR_TIMEOUT'],
    [['/bin/sh', '-c', 'echo out of memory >&2; exit 134'], 'BIDS_VALIDATOR_FAILED'],
    [['/bin/sh', '-c', 'echo \'{"issues":{"errors":[],"warnings":[]}}\'; exit 3'], 'BIDS_VALIDATOR_FAILED'],
  ] as const;
  for (const [command, code] of cases)
    await assert.rejects(run(rig.request, { validator: { command, timeoutMs: 1_000 } }), { code });
  await assert.rejects(run(rig.request, { dcm2niix: { command: ['/no/dcm2niix'], timeoutMs: 1_000 } }), {
    code: 'BIDS_DCM2NIIX_MISSING',
  });
  await assert.rejects(stat(join(rig.dataset, SESSION)), { code: 'ENOENT' });
});
