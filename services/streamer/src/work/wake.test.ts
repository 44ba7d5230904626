/** Waiting for work. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Wake } from './wake.ts';

const NEVER = 2 ** 31 - 1;
const calm = new AbortController().signal;

test('wake: a notification ends every wait, and later ones begin anew', async () => {
  const wake = new Wake();
  const both = Promise.all([wake.wait(NEVER, calm), wake.wait(NEVER, calm)]);
  wake.notify();
  await both;
  assert.equal(wake.count, 1);
  await wake.wait(1, calm);
});

test('wake: what is said between the look for work and the wait is not lost', async () => {
  const wake = new Wake();
  const before = wake.count;
  wake.notify();
  await wake.wait(NEVER, calm, before);
});

test('wake: an abort ends the wait, before and during it', async () => {
  const wake = new Wake();
  const stop = new AbortController();
  const waiting = wake.wait(NEVER, stop.signal);
  stop.abort();
  await waiting;
  await wake.wait(NEVER, stop.signal);
});
