/** A subject is erased while its series is being stored, by this streamer or by another one of the same ledger. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { findPostgres, startPostgres, until } from '@scanflow/testkit';
import { startProxy } from '../faults/orthanc-proxy.ts';
import { requireForgotten } from './streamer-erase-support.ts';
import { scanflow } from './streamer-loss-support.ts';
import { startShared, type Streamer } from './streamer-shared-support.ts';
import { makeRig, phantom, sendTo, settled, type Rig } from './streamer-support.ts';

const PROJECT = '3010000.01';
const GONE = 'sub-withdrawn77';
const STAYS = 'sub-staying88';
const IMAGES = 12;

const made = (rig: Rig, subject: string, images = IMAGES): ReturnType<typeof phantom> =>
  phantom(join(rig.folder, subject), { images, patientId: `${PROJECT}_${subject}`, studyId: 'ses-1' });

const ERASE = ['erase', '--project', PROJECT, '--subject', GONE, '--yes', '--reason', 'consent withdrawn'];

const marked = (rig: Rig): Promise<unknown> =>
  until(
    async () =>
      (await readdir(join(rig.data, 'erasures')).catch((): string[] => [])).some((name) =>
        name.endsWith('.json'),
      ),
    { what: 'the erasure is on record', timeoutMs: 60_000 },
  );

test('erase: while the series is pulled, and while more of it arrives; nothing of it comes back', async (t) => {
  const gate = Promise.withResolvers<'pass'>();
  const asked: string[] = [];
  const rig = await makeRig(t, {
    // so long the erasure waits for whoever is at work
    extra: { ledger: { lease: '3s' } },
    between: async (orthanc) => {
      const proxy = await startProxy(t, orthanc, (count, path) => {
        asked.push(path);
        return count < 5 ? 'pass' : gate.promise;
      });
      return proxy.url;
    },
  });
  await rig.start();
  const { files } = await made(rig, GONE);
  await sendTo(rig.orthanc, ...files.slice(0, 10));
  await until(() => asked.length >= 5, { what: 'it is pulled', timeoutMs: 60_000 });
  const erasing = scanflow(...ERASE, '--config', rig.configFile);
  await marked(rig);
  // an image that was not there when all was looked for
  await sendTo(rig.orthanc, files[10] ?? '');
  gate.resolve('pass');
  const { code, stderr } = await erasing;
  assert.equal(code, 0, stderr + rig.streamer().output());
  await requireForgotten(GONE, [rig.root, rig.data]);
  // what the sender had left to send; and another subject's go their way
  await sendTo(rig.orthanc, files[11] ?? '', (await made(rig, STAYS, 3)).folder);
  const series = await settled(rig, 2, ['complete', 'quarantined']);
  assert.deepEqual(series.map(({ state, reasonCode }) => reasonCode ?? state).toSorted(), [
    'ERASED',
    'complete',
  ]);
  await requireForgotten(GONE, [rig.root, rig.data]);
  assert.ok(!rig.streamer().output().includes(GONE), 'the log names the subject');
});

/** Waits until the process is stopped, as `ps` has it. */
const stopped = (pid: number): Promise<true> =>
  until(async () => (/^\d+ \(.*\) T/.test(await readFile(`/proc/${pid}/stat`, 'utf8')) ? true : undefined), {
    what: 'it stands still',
    timeoutMs: 60_000,
  });

const statesWhen = (streamer: Streamer, states: readonly string[]): Promise<unknown> =>
  until(
    async () => {
      const all = await streamer.series().catch(() => []);
      return JSON.stringify(all.map(({ state, reasonCode }) => reasonCode ?? state).toSorted()) ===
        JSON.stringify(states)
        ? true
        : undefined;
    },
    { what: `series are ${states.join()}`, timeoutMs: 90_000 },
  );

for (const moment of ['image-begun', 'image-flushed', 'image-named', 'manifest-due'])
  test(
    `erase: a streamer that stands still at ${moment} while another one erases brings nothing back; both refuse a re-send`,
    { skip: findPostgres() === undefined ? 'PostgreSQL is not installed' : false },
    async (t) => {
      const server = await startPostgres();
      t.after(() => server.stop());
      const rig = await makeRig(t);
      const frozen = await startShared(t, rig, server, { KILL_AT: moment, KILL_SIGNAL: 'SIGSTOP' });
      const { folder } = await made(rig, GONE);
      await sendTo(rig.orthanc, folder);
      await stopped(frozen.program.pid);
      const other = await startShared(t, rig, server);
      await until(() => other.series().catch(() => undefined), {
        what: 'the other one answers',
        timeoutMs: 60_000,
      });
      const erased = await scanflow(...ERASE, '--config', other.config);
      assert.equal(erased.code, 0, erased.stderr + other.program.output());
      process.kill(frozen.program.pid, 'SIGCONT');
      await until(() => /LEDGER_LEASE_LOST|interrupted|store fails|storing/.test(frozen.program.output()), {
        what: 'the one that stood still gives up',
        timeoutMs: 60_000,
      });
      await sendTo(rig.orthanc, (await made(rig, STAYS, 3)).folder);
      await statesWhen(other, ['complete']);
      await requireForgotten(GONE, [rig.root, rig.data]);
      // the one that erased ends: the other one has to know
      await other.program.stop();
      await sendTo(rig.orthanc, folder);
      await statesWhen(frozen, ['ERASED', 'complete']);
      await requireForgotten(GONE, [rig.root, rig.data]);
      for (const { program } of [frozen, other])
        assert.ok(!program.output().includes(GONE), 'the log names the subject');
    },
  );
