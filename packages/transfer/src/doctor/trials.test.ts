import assert from 'node:assert/strict';
import { test } from 'node:test';
import fastify from 'fastify';
import { failed, ok, type Check } from './check.ts';
import { addTrials, type Tried } from './trials.ts';

function rig(checks: Readonly<Record<string, readonly Check[]>>, timeoutMs?: number) {
  const app = fastify();
  addTrials(app, checks, timeoutMs);
  const post = async (section: string) => {
    const { statusCode, body } = await app.inject({ method: 'POST', url: `/api/try/${section}` });
    return { statusCode, body: JSON.parse(body) as Tried & { error?: string } };
  };
  return { app, post };
}

test('trials: who asks meanwhile gets the same answer, and sections are tried one after the other', async (t) => {
  const order: string[] = [];
  const { promise: go, resolve } = Promise.withResolvers<undefined>();
  const check = (name: string, wait: Promise<unknown>): Check => ({
    name,
    run: async () => {
      order.push(`${name} begins`);
      await wait;
      order.push(`${name} ends`);
      return ok('it answers');
    },
  });
  const { app, post } = rig({ a: [check('a', go)], b: [check('b', Promise.resolve())] });
  t.after(() => app.close());
  const all = Promise.all([post('a'), post('b'), post('a'), post('a')]);
  resolve(undefined);
  const [first, , second] = await all;
  assert.deepEqual(order, ['a begins', 'a ends', 'b begins', 'b ends']);
  assert.deepEqual(first.body.results, [{ check: 'a', state: 'ok', message: 'it answers' }]);
  assert.equal(first.body.at, second.body.at);
  assert.deepEqual((await post('a')).body, first.body, 'and so does who presses again at once');
  assert.equal(order.length, 4);
  const { statusCode, body } = await post('constructor');
  assert.equal(statusCode, 404);
  assert.match(body.error ?? '', /nothing called constructor to try here, but a, b/);
  const get = await app.inject('/api/try/a');
  assert.equal(get.statusCode, 404, 'only POST');
});

test('trials: a check that hangs ends in time, and is not begun again before it answered', async (t) => {
  let begun = 0;
  const hangs: Check = {
    name: 'storage',
    run: () => {
      begun += 1;
      return new Promise(() => undefined);
    },
  };
  const fails: Check = { name: 'pacs', run: () => Promise.resolve(failed('no', 'do it', 'DEST_REJECTED')) };
  const { app, post } = rig({ storage: [hangs, fails] }, 20);
  t.after(() => app.close());
  const { body } = await post('storage');
  assert.match(body.results[0]?.message ?? '', /no answer within 0.02 s/);
  assert.deepEqual(body.results[1], {
    check: 'pacs',
    state: 'failed',
    message: 'no',
    todo: 'do it',
    code: 'DEST_REJECTED',
  });
  assert.equal(begun, 1);
  const now = performance.now.bind(performance);
  t.mock.method(performance, 'now', () => now() + 2_000);
  const again = await post('storage');
  assert.match(again.body.results[0]?.message ?? '', /still has no answer/);
  assert.equal(begun, 1);
});
