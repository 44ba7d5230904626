import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sleep } from '@scanflow/runtime';
import { until } from '@scanflow/testkit';
import type { Source } from '@scanflow/sources';
import { keepRunning, matcher, nextSecond, type ScheduleOptions, polite, Queues } from './schedule.ts';

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
  const loop = keepRunning({ ...schedule, zone: 'Europe/Amsterdam', run, signal: stopping.signal });
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

/** Instants at which a facility in Amsterdam has a pass, in a span of time. */
function passes(expression: string, from: string, to: string): string[] {
  const [first, end] = [from, to].map((text) => Temporal.Instant.from(text).epochMilliseconds / 1000);
  const matches = matcher(expression, 'Europe/Amsterdam');
  const found: string[] = [];
  for (let at = (first ?? 0) - 1; ;) {
    const next = nextSecond(matches, at, (end ?? 0) - at);
    if (next === undefined) return found;
    found.push(Temporal.Instant.fromEpochMilliseconds(next * 1000).toString());
    at = next;
  }
}

test('cron: passes go on in the hour that comes twice when clocks go back, and in the one that is left out', () => {
  const autumn = passes('*/30 * * * *', '2027-10-31T00:00:00Z', '2027-10-31T02:00:00Z');
  assert.deepEqual(
    autumn,
    ['00:00', '00:30', '01:00', '01:30', '02:00'].map((time) => `2027-10-31T${time}:00Z`),
  );
  const spring = passes('*/30 * * * *', '2027-03-28T00:30:00Z', '2027-03-28T01:30:00Z');
  assert.deepEqual(
    spring,
    ['00:30', '01:00', '01:30'].map((time) => `2027-03-28T${time}:00Z`),
  );
});

test('cron: days of the week, and seconds where there are six fields', () => {
  assert.deepEqual(passes('0 7 * * mon-fri', '2027-10-29T04:00:00Z', '2027-10-29T06:00:00Z'), [
    '2027-10-29T05:00:00Z',
  ]);
  assert.deepEqual(passes('0 7 * * mon-fri', '2027-10-30T04:00:00Z', '2027-10-30T06:00:00Z'), []);
  assert.equal(passes('*/20 * * * * *', '2027-10-29T00:00:00Z', '2027-10-29T00:00:59Z').length, 3);
});

const notModified = { kind: 'notModified' } as const;

test('polite: two at once from one host, in the order of asking; other hosts do not wait', async () => {
  const queues = new Queues();
  const [began, running] = [new Array<string>(), new Map<string, number>()];
  let most = 0;
  const work = (host: string, name: string) => async (): Promise<string> => {
    began.push(name);
    running.set(host, (running.get(host) ?? 0) + 1);
    most = Math.max(most, ...running.values());
    await sleep(5);
    running.set(host, (running.get(host) ?? 0) - 1);
    if (name === 'a1') throw new Error('it fails');
    return name;
  };
  const names = ['a1', 'a2', 'a3', 'a4', 'b1', 'b2'];
  const done = await Promise.allSettled(
    names.map((name) => queues.run(name.charAt(0), work(name.charAt(0), name))),
  );
  assert.equal(most, 2);
  assert.deepEqual(began, ['a1', 'a2', 'b1', 'b2', 'a3', 'a4']);
  assert.deepEqual(
    done.map(({ status }) => status),
    ['rejected', ...Array.from({ length: 5 }, () => 'fulfilled')],
  );
});

test('polite: fetches begin within the first tenth of the interval, and at once when all stops', async () => {
  let asked = 0;
  const source: Source = {
    fetch() {
      asked += 1;
      return Promise.resolve(notModified);
    },
  };
  const gentle = (every: number, random: number): Source =>
    polite(source, { host: 'h', queues: new Queues(), every, random: () => random });
  const began = performance.now();
  await gentle(1000, 0.5).fetch({}, new AbortController().signal);
  assert.ok(performance.now() - began >= 45);
  assert.equal(asked, 1);
  await gentle(3_600_000, 0.99).fetch({}, AbortSignal.abort());
  assert.equal(asked, 2);
  assert.ok(performance.now() - began < 5_000);
});
