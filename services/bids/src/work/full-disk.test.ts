/** A disk that becomes full at any moment of a conversion: a clear failure or a whole session, and with room again the work ends as if nothing had been. */
import assert from 'node:assert/strict';
import { chmod, cp, readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { codeOf } from '@scanflow/failure';
import { makeDisk } from '../../../../tests/faults/disk.ts';
import { bidsRig, OPTIONS, storeSession, sumsOf } from '../../../../tests/integration/bids-support.ts';
import { bidsSession } from './session.ts';
import type { Outcome, SessionRequest } from './types.ts';

const SESSION = 'sub-001/ses-mr01';
/** So much room is left, in KiB: less than a file, than dcm2niix needs, than compression needs, than publishing needs. */
const ROOM = [4, 16, 40, 80, 120, 160, 200, 216, 232, 240, 248, 256, 264, 272, 280, 320, 400, 600];

test('a disk that is full at any moment: nothing half, nothing false, and it goes on once there is room', async (t) => {
  const disk = await makeDisk(t, { kind: 'tmpfs', megabytes: 4 });
  if (disk === undefined) return;
  const dataset = join(disk.path, 'bids');
  const rig = await bidsRig(t, { series: ['t1w'], dataset });
  const validator = join(rig.root, 'validator');
  await writeFile(validator, '#!/bin/sh\necho \'{"issues":{"errors":[],"warnings":[]}}\'\n');
  await chmod(validator, 0o755);
  const run = (request: SessionRequest): Promise<Outcome> => {
    const options = { ...OPTIONS, validator: { command: [validator], timeoutMs: 10_000 } };
    return bidsSession(request, options, AbortSignal.timeout(60_000));
  };
  await run(rig.request);
  const before = join(rig.root, 'before');
  await cp(dataset, before, { recursive: true });
  const old = await sumsOf(join(before, SESSION));
  const { storageRoot } = rig.request;
  const late = await storeSession({
    ...{ storageRoot, dataset, subject: 'sub-001', session: 'ses-mr01' },
    series: ['t1w', 'bold', 'dwi'],
  });
  await run(late);
  const reference = await sumsOf(dataset);
  const fresh = await sumsOf(join(dataset, SESSION));

  const ballast = join(disk.path, 'ballast');
  const ended: string[] = [];
  for (const room of ROOM) {
    await rm(dataset, { recursive: true });
    await cp(before, dataset, { recursive: true });
    const { bavail, bsize } = await statfs(disk.path);
    await writeFile(ballast, Buffer.alloc(bavail * bsize - room * 1024));
    const outcome = await run(late).catch((error: unknown) => error as Error);
    const left = await sumsOf(join(dataset, SESSION));
    if (outcome instanceof Error) {
      assert.equal(codeOf(outcome), 'BIDS_DISK_FULL', `${room} KiB: ${String(outcome)}`);
      assert.match(outcome.message, /is full \(ENOSPC\).*Make room/);
      const isWhole = [old, fresh].some((one) => JSON.stringify(one) === JSON.stringify(left));
      assert.ok(isWhole, `${room} KiB: ${Object.keys(left).join(' ')}`);
    } else {
      const { state, counts } = outcome;
      assert.deepEqual([state, counts.converted, counts.failed], ['published', 3, 0], `${room} KiB`);
    }
    ended.push(outcome instanceof Error ? 'full' : 'whole');
    await rm(ballast);
    await run(late);
    assert.deepEqual(await sumsOf(dataset), reference, `${room} KiB`);
    const aside = (await readdir(join(dataset, '.scanflow'))).filter((name) => name.startsWith('aside'));
    assert.deepEqual(aside, [], `${room} KiB`);
    if (ended.at(-1) === 'whole') break;
  }
  t.diagnostic(ended.join(' '));
  assert.ok(ended.length > 8 && ended.at(-1) === 'whole', ended.join(' '));
});
