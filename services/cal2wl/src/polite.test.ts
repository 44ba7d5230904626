import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sleep } from '@scanflow/runtime';
import { polite, Queues } from './polite.ts';
import type { Source } from '@scanflow/sources';

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
