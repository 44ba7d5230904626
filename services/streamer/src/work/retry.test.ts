import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_RETRY, retryAfter, triedFor } from './pace.ts';

const delay = (attempt: number, jitter = 0.5): number => {
  const retry = retryAfter({ kind: 'transient' }, attempt, jitter);
  assert.ok(retry.retry);
  return retry.delayMs;
};

test('retry: the wait doubles up to an hour', () => {
  assert.deepEqual(
    [1, 2, 3, 4].map((attempt) => delay(attempt)),
    [5_000, 10_000, 20_000, 40_000],
  );
  assert.equal(delay(11), 3_600_000);
  assert.equal(delay(1_000_000), 3_600_000);
});

test('retry: permanent gives up, ambiguous does not', () => {
  assert.deepEqual(retryAfter({ kind: 'permanent' }, 1, 0.5), { retry: false });
  assert.equal(retryAfter({ kind: 'ambiguous' }, 99, 0.5).retry, true);
});

test('retry: jitter spreads by a fifth, and the wait is never nothing', () => {
  fc.assert(
    fc.property(fc.integer({ min: -5, max: 10_000 }), fc.double({ noNaN: true }), (attempt, jitter) => {
      const wait = delay(attempt, jitter);
      assert.ok(wait >= 0.8 * DEFAULT_RETRY.firstMs && wait <= 1.2 * DEFAULT_RETRY.capMs);
      assert.ok(delay(attempt + 1, jitter) >= wait);
    }),
  );
});

test('retry: given up once it was tried in vain for long enough', () => {
  const policy = { firstMs: 5_000, capMs: 3_600_000, giveUpMs: 35_000 };
  const retries = [1, 2, 3, 4, 5].map(
    (attempt) => retryAfter({ kind: 'transient' }, attempt, 0.5, policy).retry,
  );
  // 5 s, 10 s and 20 s were waited before the fourth attempt
  assert.deepEqual(retries, [true, true, true, false, false]);
  assert.equal(retryAfter({ kind: 'ambiguous' }, 4, 0.5, policy).retry, false);
});

test('retry: how long was tried is the sum of the waits', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: 60_000 }),
      fc.integer({ min: 0, max: 7_200_000 }),
      (attempt, firstMs, more) => {
        const policy = { firstMs, capMs: firstMs + more };
        let sum = 0;
        for (let before = 1; before < attempt; before += 1) {
          const retry = retryAfter({ kind: 'transient' }, before, 0.5, policy);
          assert.ok(retry.retry);
          sum += retry.delayMs;
        }
        assert.ok(Math.abs(triedFor(attempt, policy) - sum) <= attempt);
      },
    ),
  );
});
