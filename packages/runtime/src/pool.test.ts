import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { pool } from './pool.ts';

test('pool: never more than the limits, and everything once, in order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 40 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 60 }),
      async (items, count, bytes) => {
        let underway = 0;
        let size = 0;
        let seen = 0;
        const results = await pool(items, { count, bytes, bytesOf: (item) => item }, async (item) => {
          underway += 1;
          size += item;
          assert.ok(underway <= count);
          assert.ok(size <= bytes || underway === 1, 'too many bytes at a time');
          for (let turns = item % 3; turns >= 0; turns -= 1) await turn();
          underway -= 1;
          size -= item;
          seen += 1;
          return `${item}`;
        });
        assert.equal(seen, items.length);
        assert.deepEqual(results, items.map(String));
      },
    ),
    { numRuns: 100 },
  );
});

test('pool: a number is the count', async () => {
  let [underway, most] = [0, 0];
  await pool(new Set([1, 2, 3, 4, 5, 6, 7]), 3, async () => {
    underway += 1;
    most = Math.max(most, underway);
    await turn();
    underway -= 1;
  });
  assert.equal(most, 3);
});

test('pool: after a failure nothing begins, what is underway is awaited', async () => {
  const ended: number[] = [];
  const work = pool([1, 2, 3, 4, 5], { count: 2, bytes: 99, bytesOf: () => 1 }, async (item) => {
    await turn();
    if (item === 1) throw new Error('first');
    await turn();
    ended.push(item);
  });
  await assert.rejects(work, /first/);
  assert.deepEqual(ended, [2]);
});

test('pool: a failure that is thrown at once is thrown, too; nothing is done for nothing', async () => {
  const thrown = pool([1], 1, () => {
    throw new Error('at once');
  });
  await assert.rejects(thrown, /at once/);
  assert.deepEqual(await pool([], 4, () => Promise.resolve(1)), []);
});
