import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog, sleep } from '@scanflow/chassis';
import { until } from '@scanflow/testkit';
import { keepRunning, type ScheduleOptions } from './schedule.ts';

const log = createLog({ service: 'test', level: 'error' });

/** Runs passes that take `takesMs` until there were `passes` of them; gives how many ran at once at most. */
async function play(
  schedule: Pick<ScheduleOptions, 'every' | 'cron'>,
  takesMs: number,
  passes: number,
): Promise<number> {
  const stopping = new AbortController();
  let [count, now, most] = [0, 0, 0];
  const run = async (): Promise<void> => {
    now += 1;
    most = Math.max(most, now);
    await sleep(takesMs);
    now -= 1;
    count += 1;
  };
  const loop = keepRunning({ ...schedule, zone: 'Europe/Amsterdam', run, signal: stopping.signal, log });
  try {
    await until(() => count >= passes, { what: `${passes} passes`, timeoutMs: 15_000 });
  } finally {
    stopping.abort();
    await loop;
  }
  assert.equal(now, 0, 'a pass still runs after the end');
  return most;
}

test('every: passes follow each other and never overlap', async () => {
  assert.equal(await play({ every: 5 }, 20, 4), 1);
});

test('cron: the first pass runs at once, the others on time, none over another', async () => {
  assert.equal(await play({ every: 1, cron: '* * * * * *' }, 1200, 2), 1);
});

test('stop: a long wait between passes ends at once', async () => {
  const began = performance.now();
  await play({ every: 3_600_000 }, 0, 1);
  assert.ok(performance.now() - began < 5_000);
});
