/** C-STORE that is held back, against an acceptor made of our upper layer. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { accept, images, numbers, send } from '@scanflow/testkit/dimse/store-acceptor';
import type { StoreGate } from './order.ts';

test('gate: every image is admitted and every byte passes, over all associations', async (t) => {
  let admitted = 0;
  let passed = 0;
  const gate: StoreGate = {
    admits: () => Promise.resolve((admitted += 1) > 0),
    passes: (bytes) => {
      passed += bytes;
      return Promise.resolve();
    },
  };
  let received = 0;
  const { port } = await accept(t, {
    onRequest: ({ dataSet }, answer) => {
      received += dataSet?.length ?? 0;
      answer();
    },
  });
  assert.deepEqual((await send(port, images(12), { gate, associations: 3 })).sort(), numbers(12).sort());
  assert.equal(admitted, 12);
  assert.equal(passed, received);
});

test('gate: nothing leaves before it passes', async (t) => {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  let seen = 0;
  const asked = Promise.withResolvers<undefined>();
  const { port } = await accept(t, {
    onRequest: (_, answer) => {
      seen += 1;
      answer();
    },
  });
  const gate: StoreGate = {
    admits: () => Promise.resolve(true),
    passes: () => {
      asked.resolve(undefined);
      return promise;
    },
  };
  const sending = send(port, images(1), { gate });
  await asked.promise;
  assert.equal(seen, 0);
  resolve(undefined);
  assert.deepEqual(await sending, numbers(1));
});

test('gate: once it admits no more, what is under way is finished, and the rest is held', async (t) => {
  let left = 4;
  const gate: StoreGate = {
    admits: () => Promise.resolve((left -= 1) >= 0),
    passes: () => Promise.resolve(),
  };
  for (const associations of [1, 3]) {
    left = 4;
    const { port } = await accept(t, { onRequest: (_, answer) => answer() });
    const lines = await send(port, images(20), { gate, associations });
    assert.equal(lines.length, 20);
    assert.equal(lines.filter((line) => line.endsWith(' sent')).length, 4);
    assert.equal(lines.filter((line) => line.endsWith(' transient SEND_HELD')).length, 16);
  }
});

test('gate: nobody is called where it admits nothing', async (t) => {
  const { port, seen } = await accept(t, { onRequest: (_, answer) => answer() });
  const gate: StoreGate = { admits: () => Promise.resolve(false), passes: () => Promise.resolve() };
  assert.deepEqual(await send(port, images(2), { gate }), ['1 transient SEND_HELD', '2 transient SEND_HELD']);
  assert.equal(seen.associations, 0);
});
