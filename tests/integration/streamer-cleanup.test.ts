/** Deleting from Orthanc: what is stored and verified, when asked to, and nothing else. */
import assert from 'node:assert/strict';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { run, until } from '@scanflow/testkit';
import { startProxy } from '../faults/orthanc-proxy.ts';
import { folderOf, recordOf, verifyManifest, verifyStored } from './streamer-verify.ts';
import { makeRig, phantom, sendTo, settled, type Rig } from './streamer-support.ts';

const CLEANUP = { cleanup: { after: '500ms' } };

/** Instances that Orthanc has. */
const inOrthanc = async (rig: Rig): Promise<number> =>
  ((await rig.orthanc.get('/statistics')) as { CountInstances: number }).CountInstances;

const empty = (rig: Rig): Promise<unknown> =>
  until(async () => (await inOrthanc(rig)) === 0, { what: 'Orthanc is empty', timeoutMs: 60_000 });

/** A series that still goes its way; no verdict. */
const WAITS = 'CLEANUP_WAITS';

interface Shown {
  readonly id: string;
  readonly state: string;
  readonly cleaned?: string;
  readonly notCleaned?: { readonly code: string };
}
const shown = (rig: Rig, wanted: (series: Shown) => boolean, what: string): Promise<Shown> =>
  until(async () => ((await rig.series().catch(() => [])) as Shown[]).find(wanted), {
    what,
    timeoutMs: 60_000,
  });

test('cleanup: what is stored goes from Orthanc; sent again it is a duplicate, late images are added', async (t) => {
  const rig = await makeRig(t, { extra: CLEANUP });
  await rig.start();
  const { files } = await phantom(join(rig.folder, 'a'), { images: 5 });
  await sendTo(rig.orthanc, ...files.slice(0, 4));
  await shown(rig, ({ cleaned }) => cleaned !== undefined, 'it is deleted');
  assert.equal(await inOrthanc(rig), 0);
  const [series] = await settled(rig, 1, ['complete']);
  assert.ok(series !== undefined);
  assert.equal((await verifyManifest(folderOf(series))).instances.length, 4);
  // whatever is compared at the start finds nothing lost
  await rig.streamer().stop();
  await rig.start();
  assert.equal((await settled(rig, 1, ['complete']))[0]?.state, 'complete');
  assert.doesNotMatch(rig.streamer().output(), /SOURCE_GONE/);
  // all five: four of them are there
  await sendTo(rig.orthanc, ...files);
  await until(async () => (await recordOf(folderOf(series))).instances.length === 5, {
    what: 'the late image is stored',
    timeoutMs: 60_000,
  });
  await empty(rig);
  const record = await verifyManifest(folderOf(series));
  assert.deepEqual(record.instances.map(({ increment }) => increment).sort(), [1, 1, 1, 1, 2]);
});

test('cleanup: nothing goes when a stored image is not what was stored, nor what is in quarantine', async (t) => {
  const rig = await makeRig(t);
  await rig.start();
  const a = await phantom(join(rig.folder, 'a'), { images: 3 });
  const b = await phantom(join(rig.folder, 'b'), { images: 2, patientId: 'nobody' });
  await sendTo(rig.orthanc, a.folder, b.folder);
  const all = await settled(rig, 2);
  const stored = all.find(({ state }) => state === 'complete');
  assert.ok(stored !== undefined);
  await rig.streamer().stop();
  const image = join(folderOf(stored), (await recordOf(folderOf(stored))).instances[2]?.file ?? '');
  const before = await readFile(image);
  await appendFile(image, 'x');
  const config = JSON.parse(await readFile(rig.configFile, 'utf8')) as object;
  await writeFile(rig.configFile, JSON.stringify({ ...config, ...CLEANUP }));
  await rig.start();
  const isRefused = ({ id, notCleaned }: Shown): boolean =>
    id === stored.id && notCleaned !== undefined && notCleaned.code !== WAITS;
  const refused = await shown(rig, isRefused, 'it is refused');
  assert.equal(refused.notCleaned?.code, 'CLEANUP_FILE_CHANGED');
  assert.equal(await inOrthanc(rig), 5);
  // put right, it goes with the next look; quarantine stays
  await writeFile(image, before);
  await rig.streamer().stop();
  await rig.start();
  await shown(rig, ({ cleaned }) => cleaned !== undefined, 'it is deleted');
  assert.equal(await inOrthanc(rig), 2);
});

test('cleanup: killed between two images, it goes on, and nothing is taken for lost', async (t) => {
  const rig = await makeRig(t, { extra: CLEANUP });
  const doomed = await rig.start({ at: 'image-deleted', nth: 2 });
  const { folder } = await phantom(join(rig.folder, 'a'), { images: 5 });
  await sendTo(rig.orthanc, folder);
  await until(() => doomed.exited(), { what: 'the streamer dies', timeoutMs: 60_000 });
  assert.equal(await inOrthanc(rig), 3);
  await rig.start();
  const done = await shown(rig, ({ cleaned }) => cleaned !== undefined, 'it is deleted');
  assert.equal(done.state, 'complete');
  await empty(rig);
  const [series] = await settled(rig, 1, ['complete']);
  assert.ok(series !== undefined);
  assert.equal((await verifyManifest(folderOf(series))).instances.length, 5);
});

test('cleanup: a deletion whose answer is lost was done, and the rest goes on at once', async (t) => {
  let deletions = 0;
  const rig = await makeRig(t, {
    extra: CLEANUP,
    between: async (orthanc) =>
      (
        await startProxy(
          t,
          orthanc,
          () => 'pass',
          () => ((deletions += 1) === 2 ? 'lost' : 'pass'),
        )
      ).url,
  });
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'a'), { images: 4 });
  await sendTo(rig.orthanc, folder);
  const done = await shown(
    rig,
    ({ cleaned, notCleaned }) =>
      cleaned !== undefined || (notCleaned !== undefined && notCleaned.code !== WAITS),
    'it is deleted or is not',
  );
  assert.deepEqual([done.notCleaned, done.state], [undefined, 'complete']);
  assert.equal(await inOrthanc(rig), 0);
  // the lost one was asked for twice
  assert.equal(deletions, 5);
  await rig.streamer().said(/deleted from Orthanc.*"images":4/);
});

test('cleanup: nothing goes unasked', async (t) => {
  const rig = await makeRig(t);
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'a'), { images: 2 });
  await sendTo(rig.orthanc, folder);
  const [series] = await settled(rig, 1, ['complete']);
  assert.ok(series !== undefined);
  assert.equal(await verifyStored(rig, series), 2);
  assert.equal(await inOrthanc(rig), 2);
});

test('cleanup: what keeps series in Orthanc shows: a failed hook, a failed leg, quarantine', async (t) => {
  const hooks = { nifti: { on: ['stored'], retries: 0, command: ['/bin/false'] } };
  const rig = await makeRig(t, { extra: { ...CLEANUP, hooks } });
  await rig.start();
  const a = await phantom(join(rig.folder, 'a'), { images: 2 });
  const b = await phantom(join(rig.folder, 'b'), { images: 2, patientId: 'nobody' });
  await sendTo(rig.orthanc, a.folder, b.folder);
  await shown(rig, ({ notCleaned }) => notCleaned?.code === 'HOOK_EXIT', 'the hook keeps one');
  await shown(rig, ({ notCleaned }) => notCleaned?.code === 'ROUTE_NO_MATCH', 'quarantine keeps the other');
  const { status, body } = await rig.health();
  assert.equal(status, 200);
  assert.deepEqual(body['notCleaned'], { series: 2, because: { HOOK_EXIT: 1, ROUTE_NO_MATCH: 1 } });
  const doctor = await run('npx', [
    'scanflow',
    'doctor',
    'hooks',
    'cleanup',
    '--json',
    '--config',
    rig.configFile,
  ]);
  const { checks: results } = JSON.parse(doctor.stdout) as {
    checks: { check: string; state: string; code?: string }[];
  };
  assert.deepEqual(results.map(({ check, state, code = '' }) => [check, state, code]).sort(), [
    ['cleanup', 'warning', 'HOOK_EXIT'],
    ['cleanup', 'warning', 'ROUTE_NO_MATCH'],
    ['hooks', 'warning', 'HOOK_EXIT'],
  ]);
  const list = await run('npx', ['scanflow', 'series', 'list', '--config', rig.configFile]);
  assert.match(list.stdout, /in Orthanc: HOOK_EXIT/);
  // given up: it may go
  const held = (await rig.series()).find(({ state }) => state === 'complete');
  assert.ok(held !== undefined);
  await run('npx', [
    'scanflow',
    'series',
    'skip',
    held.id,
    '--target',
    'hook:nifti',
    '--config',
    rig.configFile,
  ]);
  await shown(
    rig,
    ({ cleaned, notCleaned }) => cleaned !== undefined && notCleaned === undefined,
    'it is deleted',
  );
});
