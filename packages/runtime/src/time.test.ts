import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sleep } from './time.ts';

test('sleep: lasts as long as it is told', async () => {
  const start = performance.now();
  await sleep(30);
  assert.ok(performance.now() - start >= 25);
});

test('sleep: ends at once, without an error, when the signal aborts', async () => {
  const stop = new AbortController();
  const sleeping = sleep(60_000, stop.signal);
  stop.abort();
  await sleeping;
});

test('sleep: does not begin when the signal has aborted already', async () => {
  await sleep(60_000, AbortSignal.abort());
});

test("sleep: longer than Node's timers can count is still long", async () => {
  const stop = new AbortController();
  const longer = sleep(30 * 86_400_000, stop.signal).then(() => 'woke');
  const first = await Promise.race([longer, sleep(50).then(() => 'still asleep')]);
  stop.abort();
  await longer;
  assert.equal(first, 'still asleep');
});

test('sleep: even nothing lets others have a turn', async () => {
  const turns: string[] = [];
  setImmediate(() => turns.push('other'));
  for (let turn = 0; turn < 5; turn += 1) await sleep(0);
  assert.deepEqual(turns, ['other']);
});
