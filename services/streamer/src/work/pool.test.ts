import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { Batch } from './batch.ts';
import { pool } from './pool.ts';

test('pool: never more than the limits, and everything once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 40 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 60 }),
      async (items, count, bytes) => {
        let underway = 0;
        let size = 0;
        let seen = 0;
        await pool(
          items,
          (item) => item,
          { count, bytes },
          async (item) => {
            underway += 1;
            size += item;
            assert.ok(underway <= count);
            assert.ok(size <= bytes || underway === 1, 'too many bytes at a time');
            await turn();
            underway -= 1;
            size -= item;
            seen += 1;
          },
        );
        assert.equal(seen, items.length);
      },
    ),
    { numRuns: 100 },
  );
});

test('pool: after a failure nothing begins, what is underway is awaited', async () => {
  const ended: number[] = [];
  const work = pool(
    [1, 2, 3, 4, 5],
    () => 1,
    { count: 2, bytes: 99 },
    async (item) => {
      await turn();
      if (item === 1) throw new Error('first');
      await turn();
      ended.push(item);
    },
  );
  await assert.rejects(work, /first/);
  assert.deepEqual(ended, [2]);
});

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
