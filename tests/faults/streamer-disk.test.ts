/** Project storage and the ledger's disk: read-only, spoilt, away, immutable, full. Nothing half written, nothing lost. */
import assert from 'node:assert/strict';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { run, startScriptedScp, until } from '@scanflow/testkit';
import { folderOf } from '../integration/streamer-verify.ts';
import { legOf, makeRig, settled } from '../integration/streamer-support.ts';
import { makeDisk } from './disk.ts';
import { begun, failing, heldAt, send, storedInTheEnd } from './held.ts';

test('streamer: project storage becomes read-only while images are written', async (t) => {
  const disk = await makeDisk(t, { kind: 'tmpfs', megabytes: 64 });
  if (disk === undefined) return;
  const { rig, letGo } = await heldAt(t, disk.path, 40);
  await rig.start();
  await send(rig, 60);
  await begun(rig);
  // refused while a file is open for writing
  await until(
    () =>
      disk.remount('ro').then(
        () => true as const,
        () => undefined,
      ),
    {
      what: 'it is read-only',
      timeoutMs: 60_000,
    },
  );
  letGo();
  const leg = await failing(rig);
  assert.deepEqual([leg.state, leg.failure?.code], ['pending', 'STORE_READ_ONLY']);
  await disk.remount('rw');
  await storedInTheEnd(rig, 60);
});

test('streamer: the plug of project storage is pulled while images are written: what was said to be stored is', async (t) => {
  const disk = await makeDisk(t, { kind: 'ext4', megabytes: 64 });
  if (disk === undefined) return;
  const { rig, letGo } = await heldAt(t, disk.path, 40);
  await rig.start();
  await send(rig, 60);
  await begun(rig);
  await disk.pullPlug();
  letGo();
  const leg = await failing(rig);
  // ext4 may have turned read-only by itself
  assert.match(leg.failure?.code ?? '', /^STORE_(IO|READ_ONLY)$/);
  assert.equal(leg.state, 'pending');
  await disk.unmount();
  await disk.mount();
  await storedInTheEnd(rig, 60);
});

test('streamer: project storage is unmounted while images are written, and comes back', async (t) => {
  const disk = await makeDisk(t, { kind: 'ext4', megabytes: 64 });
  if (disk === undefined) return;
  // the root lies below the mount point, as /project/data of a share: without the mount it is not there
  const { rig, letGo } = await heldAt(t, join(disk.path, 'project'), 40);
  await rig.start();
  await send(rig, 60);
  await begun(rig);
  await disk.unmount();
  letGo();
  const leg = await failing(rig);
  assert.match(leg.failure?.code ?? '', /^STORE_(ROOT_MISSING|FOLDER_GONE)$/);
  assert.deepEqual(await readdir(disk.path), [], 'something was written under the mount point');
  await disk.mount();
  await storedInTheEnd(rig, 60);
});

test('streamer: a project’s folder that may not be written to', async (t) => {
  const disk = await makeDisk(t, { kind: 'ext4', megabytes: 64 });
  if (disk === undefined) return;
  const folder = join(disk.path, '3010000.01');
  await mkdir(folder);
  // root may write anywhere, but not into what is immutable
  if ((await run('chattr', ['+i', folder])).code !== 0) {
    t.skip('NOT RUN: THIS TAKES A FILE SYSTEM WITH ATTRIBUTES');
    return;
  }
  const rig = await makeRig(t, { root: disk.path });
  await rig.start();
  await send(rig, 3);
  const leg = await failing(rig);
  assert.deepEqual([leg.state, leg.failure?.code], ['pending', 'STORE_DENIED']);
  assert.equal((await run('chattr', ['-i', folder])).code, 0);
  await storedInTheEnd(rig, 3);
});

test('streamer: the ledger’s disk is full: it says so, and goes on when there is space', async (t) => {
  const disk = await makeDisk(t, { kind: 'tmpfs', megabytes: 4 });
  if (disk === undefined) return;
  const peer = await startScriptedScp();
  t.after(() => peer.close());
  const rig = await makeRig(t, { data: join(disk.path, 'data'), destinations: { pacs: peer.port } });
  await mkdir(join(disk.path, 'data'), { recursive: true });
  await rig.start();
  await settled(rig, 0);
  // what is left is taken away
  const ballast = join(disk.path, 'ballast');
  await writeFile(ballast, new Uint8Array(8 * 1024 * 1024)).catch(() => undefined);
  await send(rig, 100);
  const health = await until(
    async () => {
      const answer = await rig.health();
      return answer.status === 503 ? answer : undefined;
    },
    { what: 'the ledger’s trouble shows', timeoutMs: 60_000 },
  );
  assert.match(JSON.stringify(health.body), /disk|full/i);
  await rig.streamer().said(/LEDGER_FAILED/);
  await rm(ballast);
  await storedInTheEnd(rig, 100);
  const [series] = await rig.series();
  assert.deepEqual([legOf(series, 'pacs').done, new Set(peer.requests).size], [100, 100]);
  assert.ok(folderOf(series as NonNullable<typeof series>).startsWith(rig.root));
});
