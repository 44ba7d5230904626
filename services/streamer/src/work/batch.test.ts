import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Batch } from './batch.ts';

test('batch: rows are handed on together, in order, and the rest at the end', async () => {
  const flushed: number[][] = [];
  const batch = new Batch<number>(2, (rows) => Promise.resolve(void flushed.push([...rows])));
  for (const row of [1, 2, 3]) await batch.add(row);
  assert.deepEqual(flushed, [[1, 2]]);
  await batch.end();
  assert.deepEqual(flushed, [[1, 2], [3]]);
});

test('batch: what comes slowly is not kept back', async () => {
  const flushed: number[][] = [];
  const batch = new Batch<number>(100, (rows) => Promise.resolve(void flushed.push([...rows])), 0);
  await batch.add(1);
  await batch.add(2);
  assert.deepEqual(flushed, [[1], [2]]);
});
