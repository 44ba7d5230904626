import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Batch } from './batch.ts';

test('batch: rows are handed on in order, and the rest at the end', async () => {
  const batches: number[][] = [];
  const batch = new Batch<number>(3, async (rows) => {
    await turn();
    batches.push([...rows]);
  });
  for (let row = 1; row <= 7; row += 1) await batch.add(row);
  await batch.end();
  assert.deepEqual(batches, [[1, 2, 3], [4, 5, 6], [7]]);
});
