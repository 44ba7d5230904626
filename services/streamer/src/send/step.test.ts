/** The order in which what is left is tried again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inTurn } from './items.ts';

test('turns: the first attempt keeps the order', () => {
  assert.deepEqual(inTurn(['a', 'b', 'c'], 0), ['a', 'b', 'c']);
  assert.deepEqual(inTurn([], 3), []);
});

test('turns: whatever ends each attempt, all others get through', () => {
  for (const bad of [new Set([0]), new Set([3, 4]), new Set([0, 2, 9]), new Set([7, 8, 9])]) {
    let left = Array.from({ length: 10 }, (_, index) => index);
    // as the forward step counts: an attempt that sent something begins the count anew
    let attempts = 0;
    for (let round = 0; round < 30; round += 1) {
      const order = inTurn(left, attempts);
      const stuck = order.findIndex((item) => bad.has(item));
      const sent = new Set(order.slice(0, stuck));
      left = left.filter((item) => !sent.has(item));
      attempts = sent.size > 0 ? 1 : attempts + 1;
    }
    assert.deepEqual(left, [...bad]);
  }
});
