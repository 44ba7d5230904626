/** Erasing where people decided, moved and acknowledged: nothing of that names the subject, and another's images stay. */
import assert from 'node:assert/strict';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { test, type TestContext } from 'node:test';
import { run, until, type RunResult } from '@scanflow/testkit';
import { scanflow } from './streamer-loss-support.ts';
import { folderOf } from './streamer-verify.ts';
import { makeRig, phantom, sendTo, settled, type Rig, type Series } from './streamer-support.ts';
import { verifiedWhen } from './streamer-verify-support.ts';

const PROJECT = '3010000.01';
const GONE = 'sub-withdrawn77';
const OTHER = 'sub-other55';
const IMAGES = 4;

const labels = (subject: string): string[] => [
  ...['--project', PROJECT, '--subject', subject, '--session', 'ses-1'],
];
const cli = (rig: Rig, ...args: string[]): Promise<RunResult> =>
  scanflow(...args, '--config', rig.configFile);

async function done(result: Promise<RunResult>, rig: Rig): Promise<void> {
  const { code, stderr } = await result;
  assert.equal(code, 0, stderr + rig.streamer().output());
}

const erase = (rig: Rig): Promise<RunResult> =>
  cli(rig, 'erase', '--project', PROJECT, '--subject', GONE, '--yes', '--reason', 'consent withdrawn');

/** Stored under the labels that a person gave it. */
async function released(t: TestContext, subject: string): Promise<{ rig: Rig; series: Series }> {
  const rig = await makeRig(t, { extra: { sessions: { quiet: '300ms' } } });
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'a'), { images: IMAGES, patientId: 'typed by hand' });
  await sendTo(rig.orthanc, folder);
  const [waiting] = await settled(rig, 1, ['quarantined']);
  await done(cli(rig, 'series', 'release', waiting?.id ?? '', ...labels(subject)), rig);
  const [series] = await settled(rig, 1, ['complete']);
  assert.ok(series !== undefined);
  return { rig, series };
}

const move = (rig: Rig, { id }: Series, subject: string, ...more: string[]): Promise<RunResult> =>
  cli(rig, 'series', 'move', id, ...labels(subject), '--reason', 'wrong item picked', ...more);

const movedTo = (rig: Rig, subject: string): Promise<Series> =>
  until(
    async () => {
      const [series] = await settled(rig, 1, ['complete', 'working']);
      if (series === undefined || !relative(rig.root, folderOf(series)).includes(subject)) return undefined;
      const { series: one } = (await (await rig.api(`/api/series/${series.id}`)).json()) as {
        series: { moving?: object };
      };
      return one.moving === undefined ? series : undefined;
    },
    { what: 'it is moved', timeoutMs: 60_000 },
  );

/** Files and folders below project storage and the data folder that name the subject. */
async function naming(rig: Rig, subject: string): Promise<string[]> {
  const found: string[] = [];
  for (const folder of [rig.root, rig.data])
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      // a file that was written aside may have its name by now
      const bytes = entry.isFile() && !entry.name.endsWith('.tmp') ? await readFile(path) : '';
      if (path.includes(subject) || bytes.includes(subject)) found.push(path);
    }
  return found;
}

async function assertForgotten(rig: Rig, ...subjects: string[]): Promise<void> {
  for (const subject of subjects) {
    assert.deepEqual(await naming(rig, subject), []);
    assert.ok(!rig.streamer().output().includes(subject), 'the log names the subject');
  }
}

const imagesInOrthanc = async (rig: Rig): Promise<number> =>
  ((await rig.orthanc.get('/statistics')) as { CountInstances: number }).CountInstances;

test('erase: a series that was released, moved and kept, verified and acknowledged leaves nothing', async (t) => {
  const { rig, series } = await released(t, OTHER);
  await done(move(rig, series, GONE, '--keep'), rig);
  const now = await movedTo(rig, GONE);
  const [image = ''] = (await readdir(folderOf(now))).filter((name) => name.endsWith('.dcm'));
  await rm(join(folderOf(now), image));
  await cli(rig, 'verify', series.id);
  await verifiedWhen(rig, series, ({ failure }) => failure !== undefined, 'the missing file shows');
  const reason = `${GONE} asked for it`;
  await done(cli(rig, 'verify', 'acknowledge', series.id, '--reason', reason), rig);
  assert.ok((await naming(rig, GONE)).some((path) => path.includes('.scanflow/decisions')));
  await done(erase(rig), rig);
  assert.deepEqual(await settled(rig, 0), []);
  assert.equal(await imagesInOrthanc(rig), 0);
  // the folder under the wrong labels held images of the subject, too
  await assertForgotten(rig, GONE, OTHER);
  assert.deepEqual(await naming(rig, series.id), []);
});

test('erase: a series that was moved to another subject stays, and no longer says from where', async (t) => {
  const { rig, series } = await released(t, GONE);
  await done(move(rig, series, OTHER, '--keep'), rig);
  const now = await movedTo(rig, OTHER);
  const images = async (): Promise<string> =>
    (await run('sha256sum', ['-c', '--strict', 'manifest-sha256.txt'], { cwd: folderOf(now) })).stdout;
  const before = await images();
  await done(erase(rig), rig);
  assert.equal(await images(), before);
  assert.equal(before.match(/: OK$/gm)?.length, IMAGES);
  assert.equal(await imagesInOrthanc(rig), IMAGES);
  await until(async () => (await naming(rig, GONE)).length === 0, {
    what: 'the report of the session, too, names the subject no more',
    timeoutMs: 30_000,
  }).catch(() => undefined);
  await assertForgotten(rig, GONE);
  const back = await move(rig, series, GONE);
  assert.equal(back.code, 1, 'it is moved to a subject that was erased');
  assert.match(back.stderr, /ERASED/);
  await assertForgotten(rig, GONE);
});

test('erase: nothing is released to a subject that was erased', async (t) => {
  const { rig } = await released(t, GONE);
  await done(erase(rig), rig);
  const { folder } = await phantom(join(rig.folder, 'b'), { images: 2, patientId: 'another by hand' });
  await sendTo(rig.orthanc, folder);
  const [waiting] = await settled(rig, 1, ['quarantined']);
  const refused = await cli(rig, 'series', 'release', waiting?.id ?? '', ...labels(GONE));
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /ERASED/);
  await assertForgotten(rig, GONE);
});

for (const [from, to] of [
  [GONE, OTHER],
  [OTHER, GONE],
] as const)
  for (const at of ['folder-claimed', 'image-moved', 'moved-record-written', 'series-moved'])
    test(`erase: in the midst of a move ${to === GONE ? 'to' : 'from'} the subject, killed at ${at}`, async (t) => {
      const { rig, series } = await released(t, from);
      await rig.streamer().stop();
      const doomed = await rig.start({ at });
      await settled(rig, 1, ['complete']);
      await move(rig, series, to);
      await until(() => doomed.exited(), { what: 'it is killed', timeoutMs: 60_000 });
      await rig.start();
      await until(() => rig.health().catch(() => undefined), { what: 'it answers', timeoutMs: 60_000 });
      await done(erase(rig), rig);
      if (to === GONE) {
        assert.deepEqual(await settled(rig, 0), []);
        assert.equal(await imagesInOrthanc(rig), 0);
      } else {
        const now = await movedTo(rig, OTHER);
        const files = await readdir(folderOf(now));
        assert.equal(files.filter((name) => name.endsWith('.dcm')).length, IMAGES);
        await until(async () => (await naming(rig, GONE)).length === 0, {
          what: 'the report of the session is written anew',
          timeoutMs: 30_000,
        }).catch(() => undefined);
      }
      await assertForgotten(rig, GONE);
    });
