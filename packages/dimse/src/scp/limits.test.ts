/** Our SCP against what no honest peer does: garbage, floods, silence, and its own end. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { until } from '@scanflow/testkit';
import {
  abort,
  bench,
  ECHO,
  endless,
  FIND,
  identifier,
  message,
  RawPeer,
  request,
  three,
} from '@scanflow/testkit/dimse/raw-peer';
import { encodePdu, fragments } from '../ul/encode.ts';

test('limits: a message id in use is 0210, too many requests at a time end the association', async (t) => {
  const { handler } = endless();
  const { raw } = await bench(t, handler, { waitingRequests: 2 });
  const peer = raw();
  await peer.associate();
  peer.write(...message(1, FIND, identifier), ...message(1, FIND, identifier));
  peer.send(1, { commandField: 0x0fff, messageIdBeingRespondedTo: 7, dataSetType: 0x0101 });
  const finals = new Set<number | undefined>();
  while (finals.size < 2) {
    const { status } = (await peer.message('a response')).command;
    if (status !== 0xff00) finals.add(status);
  }
  assert.deepEqual([...finals], [0xfe00, 0x0210]);
  peer.write(...[1, 2, 3].flatMap((messageId) => message(1, { ...FIND, messageId }, identifier)));
  assert.deepEqual(await peer.pdu('A-ABORT'), abort(0, 0));
});

test('limits: what is no PDU, a 4 GB claim, and a PDU out of turn end the connection with A-ABORT', async (t) => {
  const { raw, calls } = await bench(t, three, { artimMs: 300 });
  const garbage = raw();
  garbage.write(Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'));
  assert.deepEqual(await garbage.pdu('A-ABORT'), abort(2, 1));
  const claim = raw();
  claim.write(Buffer.from([1, 0, 0xff, 0xff, 0xff, 0xff, 0, 1]));
  assert.deepEqual(await claim.pdu('A-ABORT'), abort(2, 6));
  const early = raw();
  early.send(1, FIND, identifier);
  assert.deepEqual(await early.pdu('A-ABORT'), abort(2, 2));
  const twice = raw();
  await twice.associate();
  assert.deepEqual(await twice.associate(), abort(2, 2));
  const data = raw();
  await data.associate();
  data.write(Buffer.from([4, 0, 0xff, 0xff, 0xff, 0xff]));
  assert.deepEqual(await data.pdu('A-ABORT'), abort(2, 6));
  for (const peer of [garbage, claim, early, twice, data]) await peer.ended();
  assert.equal(calls.length, 0);
});

test('limits: a data set beyond the limit and a command set that is none end the association', async (t) => {
  const { raw } = await bench(t, three, { dataSetBytes: 1_000 });
  const large = raw();
  await large.associate();
  large.send(1, FIND, new Uint8Array(1_001));
  assert.deepEqual(await large.pdu('A-ABORT'), abort(2, 0));
  const nonsense = raw();
  await nonsense.associate();
  nonsense.write(...fragments(Buffer.from('nonsense'), true, { contextId: 1, command: true, size: 100 }));
  assert.deepEqual(await nonsense.pdu('A-ABORT'), abort(0, 0));
});

test('limits: silent and half-open connections are closed when ARTIM expires, however slow they drip', async (t) => {
  const { raw } = await bench(t, three, { artimMs: 300 });
  const silent = raw();
  const half = raw();
  half.write(encodePdu(request()).subarray(0, 50));
  const dripping = raw();
  const bytes = encodePdu(request());
  let at = 0;
  const drip = setInterval(() => !dripping.closed && dripping.write(bytes.subarray(at, (at += 1))), 50);
  t.after(() => clearInterval(drip));
  for (const peer of [silent, half, dripping]) await peer.ended(2_000);
});

test('limits: an association without requests ends, one that is answered does not', async (t) => {
  const { raw } = await bench(t, three, { idleMs: 300 });
  const peer = raw();
  await peer.associate();
  for (let turn = 0; turn < 4; turn += 1) {
    await pause(150);
    assert.equal(await peer.status(3, ECHO), 0);
  }
  assert.deepEqual(await peer.pdu('A-ABORT'), abort(2, 0));
});

test('limits: silent connections give way to new ones, associations do not', async (t) => {
  const refused: string[] = [];
  const events = { refused: (_: string, why: string) => void refused.push(why) };
  const { raw } = await bench(t, three, { connections: 3, connectionsPerPeer: 100 }, { events });
  const associated = raw();
  await associated.associate();
  const silent = [raw(), raw(), raw(), raw()];
  await until(() => silent.filter((peer) => peer.closed).length === 2, {
    what: 'two gave way',
    timeoutMs: 60_000,
  });
  const late = raw();
  assert.equal((await late.associate()).type, 'associate-ac');
  const later = raw();
  assert.equal((await later.associate()).type, 'associate-ac');
  const refusedOne = raw();
  await refusedOne.ended();
  assert.equal(await associated.status(3, ECHO), 0);
  assert.ok(refused.length >= 4 && refused.every((why) => why === 'total'));
});

test('limits: associations that have been idle give way, the longest idle first, busy ones never', async (t) => {
  const { handler } = endless();
  const { raw, logged } = await bench(t, handler, { connections: 3, yieldMs: 0 });
  const [busy, first, second] = [raw(), raw(), raw()];
  await busy.associate();
  assert.equal(await busy.status(1, FIND, identifier), 0xff00);
  await first.associate();
  await second.associate();
  assert.equal(await first.status(3, ECHO), 0, 'second is idle for longer now');
  assert.equal((await raw().associate()).type, 'associate-ac');
  assert.deepEqual(await second.pdu('A-ABORT'), abort(2, 0));
  await second.ended();
  assert.equal(await first.status(3, ECHO), 0);
  assert.equal(busy.closed, false);
  assert.match(logged.join('\n'), /connection\.limit .*"refused":false/);
});

test('limits: the bound per peer holds below the total', async (t) => {
  const refused: string[] = [];
  const events = { refused: (_: string, why: string) => void refused.push(why) };
  const { raw } = await bench(t, three, { connections: 100, connectionsPerPeer: 2 }, { events });
  const kept = [raw(), raw()];
  for (const peer of kept) await peer.associate();
  await raw().ended();
  assert.deepEqual(refused, ['per peer']);
  for (const peer of kept) assert.equal(await peer.status(3, ECHO), 0);
});

test('limits: close() ends idle, running and silent connections within its limit', async (t) => {
  const { handler, finished } = endless();
  const { raw, close, port } = await bench(t, handler, { closeMs: 300 });
  const [idle, running, silent] = [raw(), raw(), raw()];
  await idle.associate();
  await running.associate();
  assert.equal(await running.status(1, FIND, identifier), 0xff00);
  const start = performance.now();
  await close();
  assert.ok(performance.now() - start < 3_000);
  for (const peer of [idle, running, silent]) await peer.ended();
  assert.deepEqual(await idle.pdu('A-ABORT'), abort(0, 0));
  await until(finished, { what: 'the handler is let go', timeoutMs: 60_000 });
  const late = new RawPeer(port);
  await late.ended();
});

test('limits: whatever bytes come, before or within an association, the next peer is served', async (t) => {
  const { raw } = await bench(t, three, { artimMs: 200, connections: 2_000, connectionsPerPeer: 2_000 });
  const good = [...message(1, FIND, identifier), ...message(3, ECHO)];
  const mutated = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 10 }).map((edits) => {
    const bytes = Buffer.concat(good);
    for (const [at, to] of edits) bytes[at % bytes.length] = to;
    return bytes;
  });
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 300 }), mutated);
  await fc.assert(
    fc.asyncProperty(fc.boolean(), bytes, async (associated, sent) => {
      const peer = raw();
      if (associated) await peer.associate();
      peer.write(sent);
      peer.socket.end();
      await peer.ended();
    }),
    { numRuns: 300 },
  );
  const after = raw();
  await after.associate();
  assert.equal(await after.status(3, ECHO), 0);
});
