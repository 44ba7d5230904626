/** Several streamers share the work by one PostgreSQL: one dies, the others finish; the server goes away and comes back. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { findPostgres, startPostgres, startStorescp, until, type Postgres } from '@scanflow/testkit';
import { folderOf, verifyForwarded, verifyStored } from './streamer-verify.ts';
import { startShared, type Streamer } from './streamer-shared-support.ts';
import { makeRig, phantom, scratch, sendTo, type Series } from './streamer-support.ts';

const skip = findPostgres() === undefined ? 'PostgreSQL is not installed' : false;
const IMAGES = 24;

/** Waits until a streamer that lives shows so many series, all complete. */
function complete(streamers: readonly Streamer[], count: number): Promise<Series[]> {
  let last: unknown;
  return until(
    async () => {
      const living = streamers.find(({ program }) => !program.exited());
      const all = await living?.series().catch(() => undefined);
      last = all;
      return all?.length === count && all.every(({ state }) => state === 'complete') ? all : undefined;
    },
    { what: `${count} series complete`, timeoutMs: 120_000, everyMs: 100 },
  ).catch((error: unknown) => {
    const outputs = streamers.map(({ program }) => program.output()).join('\n');
    throw new Error(`${String(error)}\n${JSON.stringify(last, null, 1)}\n${outputs}`);
  });
}

async function server(t: TestContext): Promise<Postgres> {
  const running = await startPostgres();
  t.after(() => running.stop());
  return running;
}

test(
  'scale: one of three streamers is killed mid-series, the others finish its work',
  { skip },
  async (t) => {
    const running = await server(t);
    const scp = await startStorescp({ folder: await scratch(t), aet: 'PACS' });
    t.after(() => scp.stop());
    const rig = await makeRig(t, { destinations: { pacs: scp.port } });
    const note = join(rig.folder, 'killed');
    const env = { KILL_AT: 'image-named', KILL_NTH: '9', KILL_NOTE: note, KILL_ONCE: 'yes' };
    const streamers = await Promise.all([1, 2, 3].map(() => startShared(t, rig, running, env)));
    const folders = await Promise.all(
      [1, 2, 3].map((number) =>
        phantom(join(rig.folder, `mr${number}`), { images: IMAGES, studyId: `ses-mri0${number}` }),
      ),
    );
    await sendTo(rig.orthanc, ...folders.map(({ folder }) => folder));
    const all = await complete(streamers, folders.length);
    assert.equal(await readFile(note, 'utf8'), 'image-named 9\n');
    assert.equal(streamers.filter(({ program }) => program.exited()).length, 1, 'one, and one only, died');
    for (const series of all) {
      assert.equal(await verifyStored(rig, series), IMAGES);
      for (const { state, done, total } of series.legs)
        assert.deepEqual([state, done, total], ['done', IMAGES, IMAGES]);
    }
    const stored = all.map(folderOf);
    assert.equal(new Set(stored).size, all.length);
    assert.equal(await verifyForwarded(stored, await scp.files()), all.length * IMAGES);
    // nothing beside them: no folder was begun twice
    for (const folder of stored)
      assert.deepEqual(await readdir(join(folder, '..')), [folder.slice(folder.lastIndexOf('/') + 1)]);
  },
);

/** Waits until the process is stopped, as `ps` has it. */
const stopped = (pid: number): Promise<true> =>
  until(async () => (/^\d+ \(.*\) T/.test(await readFile(`/proc/${pid}/stat`, 'utf8')) ? true : undefined), {
    what: 'it stands still',
    timeoutMs: 60_000,
  });

for (const moment of ['manifest-due', 'manifest-written'])
  test(
    `scale: a streamer that stands still at ${moment} for longer than its lease writes nothing over its successor's record`,
    { skip },
    async (t) => {
      const running = await server(t);
      const rig = await makeRig(t);
      const { folder, files } = await phantom(join(rig.folder, 'mr1'), { images: 6 });
      const frozen = await startShared(t, rig, running, { KILL_AT: moment, KILL_SIGNAL: 'SIGSTOP' });
      await sendTo(rig.orthanc, ...files.slice(0, 4));
      await stopped(frozen.program.pid);
      await sendTo(rig.orthanc, folder);
      const other = await startShared(t, rig, running);
      const [stored] = await until(
        async () => {
          const all = await other.series().catch(() => []);
          return all[0]?.state === 'complete' && all[0].images.stored === 6 ? all : undefined;
        },
        { what: 'the other one has stored all', timeoutMs: 120_000, everyMs: 100 },
      );
      assert.ok(stored !== undefined);
      const texts = (): Promise<string[]> =>
        Promise.all(
          ['series.json', 'manifest-sha256.txt'].map((name) =>
            readFile(join(folderOf(stored), name), 'utf8'),
          ),
        );
      const before = await texts();
      process.kill(frozen.program.pid, 'SIGCONT');
      await until(() => /storing interrupted|store fails/.test(frozen.program.output()), {
        what: 'the one that stood still gives up',
        timeoutMs: 60_000,
      });
      assert.deepEqual(await texts(), before);
      assert.equal(await verifyStored(rig, stored), 6);
      assert.deepEqual(
        (await complete([frozen], 1)).map(({ images }) => images.stored),
        [6],
      );
      assert.ok((await readdir(folderOf(stored))).every((name) => !name.startsWith('.')));
    },
  );

test(
  'scale: PostgreSQL ends while a streamer works: it says so, and goes on when it is back',
  { skip },
  async (t) => {
    const running = await server(t);
    const rig = await makeRig(t);
    const streamer = await startShared(t, rig, running);
    const first = await phantom(join(rig.folder, 'mr1'), { images: 4, studyId: 'ses-mri01' });
    await sendTo(rig.orthanc, first.folder);
    await complete([streamer], 1);
    await running.halt();
    try {
      const second = await phantom(join(rig.folder, 'mr2'), { images: 4, studyId: 'ses-mri02' });
      await sendTo(rig.orthanc, second.folder);
      await until(async () => (await streamer.health()).includes('does not answer'), {
        what: 'the ledger’s absence shows',
        timeoutMs: 60_000,
      });
    } finally {
      await running.resume();
    }
    const all = await complete([streamer], 2);
    for (const series of all) assert.equal(await verifyStored(rig, series), 4);
    await until(async () => !(await streamer.health()).includes('does not answer'), {
      what: 'it is well again',
      timeoutMs: 60_000,
    });
  },
);
