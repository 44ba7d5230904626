import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '@scanflow/testkit';
import { type Heard, type Stream, createWatch } from '../sources/watch.ts';

/** A stream by hand. */
function byHand() {
  const state = { say: (_what: Heard): void => assert.fail('nobody listens'), open: 0 };
  const stream: Stream = (heard, signal) => {
    state.open += 1;
    state.say = heard;
    signal.addEventListener('abort', () => (state.open -= 1));
    return Promise.resolve();
  };
  return { state, stream };
}

const waits = { timeoutMs: 5_000, everyMs: 2 };

test('watch: all who follow hear of a change; many changes at once are one call, and the last is heard', async (t) => {
  const { state, stream } = byHand();
  const watch = createWatch({ streams: [stream], digest: () => Promise.resolve(''), everyMs: 20 });
  t.after(watch.close);
  const heard = [0, 0];
  const leave = [0, 1].map((one) => watch.follow(() => (heard[one] = (heard[one] ?? 0) + 1)));
  assert.equal(state.open, 1, 'all share one stream');
  assert.equal(watch.revision(), undefined, 'not open yet');
  state.say('begun');
  const first = watch.revision();
  for (let index = 0; index < 50; index += 1) state.say('changed');
  assert.notEqual(watch.revision(), first);
  await until(() => heard[0] === 2 && heard[1] === 2, { what: 'the beginning, and all else', ...waits });
  for (const go of leave) go();
});

test('watch: a lost stream is a change once, and again when it begins anew; meanwhile nothing counts as known', (t) => {
  const { state, stream } = byHand();
  const watch = createWatch({ streams: [stream], digest: () => Promise.resolve(''), everyMs: 0 });
  t.after(watch.close);
  watch.follow(() => undefined);
  state.say('begun');
  const known = watch.revision() ?? NaN;
  state.say('lost');
  assert.equal(watch.revision(), undefined);
  state.say('lost');
  state.say('lost');
  state.say('begun');
  assert.equal(watch.revision(), known + 2);
});

test('watch: a service without a stream is compared, until it has one', async (t) => {
  const { state, stream } = byHand();
  let [text, looks, heard] = ['a', 0, 0];
  const digest = (): Promise<string> => Promise.resolve(`${(looks += 1) && text}`);
  const watch = createWatch({ streams: [stream], digest, everyMs: 5 });
  t.after(watch.close);
  watch.follow(() => (heard += 1));
  assert.equal(looks, 0, 'a stream needs no comparison');
  state.say('missing');
  await until(() => looks > 3, { what: 'some looks', ...waits });
  assert.equal(heard, 0);
  text = 'b';
  await until(() => heard === 1, { what: 'the change', ...waits });
  state.say('begun');
  let before = -1;
  await until(() => before === (before = looks), { what: 'no look any more', timeoutMs: 5_000, everyMs: 40 });
});

test('watch: nobody follows, no stream is open; who comes back soon finds it open', async (t) => {
  const { state, stream } = byHand();
  const watch = createWatch({
    streams: [stream],
    digest: () => Promise.resolve(''),
    everyMs: 5,
    lingerMs: 30,
  });
  t.after(watch.close);
  watch.follow(() => undefined)();
  const leave = watch.follow(() => undefined);
  assert.equal(state.open, 1);
  leave();
  await until(() => state.open === 0, { what: 'the stream is closed', ...waits });
});
