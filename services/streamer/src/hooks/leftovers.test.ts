import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startProgram, until, type Program } from '@scanflow/testkit';
import { endLeftovers } from './leftovers.ts';

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
