import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLine } from './line.ts';

const never = (): AbortSignal => new AbortController().signal;

test('line: so many at once, one at a time for each key, and the others in their order', async () => {
  const line = createLine(2, 9);
  const began: string[] = [];
  const ends = new Map<string, () => void>();
  const work = (name: string) => (): Promise<void> => {
    began.push(name);
    return new Promise((resolve) => ends.set(name, resolve));
  };
  const all = [
    line.run('a', never(), work('a1')),
    line.run('a', never(), work('a2')),
    line.run('b', never(), work('b1')),
    line.run('c', never(), work('c1')),
  ];
  await Promise.resolve();
  await new Promise(setImmediate);
  assert.deepEqual(began, ['a1', 'b1']);
  assert.deepEqual([line.running().length, line.waiting()], [2, 2]);
  ends.get('b1')?.();
  await all[2];
  await new Promise(setImmediate);
  assert.deepEqual(began, ['a1', 'b1', 'c1'], 'a2 waits for a1, and holds nobody up');
  ends.get('a1')?.();
  await all[0];
  await new Promise(setImmediate);
  assert.deepEqual(began.at(-1), 'a2');
  for (const end of ends.values()) end();
  await Promise.all(all);
  assert.deepEqual([line.running().length, line.waiting()], [0, 0]);
});

test('line: who leaves frees the place, and a full line refuses', async () => {
  const line = createLine(1, 1);
  let end = (): void => undefined;
  const first = line.run('a', never(), () => new Promise<void>((resolve) => (end = resolve)));
  await new Promise(setImmediate);
  const leaving = new AbortController();
  const second = line.run('b', leaving.signal, () => Promise.resolve());
  await assert.rejects(
    line.run('c', never(), () => Promise.resolve()),
    { code: 'BIDS_BUSY' },
  );
  leaving.abort();
  await assert.rejects(second, /left the line/);
  assert.equal(line.waiting(), 0);
  end();
  await first;
});

test('line: work that fails frees its key', async () => {
  const line = createLine(1, 1);
  await assert.rejects(
    line.run('a', never(), () => Promise.reject(new Error('x'))),
    /x/,
  );
  assert.equal(await line.run('a', never(), () => Promise.resolve(1)), 1);
});
