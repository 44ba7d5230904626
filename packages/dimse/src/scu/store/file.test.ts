/** Files read in place: the rest of the process gets its turn, however large a file is. */
import { strict as assert } from 'node:assert';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openFile } from './file.ts';

const PIECE = 262_144;
const SIZE = 33_554_432;

test('file: one that is read in place lets timers and signals through every 8 MiB', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-file-'));
  try {
    const path = join(folder, 'large.dcm');
    const made = await open(path, 'wx');
    await made.truncate(SIZE);
    await made.close();
    const file = await openFile(path, true);
    const room = [Buffer.alloc(PIECE / 2), Buffer.alloc(PIECE / 2)];
    let turns = 0;
    let longest = 0;
    for (let at = 0, unbroken = 0; at < SIZE; at += PIECE) {
      const read = file.scatter?.(room, at) ?? 0;
      unbroken += PIECE;
      longest = Math.max(longest, unbroken);
      if (typeof read !== 'number') {
        turns += 1;
        unbroken = 0;
      }
      assert.equal(await read, PIECE);
    }
    file.close();
    assert.equal(turns, 4);
    assert.equal(longest, 8_388_608);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
