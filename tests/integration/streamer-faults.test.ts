/** What goes wrong between Orthanc, the streamer and the disk. Nothing is lost, everything shows. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rename, rm, rmdir, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { run, startOrthanc, startStorescp, until } from '@scanflow/testkit';
import { folderOf, recordOf, verifyForwarded, verifyStored } from './streamer-verify.ts';
import { legOf, legWhen, makeRig, phantom, scratch, sendTo, settled } from './streamer-support.ts';

test('streamer: Orthanc restarted before the quiet time is over', async (t) => {
  const rig = await makeRig(t, { quiet: '3s' });
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'mr'), { images: 10 });
  await sendTo(rig.orthanc, folder);
  await settled(rig, 1, ['collecting']);
  await rig.orthanc.kill();
  await rig.orthanc.start();
  const [series] = await settled(rig, 1, ['complete']);
  assert.ok(series !== undefined);
  assert.equal(await verifyStored(rig, series), 10);
});

test('streamer: both restarted before the quiet time is over', async (t) => {
  const rig = await makeRig(t, { quiet: '2s' });
  const first = await rig.start();
  const { folder } = await phantom(join(rig.folder, 'mr'), { images: 10 });
  await sendTo(rig.orthanc, folder);
  await settled(rig, 1, ['collecting']);
  await first.stop('SIGKILL');
  await rig.orthanc.kill();
  await rig.start();
  await rig.orthanc.start();
  const [series] = await settled(rig, 1, ['complete']);
  assert.ok(series !== undefined);
  assert.equal(await verifyStored(rig, series), 10);
});

test('streamer: images that came while it was not there', async (t) => {
  const rig = await makeRig(t);
  const a = await phantom(join(rig.folder, 'a'), { images: 5, seriesNumber: 1 });
  const b = await phantom(join(rig.folder, 'b'), { images: 5, seriesNumber: 1001 });
  await sendTo(rig.orthanc, a.folder, b.folder);
  await rig.start();
  const all = await settled(rig, 2, ['complete']);
  for (const series of all) assert.equal(await verifyStored(rig, series), 5);
  const names = (await readdir(join(rig.root, '3010000.01/raw/sub-001/ses-mri01'))).sort();
  assert.deepEqual(names, ['001-phantom_mr', '1001-phantom_mr']);
});

test('streamer: Orthanc killed while images are pulled', async (t) => {
  const rig = await makeRig(t);
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'mr'), { images: 150, rows: 300, columns: 300 });
  await sendTo(rig.orthanc, folder);
  await legWhen(rig, 'storage', ({ done }) => done > 0, 'some images are stored');
  await rig.orthanc.kill();
  const leg = await legWhen(rig, 'storage', ({ failure }) => failure !== undefined, 'the failure shows');
  assert.equal(leg.state, 'pending');
  assert.match(leg.failure?.code ?? '', /^ORTHANC_(UNREACHABLE|TRUNCATED|STALLED)$/);
  await rig.orthanc.start();
  const [series] = await settled(rig, 1, ['complete']);
  assert.ok(series !== undefined);
  assert.equal(await verifyStored(rig, series), 150);
});

test('streamer: a database wiped and filled anew', async (t) => {
  const rig = await makeRig(t);
  await rig.start();
  const old = await phantom(join(rig.folder, 'old'), { images: 6, seriesNumber: 1 });
  await sendTo(rig.orthanc, old.folder);
  await settled(rig, 1, ['complete']);
  await rig.orthanc.kill();
  await rm(join(rig.orthanc.folder, 'index'), { recursive: true });
  await rm(join(rig.orthanc.folder, 'storage'), { recursive: true });
  await rig.orthanc.start();
  const fresh = await phantom(join(rig.folder, 'new'), { images: 2, seriesNumber: 2 });
  // fewer changes than before: the cursor stands behind the end
  await sendTo(rig.orthanc, fresh.folder);
  const all = await settled(rig, 2, ['complete']);
  const [series] = all.filter(({ images }) => images.stored === 2);
  assert.ok(series !== undefined);
  assert.equal(await verifyStored(rig, series), 2);
  await rig.streamer().said(/ORTHANC_WIPED/);
  // the old series again: the same bytes, another copy of Orthanc's
  await sendTo(rig.orthanc, old.folder);
  const again = (await settled(rig, 2, ['complete'])).find(({ id }) => id !== series.id);
  assert.ok(again !== undefined);
  assert.equal(await verifyStored(rig, again), 6);
});

test('streamer: a series deleted before it was stored is a visible failure', async (t) => {
  const rig = await makeRig(t, { quiet: '2s' });
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'mr'), { images: 3 });
  await sendTo(rig.orthanc, folder);
  const [seen] = await settled(rig, 1, ['collecting']);
  await rig.orthanc.request(`/series/${seen?.id ?? ''}`, { method: 'DELETE' });
  const [series] = await settled(rig, 1, ['failed']);
  assert.equal(legOf(series, 'storage').failure?.code, 'SOURCE_GONE');
});

test('streamer: a series deleted when half of it was stored: that half is recorded and sent', async (t) => {
  const scp = await startStorescp({ folder: await scratch(t), aet: 'PACS' });
  t.after(() => scp.stop());
  const rig = await makeRig(t, { destinations: { pacs: scp.port } });
  const doomed = await rig.start({ at: 'images-recorded' });
  const { folder } = await phantom(join(rig.folder, 'mr'), { images: 40 });
  await sendTo(rig.orthanc, folder);
  await until(() => doomed.exited(), { what: 'the streamer dies', timeoutMs: 60_000 });
  const [id = ''] = (await rig.orthanc.get('/series')) as string[];
  await rig.orthanc.request(`/series/${id}`, { method: 'DELETE' });
  await rig.start();
  const [series] = await settled(rig, 1, ['failed']);
  assert.equal(legOf(series, 'storage').failure?.code, 'SOURCE_GONE');
  assert.ok(series !== undefined);
  const { instances, failures } = await recordOf(folderOf(series));
  assert.equal(instances.length, 16);
  assert.equal(failures[0]?.code, 'SOURCE_GONE');
  assert.equal(await verifyForwarded([folderOf(series)], await scp.files()), 16);
});

test('streamer: deleting from Orthanc what was stored changes nothing', async (t) => {
  const rig = await makeRig(t);
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'a'), { images: 3, seriesNumber: 1 });
  await sendTo(rig.orthanc, folder);
  const [first] = await settled(rig, 1, ['complete']);
  assert.ok(first !== undefined);
  await rig.orthanc.request(`/series/${first.id}`, { method: 'DELETE' });
  // its rows in the change feed go with it; the next series is seen all the same
  const next = await phantom(join(rig.folder, 'b'), { images: 2, seriesNumber: 2 });
  await sendTo(rig.orthanc, next.folder);
  const all = await settled(rig, 2, ['complete']);
  assert.deepEqual(all.map(({ images }) => images.stored).sort(), [2, 3]);
  assert.doesNotMatch(rig.streamer().output(), /ORTHANC_WIPED/);
});

/** `failing CODE` or `degraded CODE` of each fault. */
const faultsOf = ({ body }: { readonly body: Readonly<Record<string, unknown>> }): string[] =>
  ((body['faults'] ?? []) as { state: string; code: string }[]).map(({ state, code }) => `${state} ${code}`);

test('streamer: a password that turns wrong shows, and the right one mends it', async (t) => {
  const rig = await makeRig(t);
  await rig.start();
  await settled(rig, 0);
  await rig.orthanc.kill();
  // another Orthanc at the same port: it knows another password
  const stranger = await startOrthanc({
    folder: join(rig.folder, 'stranger'),
    httpPort: rig.orthanc.httpPort,
  });
  t.after(() => stranger.kill());
  await until(() => rig.streamer().output().includes('ORTHANC_DENIED'), {
    what: 'the refusal is in the log',
    timeoutMs: 30_000,
  });
  await until(async () => faultsOf(await rig.health()).includes('failing ORTHANC_DENIED'), {
    what: '/healthz names it',
    timeoutMs: 10_000,
  });
  assert.equal((await rig.health()).status, 503);
  assert.equal((await fetch(`${rig.url}/livez`)).status, 200);
  await stranger.kill();
  await rig.orthanc.start();
  const { folder } = await phantom(join(rig.folder, 'mr'), { images: 1 });
  await sendTo(rig.orthanc, folder);
  await settled(rig, 1, ['complete']);
});

test('streamer: a full disk holds the series back, visibly, and nothing half written stays', async (t) => {
  const root = await tinyDisk(t, '1m');
  if (root === undefined) {
    t.skip('mounting a small file system takes root');
    return;
  }
  const rig = await makeRig(t, { root });
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'mr'), { images: 12, rows: 300, columns: 300 });
  await sendTo(rig.orthanc, folder);
  const leg = await legWhen(rig, 'storage', ({ failure }) => failure !== undefined, 'the failure shows');
  assert.equal(leg.state, 'pending');
  assert.equal(leg.failure?.code, 'STORE_DISK_FULL');
  assert.ok(leg.done < 12);
  const [waiting] = await rig.series();
  assert.ok(waiting !== undefined);
  const names = await readdir(folderOf(waiting));
  assert.deepEqual(
    names.filter((name) => name.startsWith('.')),
    [],
    'something half written is left',
  );
  // it is no reason for a restart, and shows to whoever asks how it is
  const health = await until(
    async () => {
      const answer = await rig.health();
      return answer.status === 503 ? answer : undefined;
    },
    { what: '/healthz shows the full disk', timeoutMs: 30_000 },
  );
  assert.ok(faultsOf(health).includes('failing STORE_DISK_FULL'), JSON.stringify(health.body));
  assert.match(JSON.stringify(health.body), /1 series waits for storage since .*Free space/);
  const open = ['/livez', '/readyz'].map(async (path) => (await fetch(`${rig.url}${path}`)).status);
  assert.deepEqual(await Promise.all(open), [200, 503]);
  const metrics = await rig.metrics();
  assert.match(metrics, /^scanflow_healthy 0$/m);
  assert.match(metrics, /scanflow_streamer_waiting_legs\{target="storage",reason="STORE_DISK_FULL"\} 1/);
  assert.match(
    metrics,
    /scanflow_streamer_oldest_waiting_seconds\{target="storage",reason="STORE_DISK_FULL"\} \d/,
  );
  assert.equal((await run('mount', ['-o', 'remount,size=64m', root])).code, 0);
  const [series] = await settled(rig, 1, ['complete'], 90_000);
  assert.ok(series !== undefined);
  assert.equal(await verifyStored(rig, series), 12);
});

test('streamer: project storage that is not mounted is waited for, and never made', async (t) => {
  const rig = await makeRig(t);
  await rename(rig.root, `${rig.root}.away`);
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'mr'), { images: 2 });
  await sendTo(rig.orthanc, folder);
  const leg = await legWhen(rig, 'storage', ({ failure }) => failure !== undefined, 'the failure shows');
  assert.equal(leg.failure?.code, 'STORE_ROOT_MISSING');
  await assert.rejects(readdir(rig.root), /ENOENT/);
  await rename(`${rig.root}.away`, rig.root);
  const [series] = await settled(rig, 1, ['complete'], 90_000);
  assert.ok(series !== undefined);
  assert.equal(await verifyStored(rig, series), 2);
});

test('streamer: a symbolic link out of the root is not followed', async (t) => {
  const rig = await makeRig(t);
  const outside = join(rig.folder, 'outside');
  await mkdir(outside);
  await symlink(outside, join(rig.root, '3010000.01'));
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'mr'), { images: 2 });
  await sendTo(rig.orthanc, folder);
  const [series] = await settled(rig, 1, ['failed']);
  assert.equal(legOf(series, 'storage').failure?.code, 'STORE_OUTSIDE_ROOT');
  assert.deepEqual(await readdir(outside), []);
});

/** A file system of that size, gone when the test ends; undefined where it may not be mounted. */
async function tinyDisk(t: TestContext, size: string): Promise<string | undefined> {
  const root = await mkdtemp(join(tmpdir(), 'scanflow-disk-'));
  const mounted = (await run('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', root])).code === 0;
  t.after(async () => {
    if (mounted) await run('umount', ['-l', root]);
    await rmdir(root);
  });
  return mounted ? root : undefined;
}
