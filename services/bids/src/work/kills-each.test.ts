/**
 * Publishing, ended before each single change that it makes to the disk, by `kill -9` or by a full disk: the session is whole at
 * every moment after the service started anew, nothing of people is lost, and the next run ends as one without any of it.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  bidsRig,
  OPTIONS,
  storeSession,
  type StoredSession,
  sumsOf,
} from '../../../../tests/integration/bids-support.ts';
import { bidsSession, recoverDataset } from './session.ts';

const SESSION = 'sub-001/ses-mr01';
const MOST = 200;

/**
 * From the journal on it counts what changes the disk. Before the Nth change the worker ends itself, or that change gives ENOSPC.
 * Its last line: the code of its failure, or `done` and how many changes there were.
 */
const WORKER = `
const [work, support, request, validator, how, nth] = process.argv.slice(1);
const { default: fs } = await import('node:fs/promises');
const { syncBuiltinESMExports } = await import('node:module');
let [counting, count] = [false, 0];
for (const name of ['rename', 'rm', 'rmdir', 'unlink', 'link', 'symlink', 'mkdir', 'writeFile', 'copyFile', 'open']) {
  const real = fs[name];
  fs[name] = async (...given) => {
    const reads = name === 'open' && !/[wa]/.test(String(given[1] ?? 'r'));
    if (counting && !reads && (count += 1) === Number(nth)) {
      if (how === 'kill') process.kill(process.pid, 'SIGKILL');
      throw Object.assign(new Error('ENOSPC: no space left on device, ' + name), { code: 'ENOSPC' });
    }
    return real(...given);
  };
}
syncBuiltinESMExports();
const { bidsSession } = await import(work);
const { OPTIONS } = await import(support);
const at = (step) => { counting ||= step === 'journal'; };
const options = { ...OPTIONS, validator: { command: [validator], timeoutMs: 10000 }, beforeStep: at };
await bidsSession(JSON.parse(request), options, AbortSignal.timeout(60000)).then(
  () => console.log('done', count), (error) => console.log(error.code ?? String(error), count));
`;

interface Ended {
  readonly said: string;
  readonly signal: NodeJS.Signals | null;
  readonly errors: string;
}

async function runWorker(given: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', WORKER, ...given], { timeout: 60_000 });
  let [said, errors] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  await once(child, 'close');
  return { said: said.trim(), signal: child.signalCode, errors };
}

interface Scene {
  readonly dataset: string;
  readonly request: StoredSession;
  readonly finish: (request: StoredSession) => Promise<unknown>;
  /** A session of one series that is stored, and the same with a late one. */
  readonly late: StoredSession;
  readonly validator: string;
  readonly before: string;
}

async function scene(t: TestContext): Promise<Scene> {
  const rig = await bidsRig(t, { series: ['t1w'] });
  const { request, dataset, root } = rig;
  const validator = join(root, 'validator');
  await writeFile(validator, '#!/bin/sh\necho \'{"issues":{"errors":[],"warnings":[]}}\'\n');
  await chmod(validator, 0o755);
  const options = { ...OPTIONS, validator: { command: [validator], timeoutMs: 10_000 } };
  const late = await storeSession({
    ...{ storageRoot: request.storageRoot, dataset, subject: 'sub-001', session: 'ses-mr01' },
    series: ['t1w', 'late t2w'],
  });
  return {
    ...{ dataset, request, late, validator, before: join(root, 'before') },
    finish: (one) => bidsSession(one, options, AbortSignal.timeout(60_000)),
  };
}

/** The dataset as it was, and the session that comes in. */
interface Case {
  readonly old: Readonly<Record<string, string>>;
  readonly coming: StoredSession;
}

/** Ends the worker before the first change, the second, and so on, until it comes to its end by itself. How many changes there were. */
async function endBeforeEach(
  t: TestContext,
  how: 'kill' | 'full',
  { dataset, finish, validator, before }: Scene,
  { old, coming }: Case,
): Promise<number> {
  const reset = async (): Promise<void> => {
    await rm(dataset, { recursive: true, force: true });
    await cp(before, dataset, { recursive: true });
  };
  await reset();
  await finish(coming);
  const reference = await sumsOf(dataset);
  const fresh = await sumsOf(join(dataset, SESSION));
  assert.ok(Object.keys(fresh).length > Object.keys(old).length);
  const work = join(import.meta.dirname, 'session.ts');
  const support = join(import.meta.dirname, '../../../../tests/integration/bids-support.ts');
  for (let nth = 1; nth < MOST; nth += 1) {
    await reset();
    const given = [work, support, JSON.stringify(coming), validator, how, String(nth)];
    const { said, signal, errors } = await runWorker(given);
    const about = `${how} at ${nth}: ${said}${errors}`;
    if (said.startsWith('done') && Number(said.split(' ')[1]) < nth) return nth - 1;
    if (how === 'kill') assert.deepEqual([signal, said], ['SIGKILL', ''], about);
    // what is of no use to anybody may stay for the next run
    else assert.match(said, /^(BIDS_DISK_FULL|done) /, about);
    // nobody asks for the session again: the service starts
    await recoverDataset(dataset, {}, t.signal);
    const left = await sumsOf(join(dataset, SESSION));
    const isWhole = [old, fresh].some((one) => JSON.stringify(one) === JSON.stringify(left));
    assert.ok(isWhole, `${about}: ${Object.keys(left).join(' ')}`);
    await finish(coming);
    assert.deepEqual(await sumsOf(dataset), reference, about);
    const aside = (await readdir(join(dataset, '.scanflow'))).filter((name) => name.startsWith('aside'));
    assert.deepEqual(aside, [], about);
  }
  throw new Error(`more than ${MOST} changes`);
}

for (const how of ['kill', 'full'] as const) {
  const by = how === 'kill' ? 'kill -9' : 'a full disk';
  test(`publishing into an empty dataset, ended before each change by ${by}`, async (t) => {
    const one = await scene(t);
    await mkdir(one.before);
    const changes = await endBeforeEach(t, how, one, { old: {}, coming: one.request });
    assert.ok(changes > 20, String(changes));
  });

  test(`publishing over an older session with files of people, ended before each change by ${by}`, async (t) => {
    const one = await scene(t);
    await one.finish(one.request);
    await writeFile(join(one.dataset, SESSION, 'anat/notes.txt'), 'mine');
    await writeFile(join(one.dataset, SESSION, 'anat/sub-001_ses-mr01_T1w.json'), '{ "Mine": true }');
    await cp(one.dataset, one.before, { recursive: true });
    const old = await sumsOf(join(one.before, SESSION));
    const changes = await endBeforeEach(t, how, one, { old, coming: one.late });
    assert.ok(changes > 10, String(changes));
  });
}
