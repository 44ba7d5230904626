/** Our SCP against a peer that writes PDUs by hand: association and messages by the standard. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { decodeDataSet, sopClasses, text } from '@scanflow/dicom';
import { encodeCommand } from '../message.ts';
import {
  abort,
  bench,
  ECHO,
  EXPLICIT,
  FIND,
  IMPLICIT,
  identifier,
  three,
} from '@scanflow/testkit/dimse/raw-peer';
import { encodePdu } from '../ul/encode.ts';

test('connection: a rejected association is not served, and closed when ARTIM expires', async (t) => {
  const { raw, calls } = await bench(t, three, { artimMs: 300 });
  const peer = raw();
  const answer = await peer.associate({ callingAet: 'STRANGER' });
  assert.deepEqual(answer, { type: 'associate-rj', result: 1, source: 1, reason: 3 });
  peer.send(1, FIND, identifier);
  await peer.ended();
  assert.equal(peer.longest, 0);
  assert.equal(calls.length, 0);
});

test('connection: protocol version and application context are the provider’s to refuse', async (t) => {
  const { raw } = await bench(t);
  const version = await raw().associate({ protocolVersion: 2 });
  assert.deepEqual(version, { type: 'associate-rj', result: 1, source: 2, reason: 2 });
  const context = await raw().associate({ applicationContext: '1.2.3' });
  assert.deepEqual(context, { type: 'associate-rj', result: 1, source: 1, reason: 2 });
});

test('connection: an admission that throws refuses for the moment', async (t) => {
  const admit = (): never => {
    throw new Error('Secret^Name');
  };
  const { raw, logged } = await bench(t, three, {}, { admit });
  assert.deepEqual(await raw().associate(), { type: 'associate-rj', result: 2, source: 1, reason: 1 });
  assert.doesNotMatch(logged.join('\n'), /Secret/);
});

test('connection: contexts are answered each for itself', async (t) => {
  const { raw } = await bench(t);
  const answer = await raw().associate();
  assert.equal(answer.type, 'associate-ac');
  assert.deepEqual(
    answer.contexts.map(({ id, result, transferSyntax }) => [id, result, transferSyntax]),
    [
      [5, 3, ''],
      [1, 0, EXPLICIT],
      [3, 0, IMPLICIT],
    ],
  );
});

test('connection: a message on a context that was refused or never proposed ends the association', async (t) => {
  const { raw, calls } = await bench(t);
  for (const contextId of [5, 77]) {
    const peer = raw();
    await peer.associate();
    peer.send(contextId, FIND, identifier);
    assert.deepEqual(await peer.pdu('A-ABORT'), abort(2, 6));
  }
  assert.equal(calls.length, 0);
});

test('connection: a command of another SOP class than the context’s is 0122, an unknown one 0211', async (t) => {
  const { raw, calls } = await bench(t);
  const peer = raw();
  await peer.associate();
  assert.equal(await peer.status(3, FIND, identifier), 0x0122);
  assert.equal(
    await peer.status(3, { ...FIND, affectedSopClassUid: sopClasses.verification }, identifier),
    0x0211,
  );
  assert.equal(await peer.status(1, { ...FIND, commandField: 0x0021 }, identifier), 0x0211);
  assert.equal(calls.length, 0);
  assert.equal(await peer.status(3, ECHO), 0);
});

test('connection: a peer’s maximum length is honoured, however small', async (t) => {
  const { raw } = await bench(t);
  for (const maximum of [7, 8, 9, 20, 128]) {
    const peer = raw();
    await peer.associate({}, maximum);
    peer.send(1, FIND, identifier);
    const names: (string | undefined)[] = [];
    for (;;) {
      const { command, dataSet: bytes } = await peer.message('a response');
      if (command.status !== 0xff00) break;
      names.push(text(decodeDataSet(bytes ?? new Uint8Array(0), EXPLICIT), 'PatientName'));
    }
    assert.deepEqual(names, ['Secret^A', 'Secret^B', 'Secret^C'], `maximum length ${maximum}`);
    assert.ok(peer.longest <= maximum, `${peer.longest} bytes for a maximum of ${maximum}`);
  }
});

test('connection: a peer whose maximum length leaves no room is rejected', async (t) => {
  const { raw, calls } = await bench(t);
  for (const maximum of [1, 6]) {
    const answer = await raw().associate({}, maximum);
    assert.deepEqual(answer, { type: 'associate-rj', result: 1, source: 2, reason: 1 });
  }
  assert.equal(calls.length, 0);
});

test('connection: two messages in one P-DATA-TF, and command and data set in one, are understood', async (t) => {
  const { raw } = await bench(t);
  const peer = raw();
  await peer.associate();
  const value = (command: boolean, contextId: number, data: Uint8Array): Buffer => {
    const head = Buffer.alloc(6);
    head.writeUInt32BE(data.length + 2, 0);
    head.writeUInt8(contextId, 4);
    head.writeUInt8(command ? 3 : 2, 5);
    return Buffer.concat([head, data]);
  };
  const body = Buffer.concat([
    value(true, 3, encodeCommand(ECHO)),
    value(true, 1, encodeCommand(FIND)),
    value(false, 1, identifier),
    value(true, 3, encodeCommand({ ...ECHO, messageId: 11 })),
  ]);
  const head = Buffer.from([4, 0, 0, 0, 0, 0]);
  head.writeUInt32BE(body.length, 2);
  peer.write(head, body);
  const answers: unknown[] = [];
  for (let count = 0; count < 6; count += 1) {
    const { command } = await peer.message('a response');
    answers.push([command.messageIdBeingRespondedTo, command.status]);
  }
  assert.deepEqual(answers, [
    [9, 0],
    [7, 0xff00],
    [7, 0xff00],
    [7, 0xff00],
    [7, 0],
    [11, 0],
  ]);
});

test('connection: release is answered, and its connection ends when the peer closes it', async (t) => {
  const { raw, logged } = await bench(t);
  const peer = raw();
  await peer.associate();
  peer.write(encodePdu({ type: 'release-rq' }));
  assert.deepEqual(await peer.pdu('A-RELEASE-RP'), { type: 'release-rp' });
  peer.socket.end();
  await peer.ended();
  assert.match(logged.join('\n'), /association was released/);
});
