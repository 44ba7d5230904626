/** Orthanc errs, breaks off, spoils bytes, stands still, forgets. Nothing is lost, everything shows. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '@scanflow/testkit';
import { folderOf, verifyManifest, verifyStored } from '../integration/streamer-verify.ts';
import { legOf, makeRig, phantom, sendTo, settled } from '../integration/streamer-support.ts';
import { startProxy, type Disturbance, type Proxy } from './orthanc-proxy.ts';

for (const [what, disturb] of [
  ['a status of 500', (count: number): Disturbance => (count === 3 ? 500 : 'pass')],
  ['a connection that breaks in the midst of an image', (count: number) => (count === 9 ? 'cut' : 'pass')],
  ['connections that are closed under a request', (count: number) => (count % 5 === 2 ? 'close' : 'pass')],
  ['one image with a bit flipped on the way, once', (count: number) => (count === 6 ? 'flip' : 'pass')],
] as const)
  test(`streamer: ${what}`, async (t) => {
    let proxy: Proxy | undefined;
    const rig = await makeRig(t, {
      between: async (orthanc) => (proxy = await startProxy(t, orthanc, disturb)).url,
    });
    await rig.start();
    const { folder } = await phantom(join(rig.folder, 'mr'), { images: 20 });
    await sendTo(rig.orthanc, folder);
    const [series] = await settled(rig, 1, ['complete'], 90_000);
    assert.ok(series !== undefined);
    assert.equal(await verifyStored(rig, series), 20);
    assert.ok((proxy?.images() ?? 0) > 20, 'nothing was disturbed');
  });

test('streamer: one image that is always served wrongly is given up, visibly; the others are stored', async (t) => {
  let bad: string | undefined;
  const rig = await makeRig(t, {
    between: async (orthanc) => {
      const spoil = (count: number, path: string): Disturbance => {
        if (count === 4) bad = path;
        return path === bad ? 'flip' : 'pass';
      };
      return (await startProxy(t, orthanc, spoil)).url;
    },
  });
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'mr'), { images: 10 });
  await sendTo(rig.orthanc, folder);
  const [series] = await settled(rig, 1, ['failed'], 120_000);
  assert.equal(legOf(series, 'storage').failure?.code, 'ORTHANC_CORRUPT');
  assert.ok(series !== undefined);
  const record = await verifyManifest(folderOf(series));
  assert.equal(record.instances.length, 9);
  assert.deepEqual(
    record.failures.map(({ code }) => code),
    ['ORTHANC_CORRUPT'],
  );
});

test('streamer: Orthanc stands still while images are pulled, and goes on', async (t) => {
  let asked: Proxy | undefined;
  const rig = await makeRig(t, {
    between: async (orthanc) => {
      const stop = (count: number): Disturbance => {
        if (count === 20) process.kill(orthanc.pid(), 'SIGSTOP');
        return 'pass';
      };
      return (asked = await startProxy(t, orthanc, stop)).url;
    },
  });
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'mr'), { images: 40 });
  await sendTo(rig.orthanc, folder);
  await until(() => (asked?.images() ?? 0) >= 20, { what: 'Orthanc is stopped', timeoutMs: 60_000 });
  try {
    const [series] = await rig.series();
    assert.equal(series?.state, 'working');
    assert.equal((await rig.health()).status, 200);
  } finally {
    process.kill(rig.orthanc.pid(), 'SIGCONT');
  }
  const [series] = await settled(rig, 1, ['complete']);
  assert.ok(series !== undefined);
  assert.equal(await verifyStored(rig, series), 40);
});

test('streamer: the change feed cleared before it was read', async (t) => {
  const rig = await makeRig(t);
  const { folder } = await phantom(join(rig.folder, 'mr'), { images: 5 });
  await sendTo(rig.orthanc, folder);
  assert.ok((await rig.orthanc.request('/changes', { method: 'DELETE' })).ok);
  await rig.start();
  // by reconciliation
  const [series] = await settled(rig, 1, ['complete']);
  assert.ok(series !== undefined);
  assert.equal(await verifyStored(rig, series), 5);
});

test('streamer: a database wiped and filled again past the cursor while the streamer was away', async (t) => {
  const rig = await makeRig(t);
  await rig.start();
  const old = await phantom(join(rig.folder, 'old'), { images: 3, seriesNumber: 1 });
  await sendTo(rig.orthanc, old.folder);
  await settled(rig, 1, ['complete']);
  await rig.streamer().stop('SIGTERM');
  await rig.orthanc.kill();
  for (const part of ['index', 'storage']) await rm(join(rig.orthanc.folder, part), { recursive: true });
  await rig.orthanc.start();
  const fresh = await phantom(join(rig.folder, 'new'), { images: 30, seriesNumber: 2 });
  await sendTo(rig.orthanc, fresh.folder);
  await rig.start();
  const all = await settled(rig, 2, ['complete']);
  const series = all.find(({ images }) => images.stored === 30);
  assert.ok(series !== undefined);
  assert.equal(await verifyStored(rig, series), 30);
});

test('streamer: one image deleted while the series is stored shows as lost, the others are there', async (t) => {
  const rig = await makeRig(t, {
    between: async (orthanc) => {
      // one tells the series' session, one where it goes; the next is only stored
      const seen = new Set<string>();
      const gone = (_: number, path: string): Disturbance => {
        seen.add(path);
        return path === [...seen][2] ? 404 : 'pass';
      };
      return (await startProxy(t, orthanc, gone)).url;
    },
  });
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'mr'), { images: 12 });
  await sendTo(rig.orthanc, folder);
  const [series] = await settled(rig, 1, ['failed']);
  assert.equal(legOf(series, 'storage').failure?.code, 'SOURCE_GONE');
  assert.ok(series !== undefined);
  const { instances, failures } = await verifyManifest(folderOf(series));
  assert.equal(instances.length, 11);
  const lost = failures as readonly { code: string; orthancId?: string }[];
  assert.deepEqual(
    lost.map(({ code }) => code),
    ['SOURCE_GONE'],
  );
  // what Orthanc still has apart from that one is all there
  await rig.orthanc.request(`/instances/${lost[0]?.orthancId ?? ''}`, { method: 'DELETE' });
  assert.equal(await verifyStored(rig, series), 11);
});
