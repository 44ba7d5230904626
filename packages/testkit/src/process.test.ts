import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { once } from 'node:events';
import { freePort } from './process.ts';

test('free ports: none is given twice, nor one that somebody has, nor one that an outgoing connection could take', async (t) => {
  const first = await freePort();
  const taken = createServer().listen(first + 1, '127.0.0.1');
  t.after(() => taken.close());
  await once(taken, 'listening');
  const ports = [first];
  for (let index = 0; index < 50; index += 1) ports.push(await freePort());
  assert.equal(new Set(ports).size, ports.length);
  assert.ok(!ports.includes(first + 1));
  assert.ok(ports.every((port) => port >= 20_000 && port < 32_768));
});
