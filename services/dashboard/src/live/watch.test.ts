import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '@scanflow/testkit';
import { createWatch } from './watch.ts';

test('watch: all who follow hear of a change, nobody of what stays the same', async (t) => {
  let text = 'a';
  let looks = 0;
  const watch = createWatch({ digest: () => Promise.resolve(`${(looks += 1) && text}`), everyMs: 5 });
  t.after(watch.close);
  const heard = [0, 0];
  const leave = [0, 1].map((one) => watch.follow(() => (heard[one] = (heard[one] ?? 0) + 1)));
  await until(() => looks > 5, { what: 'some looks', timeoutMs: 5_000 });
  assert.deepEqual(heard, [0, 0]);
  text = 'b';
  await until(() => heard[0] === 1 && heard[1] === 1, { what: 'both heard', timeoutMs: 5_000 });
  for (const go of leave) go();
});

test('watch: nobody follows, nothing is looked at; who comes later hears no old change', async (t) => {
  let looks = 0;
  let text = 'a';
  const watch = createWatch({
    digest: () => {
      looks += 1;
      return Promise.resolve(text);
    },
    everyMs: 5,
  });
  t.after(watch.close);
  watch.follow(() => undefined)();
  await until(() => looks === 1, { what: 'the look that was due', timeoutMs: 5_000 });
  text = 'b';
  let heard = 0;
  watch.follow(() => (heard += 1));
  const before = looks;
  await until(() => looks > before + 3, { what: 'looks again', timeoutMs: 5_000 });
  assert.equal(heard, 0);
});
