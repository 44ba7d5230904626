import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fullBucket, limitOf, take, type Bucket, type Limit } from './bucket.ts';

/** When each of the amounts passes, all asked for at the same moment. */
function passesAt(limit: Limit, amounts: readonly number[]): number[] {
  let bucket: Bucket = fullBucket(limit, 0);
  return amounts.map((amount) => {
    const taken = take(bucket, limit, amount, 0);
    bucket = taken.bucket;
    return taken.waitMs;
  });
}

test('bucket: what it holds passes at once, the rest evenly', () =>
  assert.deepEqual(passesAt({ perMs: 0.01, burst: 2 }, [1, 1, 1, 1, 1]), [0, 0, 100, 200, 300]));

test('bucket: more than it holds passes too, after its time, and whoever comes next waits behind it', () =>
  assert.deepEqual(passesAt({ perMs: 1, burst: 10 }, [25, 5]), [15, 20]));

test('bucket: it fills while nothing is taken, and never over', () => {
  const limit = { perMs: 1, burst: 10 };
  const { bucket } = take(fullBucket(limit, 0), limit, 10, 0);
  assert.equal(take(bucket, limit, 10, 4).waitMs, 6);
  assert.equal(take(bucket, limit, 11, 1_000_000).waitMs, 1);
});

test('bucket: a clock that goes back gives nothing twice', () => {
  const limit = { perMs: 1, burst: 10 };
  const first = take(fullBucket(limit, 100), limit, 10, 100);
  const second = take(first.bucket, limit, 5, 0);
  assert.equal(second.waitMs, 5);
  assert.equal(take(second.bucket, limit, 0, 105).waitMs, 0);
});

test('bucket: over any time no more passes than the burst and what came in', () => {
  const limit = { perMs: 0.5, burst: 7 };
  let bucket = fullBucket(limit, 0);
  let now = 0;
  let passed = 0;
  for (let step = 0; step < 1000; step += 1) {
    const amount = 1 + (step % 11);
    const taken = take(bucket, limit, amount, now);
    bucket = taken.bucket;
    // whoever took it waits, or dawdles now and then
    now += taken.waitMs + (step % 7 === 0 ? 20 : 0);
    passed += amount;
    assert.ok(passed <= limit.burst + limit.perMs * now + 1e-6, `${passed} after ${now}`);
  }
});

test('bucket: a second in it, and one thing at least', () => {
  assert.deepEqual(limitOf(20_000_000), { perMs: 20_000, burst: 20_000_000 });
  assert.deepEqual(limitOf(0.5), { perMs: 0.0005, burst: 1 });
});
