/** Others write to project storage too: the floor of free space is crossed in the midst of a series. */
import assert from 'node:assert/strict';
import { readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startScriptedScp, until } from '@scanflow/testkit';
import { folderOf, verifyStored } from '../integration/streamer-verify.ts';
import { settled } from '../integration/streamer-support.ts';
import { makeDisk } from './disk.ts';
import { begun, failing, heldAt, nothingAside, send } from './held.ts';

const MB = 1_000_000;
const FLOOR = 20 * MB;
const IMAGES = 60;
/** From this one on they wait. */
const HELD_FROM = 40;

const freeOn = async (path: string): Promise<number> => {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
};

test('streamer: the floor of free space is crossed in the midst of a series: held, not failed, not filled', async (t) => {
  const disk = await makeDisk(t, { kind: 'tmpfs', megabytes: 64 });
  if (disk === undefined) return;
  const peer = await startScriptedScp();
  t.after(() => peer.close());
  const { rig, letGo } = await heldAt(t, disk.path, HELD_FROM, {
    destinations: { pacs: peer.port },
    extra: { storage: { root: disk.path, freeSpace: '20MB' } },
  });
  await rig.start();
  await send(rig, IMAGES);
  await begun(rig);
  const ballast = join(disk.path, 'somebody-elses');
  await writeFile(ballast, new Uint8Array((await freeOn(disk.path)) - FLOOR - MB / 1000));
  letGo();
  const leg = await failing(rig);
  assert.deepEqual([leg.state, leg.failure?.code], ['pending', 'STORE_SPACE_FLOOR']);
  assert.ok(leg.nextTry !== undefined);
  const [held] = await rig.series();
  assert.ok(held !== undefined);
  assert.notEqual(held.state, 'failed');
  // those that were being pulled when space ran out had been given theirs before
  const named = (await readdir(folderOf(held))).filter((name) => name.endsWith('.dcm'));
  assert.ok(named.length > 0 && named.length < IMAGES, `${named.length} of ${IMAGES} are stored`);
  assert.ok((await freeOn(disk.path)) > FLOOR / 2, 'the disk is being filled');
  await nothingAside(disk.path);
  assert.equal(peer.requests.length, 0);
  // below the floor that shows, too
  await writeFile(join(disk.path, 'more'), new Uint8Array(2 * MB));
  await until(async () => ((await rig.health()).status === 503 ? true : undefined), {
    what: 'the health page says so',
    timeoutMs: 60_000,
  });
  await rm(ballast);
  const [series] = await settled(rig, 1, ['complete'], 120_000);
  assert.ok(series !== undefined);
  assert.equal(await verifyStored(rig, series), IMAGES);
  await nothingAside(disk.path);
  assert.deepEqual([peer.requests.length, new Set(peer.requests).size], [IMAGES, IMAGES]);
});
