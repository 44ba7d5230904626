/** Storage that is away while stored files are verified is no loss: nothing is called missing, and it goes on by itself. */
import assert from 'node:assert/strict';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '@scanflow/testkit';
import { makeRig, phantom, sendTo, settled, type Rig, type Series } from '../integration/streamer-support.ts';
import { scanflow, verificationOf } from '../integration/streamer-verify-support.ts';
import { makeFailingDisk } from './disk.ts';

async function stored(rig: Rig): Promise<Series> {
  await rig.start();
  await sendTo(rig.orthanc, (await phantom(join(rig.folder, 'in'), { images: 4 })).folder);
  const [series] = await settled(rig, 1, ['complete']);
  assert.ok(series !== undefined);
  return series;
}

/** Verifies while storage is away; once the streamer has noticed, it is given back. */
async function verifyWhile(rig: Rig, series: Series, code: RegExp, back: () => Promise<void>): Promise<void> {
  const asked = scanflow(rig, 'verify', series.id);
  await until(() => code.test(rig.streamer().output()), { what: String(code), timeoutMs: 30_000 });
  await back();
  const { code: exit, stdout, stderr } = await asked;
  assert.equal(exit, 0, stdout + stderr);
  assert.doesNotMatch(rig.streamer().output(), /VERIFY_(MISSING|CHANGED|RECORD_GONE)/);
  const [verification] = await verificationOf(rig, series);
  assert.equal(verification?.failure, undefined);
  await settled(rig, 1, ['complete']);
}

test('verify: a root that is empty, or not there, is not mounted', async (t) => {
  const rig = await makeRig(t);
  const series = await stored(rig);
  const away = `${rig.root}.away`;
  await rename(rig.root, away);
  await mkdir(rig.root);
  await verifyWhile(rig, series, /verifying is tried again.*STORE_ROOT_EMPTY/, async () => {
    await rm(rig.root, { recursive: true });
    await rename(away, rig.root);
  });
});

test('verify: a share whose handles are stale, and one that denies, are waited for', async (t) => {
  const disk = await makeFailingDisk(t);
  if (disk === undefined) return;
  const rig = await makeRig(t, { root: disk.path });
  const series = await stored(rig);
  for (const error of ['ESTALE', 'EACCES']) {
    await disk.fail({ call: 'any', error });
    const seen =
      error === 'ESTALE' ? /verifying is tried again.*STORE_STALE/ : /STORE_DENIED|VERIFY_UNREADABLE/;
    await verifyWhile(rig, series, seen, () => disk.fail());
  }
});
