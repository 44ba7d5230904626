/** A subject withdraws consent: everything goes, stays gone, and nothing here says afterwards who it was. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { findPostgres, startPostgres, startScriptedScp, until, type ScriptedScp } from '@scanflow/testkit';
import { requireForgotten } from './streamer-erase-support.ts';
import { filesBelow, scanflow } from './streamer-loss-support.ts';
import { legOf, makeRig, phantom, sendTo, settled, type Rig } from './streamer-support.ts';

const PROJECT = '3010000.01';
/** Codes that stand nowhere else by chance. */
const GONE = 'sub-withdrawn77';
const STAYS = 'sub-staying88';

interface Place {
  readonly rig: Rig;
  readonly pacs: ScriptedScp;
  readonly images: string;
}

/** Two subjects, stored, copied, sent and reported. */
async function place(t: TestContext, extra: Readonly<Record<string, unknown>> = {}): Promise<Place> {
  const pacs = await startScriptedScp();
  t.after(() => pacs.close());
  const rig = await makeRig(t, {
    destinations: { pacs: pacs.port },
    extra: { sessions: { quiet: '1s' }, ...extra },
  });
  const config = JSON.parse(await readFile(rig.configFile, 'utf8')) as Record<string, unknown>;
  const copy = { root: join(rig.folder, 'copy') };
  await mkdir(copy.root);
  const storage = { ...(config['storage'] as object), copy };
  await writeFile(rig.configFile, JSON.stringify({ ...config, storage }));
  await rig.start();
  const gone = await phantom(join(rig.folder, 'a'), {
    images: 4,
    patientId: `${PROJECT}_${GONE}`,
    studyId: 'ses-1',
  });
  const stays = await phantom(join(rig.folder, 'b'), {
    images: 3,
    patientId: `${PROJECT}_${STAYS}`,
    studyId: 'ses-1',
  });
  await sendTo(rig.orthanc, gone.folder, stays.folder);
  await settled(rig, 2, ['complete']);
  await until(
    async () => (await names(rig.root)).filter((name) => name.includes('scanflow-report')).length >= 4,
    {
      what: 'both sessions are reported',
      timeoutMs: 30_000,
    },
  );
  return { rig, pacs, images: gone.folder };
}

const names = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true })).toSorted();

const erase = ({ rig }: Place, ...flags: string[]): ReturnType<typeof scanflow> =>
  scanflow('erase', '--project', PROJECT, '--subject', GONE, ...flags, '--config', rig.configFile);

/** Names and contents, database pages and logs. */
async function assertForgotten(
  { rig }: Place,
  folders = [rig.root, join(rig.folder, 'copy'), rig.data],
): Promise<void> {
  await requireForgotten(GONE, folders);
  assert.ok(!rig.streamer().output().includes(GONE), 'the log names the subject');
}

async function assertErased(all: Place): Promise<void> {
  const { rig } = all;
  const series = await settled(rig, 1, ['complete']);
  assert.equal(series[0]?.images.stored, 3);
  const { CountInstances: count } = (await rig.orthanc.get('/statistics')) as { CountInstances: number };
  assert.equal(count, 3);
  await assertForgotten(all);
}

test('erase: a preview, then everything of the subject goes, and nothing of another', async (t) => {
  const all = await place(t);
  const { rig, pacs, images } = all;
  const before = await filesBelow(rig.root);
  const preview = await erase(all, '--preview');
  assert.equal(preview.code, 0, preview.stderr);
  assert.match(preview.stdout, /4 images in project storage/);
  assert.match(preview.stdout, /4 images in the copy/);
  assert.match(preview.stdout, /4 images in Orthanc/);
  assert.match(preview.stdout, /pacs: up to 4 images/);
  assert.deepEqual(await filesBelow(rig.root), before, 'the preview changed something');
  const refused = await erase(all, '--yes', '--reason', `${GONE} asked`);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /must not name/);
  const erased = await erase(all, '--yes', '--reason', 'consent withdrawn');
  assert.equal(erased.code, 0, erased.stderr + rig.streamer().output());
  await assertErased(all);
  const after = await filesBelow(rig.root);
  for (const [name, what] of before)
    if (name.includes(STAYS)) assert.equal(after.get(name), what, `${name} changed`);

  // sent again, by whoever still has it, it goes nowhere
  const requests = pacs.requests.length;
  await sendTo(rig.orthanc, images);
  const series = await settled(rig, 2, ['complete', 'quarantined']);
  const again = series.find(({ state }) => state === 'quarantined');
  assert.equal(again?.reasonCode, 'ERASED');
  // also under another name, by what the images are
  const labels = ['--project', '3010000.02', '--subject', 'sub-other', '--session', 'ses-1'];
  await scanflow('series', 'release', again.id, ...labels, '--config', rig.configFile);
  await settled(rig, 2, ['complete', 'quarantined']);
  assert.equal(pacs.requests.length, requests);
  await assertForgotten(all);

  // a new series of the same subject
  const more = await phantom(join(rig.folder, 'c'), {
    images: 2,
    patientId: `${PROJECT}_${GONE}`,
    studyId: 'ses-2',
  });
  await sendTo(rig.orthanc, more.folder);
  const all3 = await settled(rig, 3, ['complete', 'quarantined']);
  assert.equal(all3.filter(({ reasonCode }) => reasonCode === 'ERASED').length, 2);
  await assertForgotten(all);
});

for (const at of [
  'erasure-marked',
  'erasure-forgotten',
  'erasure-orthanc',
  'erasure-series',
  'erasure-removed',
  'erasure-done',
])
  test(`erase: killed at ${at}, it is done by the next start`, async (t) => {
    const all = await place(t);
    const { rig } = all;
    await rig.streamer().stop();
    const doomed = await rig.start({ at });
    await settled(rig, 2, ['complete']);
    const asked = erase(all, '--yes', '--reason', 'consent withdrawn');
    await until(() => doomed.exited(), { what: 'it is killed', timeoutMs: 60_000 });
    await asked;
    await rig.start();
    await until(
      async () =>
        !(await names(join(rig.data, 'streamer', 'erasing')).catch(() => [])).some((n) =>
          n.endsWith('.json'),
        ),
      {
        what: 'the erasure is done',
        timeoutMs: 60_000,
      },
    );
    await assertErased(all);
  });

test('erase: what is in quarantine goes, too', async (t) => {
  const all = await place(t);
  const { rig } = all;
  const patientId = `${PROJECT} ${GONE} by hand`;
  const more = await phantom(join(rig.folder, 'c'), { images: 2, patientId, studyId: 'ses-2' });
  await sendTo(rig.orthanc, more.folder);
  const series = await settled(rig, 3, ['complete', 'quarantined']);
  assert.equal(series.filter(({ state }) => state === 'quarantined').length, 1);
  const erased = await erase(all, '--yes', '--reason', 'consent withdrawn');
  assert.equal(erased.code, 0, erased.stderr);
  await assertErased(all);
});

test('erase: one session alone', async (t) => {
  const all = await place(t);
  const { rig } = all;
  const more = await phantom(join(rig.folder, 'c'), {
    images: 2,
    patientId: `${PROJECT}_${GONE}`,
    studyId: 'ses-2',
  });
  await sendTo(rig.orthanc, more.folder);
  await settled(rig, 3, ['complete']);
  const erased = await erase(all, '--session', 'ses-1', '--yes', '--reason', 'consent withdrawn');
  assert.equal(erased.code, 0, erased.stderr);
  const series = await settled(rig, 2, ['complete']);
  assert.deepEqual(series.map(({ images }) => images.stored).toSorted(), [2, 3]);
  for (const one of series) assert.equal(legOf(one, 'pacs').state, 'done');
});

test(
  'erase: with a ledger in PostgreSQL',
  {
    skip: findPostgres() === undefined ? 'PostgreSQL is not installed' : false,
  },
  async (t) => {
    const server = await startPostgres();
    t.after(() => server.stop());
    const ledger = { url: server.url, passwordFile: server.passwordFile, lease: '4s' };
    const all = await place(t, { ledger });
    const erased = await erase(all, '--yes', '--reason', 'consent withdrawn');
    assert.equal(erased.code, 0, erased.stderr);
    await assertErased(all);
  },
);
