import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { until } from '@scanflow/testkit';
import { Thread, ThreadError, type ThreadOptions } from './thread.ts';

/** A thread that runs the body for each message, which is `request`; `answer(…)` answers. */
function thread(
  t: TestContext,
  body: string,
  options: Partial<ThreadOptions> = {},
): Thread<unknown, unknown> {
  const source = `
    import { parentPort, threadId } from 'node:worker_threads';
    const answer = (value) => parentPort.postMessage(value);
    let calls = 0;
    parentPort.on('message', (request) => { calls += 1; ${body} });`;
  const module = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
  const made = new Thread<unknown, unknown>({ module, timeoutMs: 60_000, heapMiB: 32, ...options });
  t.after(() => made.close());
  return made;
}

const reason = (wanted: ThreadError['reason']) => (error: unknown) =>
  error instanceof ThreadError && error.reason === wanted;

test('thread: calls are answered in order, by one thread', async (t) => {
  const one = thread(t, 'answer([request, calls]);');
  const answers = await Promise.all(['a', 'b', 'c'].map((request) => one.call(request)));
  assert.deepEqual(answers, [
    ['a', 1],
    ['b', 2],
    ['c', 3],
  ]);
});

test('thread: what takes too long fails, and the next call gets a new thread', async (t) => {
  const one = thread(t, "if (request === 'hang') for (;;); answer(calls);", { timeoutMs: 1_500 });
  assert.equal(await one.call('a'), 1);
  await assert.rejects(one.call('hang'), reason('time'));
  assert.equal(await one.call('b'), 1, 'a new thread counts from the beginning');
});

test('thread: nobody waits for one that does not end, and the next call gets a new thread', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-thread-'));
  t.after(() => rm(folder, { recursive: true }));
  const over = join(folder, 'over');
  // a program that is waited for within one call cannot be interrupted
  const body = `if (request.wait) process.getBuiltinModule('node:child_process').execFileSync('/bin/sh',
      ['-c', 'sleep 8; : > "$0"', request.over]);
    answer(calls);`;
  const one = thread(t, body, { timeoutMs: 1_000 });
  await assert.rejects(one.call({ wait: true, over }), reason('time'));
  assert.equal(existsSync(over), false, 'the call waited for the thread');
  assert.equal(await one.call({ wait: false }), 1);
  await until(() => existsSync(over), { what: 'the thread is over', timeoutMs: 30_000 });
});

test('thread: what takes too much memory fails by itself', async (t) => {
  const one = thread(
    t,
    `const all = [];
    const grow = () => { for (let more = 0; more < 100; more += 1) all.push(new Array(1000).fill(more)); setImmediate(grow); };
    if (request === 'grow') grow(); else answer(calls);`,
    { heapMiB: 16 },
  );
  await assert.rejects(one.call('grow'), reason('memory'));
  assert.equal(await one.call('b'), 1);
});

test('thread: what throws, or leaves, fails; the calls behind it are answered', async (t) => {
  const one = thread(
    t,
    "if (request === 'throw') throw new Error('x'); if (request === 'leave') process.exit(); answer(request);",
  );
  const [thrown, left, last] = await Promise.allSettled(
    ['throw', 'leave', 'c'].map((request) => one.call(request)),
  );
  for (const failed of [thrown, left])
    assert.ok(failed?.status === 'rejected' && reason('failed')(failed.reason));
  assert.deepEqual(last, { status: 'fulfilled', value: 'c' });
});

test('thread: a module that is not there fails', async () => {
  const module = new URL('./no-such-module.ts', import.meta.url);
  await assert.rejects(new Thread({ module, timeoutMs: 60_000, heapMiB: 16 }).call('a'), reason('failed'));
});

test('thread: more calls than may wait are refused at once, and the others are answered', async (t) => {
  const one = thread(t, 'answer(request);', { waiting: 2 });
  const calls = [1, 2, 3, 4, 5].map((request) => one.call(request));
  const settled = await Promise.allSettled(calls);
  assert.deepEqual(
    settled.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected'],
  );
  await assert.rejects(calls[4] ?? Promise.resolve(), reason('busy'));
});

test('thread: it ends when nothing came for a while, and a later call starts it again', async (t) => {
  const one = thread(t, 'answer(calls);', { idleMs: 0 });
  assert.equal(await one.call('a'), 1);
  await until(async () => (await one.call('b')) === 1, { what: 'another thread', timeoutMs: 20_000 });
});

test('thread: close() fails the call under way', async (t) => {
  const one = thread(t, "if (request !== 'hang') answer(request);");
  await one.call('a');
  const hanging = one.call('hang');
  setImmediate(() => void one.close());
  await assert.rejects(hanging, reason('failed'));
});
