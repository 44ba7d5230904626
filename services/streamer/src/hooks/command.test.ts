import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { randomUUID } from 'node:crypto';
import { until, startProgram, type Program } from '@scanflow/testkit';
import { runCommand, type CommandRun, endLeftovers } from './run.ts';
import { OUTPUT_BYTES } from './plan.ts';

const FOREVER = 600_000;
const never = (): AbortSignal => new AbortController().signal;

/** Runs a script of the shell: the command under test knows no shell of its own. */
const sh = (script: string, over: Partial<CommandRun> = {}, ...args: string[]): CommandRun => ({
  command: ['/bin/sh', '-c', script, 'sh', ...args],
  environment: {},
  input: '',
  timeoutMs: FOREVER,
  graceMs: FOREVER,
  ...over,
});

async function scratch(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-command-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

const pidIn = (file: string): Promise<number> =>
  until(
    async () => {
      const pid = Number(await readFile(file, 'utf8').catch(() => ''));
      return pid > 0 ? pid : undefined;
    },
    { what: `a pid in ${file}`, timeoutMs: 60_000 },
  );

const gone = (pid: number): Promise<true> =>
  until(
    () => {
      try {
        process.kill(pid, 0);
        return undefined;
      } catch {
        return true as const;
      }
    },
    { what: `process ${pid} ends`, timeoutMs: 60_000 },
  );

test('command: arguments arrive as they are, the record on standard input', async () => {
  const run = sh('printf "%s|" "$@"; cat', { input: '{"a":1}' }, 'a b', '$(reboot)', "';", '*');
  assert.deepEqual(await runCommand(run, never()), {
    kind: 'done',
    output: `a b|$(reboot)|';|*|{"a":1}`,
  });
});

test('command: nothing of our environment is passed on', async () => {
  process.env['SCANFLOW_TEST_SECRET'] = 'x';
  const outcome = await runCommand(
    { ...sh(''), command: ['/usr/bin/env'], environment: { SCANFLOW_FOLDER: '/p', OMP: '2' } },
    never(),
  );
  delete process.env['SCANFLOW_TEST_SECRET'];
  assert.ok(outcome.kind === 'done');
  const names = outcome.output
    .trimEnd()
    .split('\n')
    .map((line) => line.split('=')[0]);
  assert.deepEqual(names.sort(), ['HOME', 'LANG', 'OMP', 'PATH', 'SCANFLOW_FOLDER']);
});

test('command: an exit code is a failure with its output', async () => {
  const outcome = await runCommand(sh('echo to out; echo to err >&2; exit 3'), never());
  assert.ok(outcome.kind === 'failed');
  assert.equal(outcome.failure.code, 'HOOK_EXIT');
  assert.equal(outcome.failure.kind, 'transient');
  assert.match(outcome.failure.message, /exit code 3/);
  assert.deepEqual(outcome.output.trimEnd().split('\n').sort(), ['to err', 'to out']);
});

test('command: the last of a long output is kept', async () => {
  const outcome = await runCommand(sh('seq 1 200000'), never());
  assert.ok(outcome.kind === 'done');
  assert.ok(outcome.output.startsWith('…'));
  assert.ok(outcome.output.endsWith('199999\n200000\n'));
  assert.equal(Buffer.byteLength(outcome.output), OUTPUT_BYTES + Buffer.byteLength('…'));
});

test('command: an input that nobody reads does no harm', async () => {
  const outcome = await runCommand(sh('exit 0', { input: 'x'.repeat(1_000_000) }), never());
  assert.equal(outcome.kind, 'done');
});

test('command: what is not there, or may not be run, cannot be started', async (t) => {
  const file = join(await scratch(t), 'file');
  await writeFile(file, 'no program');
  await chmod(file, 0o644);
  for (const program of ['/no/such/program', file]) {
    const outcome = await runCommand({ ...sh(''), command: [program] }, never());
    assert.equal(outcome.kind === 'failed' ? outcome.failure.code : outcome.kind, 'HOOK_CANNOT_START');
  }
  const nul = await runCommand({ ...sh(''), command: ['/bin/echo', 'a\0b'] }, never());
  assert.equal(nul.kind === 'failed' ? nul.failure.code : nul.kind, 'HOOK_CANNOT_START');
});

test('command: when its time is up it is asked to end, then ended, with all that it started', async (t) => {
  const folder = await scratch(t);
  const polite = `trap 'echo asked; exit 0' TERM; sleep 1000 & echo $! >"$1/child"; wait`;
  const deaf = `trap '' TERM; echo $$ >"$1/pid"; while :; do sleep 1000; done`;
  const outcomes = await Promise.all([
    runCommand(sh(polite, { timeoutMs: 4_000 }, folder), never()),
    runCommand(sh(deaf, { timeoutMs: 4_000, graceMs: 200 }, folder), never()),
  ]);
  const codes = outcomes.map((outcome) => (outcome.kind === 'failed' ? outcome.failure.code : outcome.kind));
  assert.deepEqual(codes, ['HOOK_TIMEOUT', 'HOOK_TIMEOUT']);
  assert.equal(outcomes[0].kind === 'failed' ? outcomes[0].output : '', 'asked\n');
  for (const file of ['child', 'pid']) await gone(await pidIn(join(folder, file)));
});

test('command: what it leaves in the background does not hold us up', async (t) => {
  const folder = await scratch(t);
  const outcome = await runCommand(sh(`sleep 1000 & echo $! >"$1/child"; echo done`, {}, folder), never());
  assert.deepEqual(outcome, { kind: 'done', output: 'done\n' });
  await gone(await pidIn(join(folder, 'child')));
});

test('command: when we are stopped it is ended and to be run again', async (t) => {
  const folder = await scratch(t);
  const stopping = new AbortController();
  const running = runCommand(sh('echo $$ >"$1/pid"; sleep 1000', {}, folder), stopping.signal);
  const pid = await pidIn(join(folder, 'pid'));
  stopping.abort();
  assert.deepEqual(await running, { kind: 'interrupted' });
  await gone(pid);
});

/** A command with a child of its own, which starts a session for itself. */
async function left(
  t: TestContext,
  env: Readonly<Record<string, string>>,
  trap = '',
): Promise<{ program: Program; child: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-left-'));
  const script = `${trap} setsid sh -c "${trap} echo \\$\\$ >'$1/child'; while :; do sleep 1; done" & while :; do sleep 1; done`;
  const program = await startProgram('/bin/sh', ['-c', script, 'sh', folder], { env });
  const child = await until(
    async () => Number(await readFile(join(folder, 'child'), 'utf8').catch(() => '')) || undefined,
    { what: 'its child', timeoutMs: 60_000 },
  );
  t.after(async () => {
    for (const pid of [child, program.pid]) if (await runs(pid)) process.kill(pid, 'SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });
  return { program, child };
}

/** One that has ended and was not collected has no command line. */
const runs = async (pid: number): Promise<boolean> =>
  (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')) !== '';

test('leftovers: an earlier run of the same event is ended with all that it started, and no other', async (t) => {
  const mine = { SCANFLOW_EVENT_ID: randomUUID(), SCANFLOW_HOOK: 'nifti' };
  const [old, ofAnother, ofAnotherEvent] = await Promise.all([
    left(t, mine),
    left(t, { ...mine, SCANFLOW_HOOK: 'nifti2' }),
    left(t, { ...mine, SCANFLOW_EVENT_ID: randomUUID() }),
  ]);
  assert.equal(await endLeftovers(mine, t.signal), undefined);
  for (const { program, child } of [old])
    assert.deepEqual([await runs(program.pid), await runs(child)], [false, false]);
  for (const { program, child } of [ofAnother, ofAnotherEvent])
    assert.deepEqual([await runs(program.pid), await runs(child)], [true, true]);
});

test('leftovers: what does not listen is ended after a while', async (t) => {
  const mine = { SCANFLOW_EVENT_ID: randomUUID(), SCANFLOW_HOOK: 'deaf' };
  const { program, child } = await left(t, mine, `trap '' TERM;`);
  assert.equal(await endLeftovers(mine, t.signal, 200), undefined);
  assert.deepEqual([await runs(program.pid), await runs(child)], [false, false]);
});
