/** `kill -9` at each step of publishing: nothing is half, nothing of people is lost, and the next run ends as one without a kill. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  bidsRig,
  OPTIONS,
  storeSession,
  type StoredSession,
  sumsOf,
} from '../../../../tests/integration/bids-support.ts';
import { bidsSession, recoverDataset } from './session.ts';

const STEPS = [
  'facts',
  'convert',
  'validate',
  'journal',
  'out',
  'in',
  'provenance',
  'rescue',
  'remove',
  'forget',
  'dataset',
  'done',
];
const SESSION = 'sub-001/ses-mr01';

/** A worker that ends itself, as by `kill -9`, before the step. */
const WORKER = `
const [work, support, request, validator, step] = process.argv.slice(1);
const { bidsSession } = await import(work);
const { OPTIONS } = await import(support);
const at = (name) => { if (name === step) process.kill(process.pid, 'SIGKILL'); };
const options = { ...OPTIONS, validator: { command: [validator], timeoutMs: 10000 }, beforeStep: at, onProgress: (progress) => at(progress.step) };
await bidsSession(JSON.parse(request), options, AbortSignal.timeout(60000));
`;

async function runAndDie(request: StoredSession, validator: string, step: string): Promise<void> {
  const work = join(import.meta.dirname, 'session.ts');
  const support = join(import.meta.dirname, '../../../../tests/integration/bids-support.ts');
  const args = ['--input-type=module', '-e', WORKER, work, support, JSON.stringify(request), validator, step];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const errors: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
  await once(child, 'close');
  assert.equal(child.signalCode, 'SIGKILL', `${step}: ${Buffer.concat(errors).toString()}`);
}

test('a worker that is killed before any step of bringing a session in, anew or again, leaves it whole', async (t) => {
  const rig = await bidsRig(t, { series: ['t1w', 'bold'] });
  const validator = join(rig.root, 'validator');
  await writeFile(validator, '#!/bin/sh\necho \'{"issues":{"errors":[],"warnings":[]}}\'\n');
  await chmod(validator, 0o755);
  const options = { ...OPTIONS, validator: { command: [validator], timeoutMs: 10_000 } };
  const finish = (request: StoredSession): ReturnType<typeof bidsSession> =>
    bidsSession(request, options, AbortSignal.timeout(60_000));
  const { storageRoot } = rig.request;
  await finish(rig.request);
  const first = await sumsOf(rig.dataset);

  // a person works in it, and a late series comes
  const events = `${SESSION}/func/sub-001_ses-mr01_task-rest_events.tsv`;
  const changed = `${SESSION}/anat/sub-001_ses-mr01_T1w.json`;
  await writeFile(join(rig.dataset, events), 'onset\tduration\n');
  await writeFile(join(rig.dataset, changed), '{ "Mine": true }');
  const before = join(rig.root, 'before');
  await cp(rig.dataset, before, { recursive: true });
  const old = await sumsOf(join(before, SESSION));
  const late = await storeSession({
    ...{ storageRoot, dataset: rig.dataset, subject: 'sub-001', session: 'ses-mr01' },
    series: ['t1w', 'bold', 'late t2w'],
  });
  assert.deepEqual(
    (await finish(late)).kept.map(({ path }) => path),
    [changed, events],
  );
  const reference = await sumsOf(rig.dataset);
  const fresh = await sumsOf(join(rig.dataset, SESSION));
  assert.ok(Object.keys(fresh).length > Object.keys(old).length);

  for (const step of STEPS) {
    await rm(rig.dataset, { recursive: true });
    await cp(before, rig.dataset, { recursive: true });
    await runAndDie(late, validator, step);
    const left = await sumsOf(join(rig.dataset, SESSION));
    const isWhole = [old, fresh, {}].some((one) => JSON.stringify(one) === JSON.stringify(left));
    assert.ok(isWhole, `${step}: ${Object.keys(left).join(' ')}`);
    assert.ok(Object.keys(left).length > 0 || step === 'in', `${step}: the session is away`);
    if (step === 'in') {
      // nobody asks for the session again, and the service starts
      await recoverDataset(rig.dataset, {}, t.signal);
      assert.deepEqual(await sumsOf(join(rig.dataset, SESSION)), fresh);
    }
    await finish(late);
    assert.deepEqual(await sumsOf(rig.dataset), reference, step);
    assert.deepEqual(
      (await readdir(join(rig.dataset, '.scanflow'))).filter((name) => name.startsWith('aside')),
      [],
      step,
    );

    // the first time, into an empty folder
    if (step === 'out') continue;
    const empty = { ...rig.request, datasetRoot: join(rig.root, `empty-${step}`) };
    await mkdir(empty.datasetRoot);
    await runAndDie(empty, validator, step);
    await finish(empty);
    assert.deepEqual(await sumsOf(empty.datasetRoot), first, step);
  }
});

test('what a person writes while the session is brought in is kept', async (t) => {
  const rig = await bidsRig(t, { series: ['t1w', 'bold'] });
  const run = (
    request: StoredSession,
    beforeStep?: (step: string) => Promise<void>,
  ): ReturnType<typeof bidsSession> =>
    bidsSession(
      request,
      // names that are none of BIDS
      { ...OPTIONS, publishInvalid: true, ...(beforeStep === undefined ? {} : { beforeStep }) },
      AbortSignal.timeout(60_000),
    );
  await run(rig.request);
  const storageRoot = rig.request.storageRoot;
  const late = await storeSession({
    ...{ storageRoot, dataset: rig.dataset, subject: 'sub-001', session: 'ses-mr01' },
    series: ['t1w', 'bold', 'late t2w'],
  });
  const at = (name: string): string => join(rig.dataset, SESSION, name);
  await writeFile(at('anat/mine.txt'), 'first');
  await run(late, async (step) => {
    if (step !== 'out') return;
    await writeFile(at('anat/mine.txt'), 'second');
    await writeFile(at('func/new.txt'), 'new');
    await writeFile(at('anat/sub-001_ses-mr01_T1w.json'), '{ "Mine": true }');
  });
  assert.equal(await readFile(at('anat/mine.txt'), 'utf8'), 'second');
  assert.equal(await readFile(at('func/new.txt'), 'utf8'), 'new');
  const kept = join(rig.dataset, '.scanflow/kept', SESSION, 'anat/sub-001_ses-mr01_T1w.json-1');
  assert.equal(await readFile(kept, 'utf8'), '{ "Mine": true }');
});
