/** C-FIND as SCP: matches, cancel, failures of handler, identifier and peer. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { dataSet, encodeDataSet } from '@scanflow/dicom';
import { until } from '@scanflow/testkit';
import {
  bench,
  ECHO,
  endless,
  EXPLICIT,
  FIND,
  first,
  identifier,
  three,
} from '@scanflow/testkit/dimse/raw-peer';
import { encodePdu } from '../ul/encode.ts';
import type { FindHandler, FinalStatus } from './types.ts';

test('c-find: an identifier that cannot be decoded is A900 and never a universal query', async (t) => {
  const { raw, calls } = await bench(t);
  const peer = raw();
  await peer.associate();
  const long = encodeDataSet(dataSet({ PatientName: 'X', StudyInstanceUID: '1.2.3' }), EXPLICIT);
  const bad: Record<string, Uint8Array> = {
    random: Buffer.from(Array.from({ length: 400 }, (_, index) => (index * 7919) % 251)),
    'truncated header': long.subarray(0, 5),
    'truncated value': long.subarray(0, long.length - 2),
    'unterminated sequence': Buffer.from(
      '40000001' + '5351' + '0000' + 'ffffffff' + 'feff00e0' + 'ffffffff',
      'hex',
    ),
  };
  for (const [name, bytes] of Object.entries(bad)) {
    peer.send(1, FIND, bytes);
    const { command } = await peer.message(`an answer to ${name}`);
    assert.equal(command.status, 0xa900, name);
    assert.match(command.errorComment ?? '', /cannot be decoded/);
  }
  assert.equal(await peer.status(1, { ...FIND, dataSetType: 0x0101 }), 0xa900, 'no identifier at all');
  assert.equal(calls.length, 0);
});

test('c-find: an identifier with more bytes or elements than a query needs is C000, and nothing is matched', async (t) => {
  const { raw, calls, logged } = await bench(t);
  const peer = raw();
  await peer.associate();
  const long = encodeDataSet(dataSet({ PatientID: 'a*\\'.repeat(50_000) }), EXPLICIT);
  const item = encodeDataSet(
    dataSet({ ScheduledProcedureStepSequence: Array.from({ length: 4_100 }, () => ({})) }),
    EXPLICIT,
  );
  for (const bytes of [long, item]) {
    peer.send(1, FIND, bytes);
    const { command } = await peer.message('an answer');
    assert.equal(command.status, 0xc000);
    assert.match(command.errorComment ?? '', /too large/);
  }
  assert.equal(calls.length, 0);
  assert.match(logged.join('\n'), /c-find\.identifier-too-large .*"address":"127\.0\.0\.1"/);
});

test('c-find: a handler’s exception is C000 and a log line without what it says', async (t) => {
  const failing: FindHandler = async function* (found) {
    yield* first(three(found));
    throw new Error('Secret^Patient');
  };
  const { raw, logged } = await bench(t, failing);
  const peer = raw();
  await peer.associate();
  assert.equal(await peer.status(1, FIND, identifier), 0xff00);
  const { command } = await peer.message('the final response');
  assert.equal(command.status, 0xc000);
  assert.match(logged.join('\n'), /c-find\.handler-failed/);
  assert.doesNotMatch(logged.join('\n'), /Secret/);
  assert.equal(await peer.status(3, ECHO), 0);
});

test('c-find: a match that cannot be encoded costs none of the others, and shows in the final status', async (t) => {
  const broken: FindHandler = async function* (found) {
    yield* first(three(found));
    yield { status: 0xff00, identifier: dataSet({ PatientName: 'Secret' }), characterSet: 'NONSENSE' };
    return yield* three(found);
  };
  const { raw, logged } = await bench(t, broken);
  const peer = raw();
  await peer.associate();
  peer.send(1, FIND, identifier);
  const answers = [];
  while (answers.length < 5) answers.push((await peer.message('a response')).command);
  assert.deepEqual(
    answers.map(({ status }) => status),
    [0xff00, 0xff00, 0xff00, 0xff00, 0xc000],
  );
  assert.match(answers.at(-1)?.errorComment ?? '', /cannot be sent: 1/);
  assert.match(logged.join('\n'), /c-find\.match-unencodable/);
  assert.doesNotMatch(logged.join('\n'), /Secret/);
});

test('c-find: a handler that gives no answer in time is C000, and is told to stop', async (t) => {
  let told = false;
  const hanging: FindHandler = async function* (found) {
    yield* first(three(found));
    await new Promise<void>((resolve) => found.signal.addEventListener('abort', () => resolve()));
    told = true;
    return { status: 0 };
  };
  const { raw, logged } = await bench(t, hanging, { handlerMs: 200 });
  const peer = raw();
  await peer.associate();
  assert.equal(await peer.status(1, FIND, identifier), 0xff00);
  const { command } = await peer.message('the final response');
  assert.equal(command.status, 0xc000);
  assert.match(command.errorComment ?? '', /No answer in time/);
  assert.match(logged.join('\n'), /c-find\.handler-late/);
  await until(() => told, { what: 'the handler is told', timeoutMs: 60_000 });
  assert.equal(await peer.status(3, ECHO), 0, 'the association goes on');
});

test('c-find: C-CANCEL between responses gives FE00 and lets the handler go', async (t) => {
  const { handler, finished } = endless();
  const { raw } = await bench(t, handler);
  const peer = raw();
  await peer.associate();
  assert.equal(await peer.status(1, FIND, identifier), 0xff00);
  peer.send(1, { commandField: 0x0fff, messageIdBeingRespondedTo: 7, dataSetType: 0x0101 });
  const last = await until(
    async () => {
      const { status } = (await peer.message('a response')).command;
      return status === 0xff00 ? undefined : status;
    },
    { what: 'the final response', timeoutMs: 60_000 },
  );
  assert.equal(last, 0xfe00);
  await until(finished, { what: 'the handler is let go', timeoutMs: 60_000 });
  assert.equal(await peer.status(3, ECHO), 0);
});

test('c-find: C-CANCEL reaches a handler that hangs', async (t) => {
  const { raw } = await bench(t, async function* () {
    await new Promise(() => undefined);
    yield* three({} as never);
    return { status: 0 };
  });
  const peer = raw();
  await peer.associate();
  peer.send(1, FIND, identifier);
  assert.equal(
    await peer.status(1, { commandField: 0x0fff, messageIdBeingRespondedTo: 7, dataSetType: 0x0101 }),
    0xfe00,
  );
});

test('c-find: a C-CANCEL for nothing is ignored', async (t) => {
  const { raw } = await bench(t);
  const peer = raw();
  await peer.associate();
  peer.send(1, { commandField: 0x0fff, messageIdBeingRespondedTo: 99, dataSetType: 0x0101 });
  assert.equal(await peer.status(3, ECHO), 0);
});

test('c-find: a peer that goes away mid-answer lets the handler go', async (t) => {
  for (const how of ['abort', 'close'] as const) {
    const { handler, finished } = endless();
    const { raw } = await bench(t, handler);
    const peer = raw();
    await peer.associate();
    assert.equal(await peer.status(1, FIND, identifier), 0xff00);
    if (how === 'abort') peer.write(encodePdu({ type: 'abort', source: 0, reason: 0 }));
    else peer.socket.destroy();
    await until(finished, { what: `the handler is let go after ${how}`, timeoutMs: 60_000 });
  }
});

test('c-find: a peer that takes no answers holds no memory and is let go', async (t) => {
  let yielded = 0;
  const large = dataSet({ PatientName: 'x'.repeat(60), ImageComments: 'y'.repeat(9_000) });
  const flood: FindHandler = async function* () {
    for (;;) {
      yielded += 1;
      if (yielded % 100 === 0) await pause(0);
      yield { status: 0xff00, identifier: large, characterSet: 'ISO_IR 100' };
    }
  };
  const { raw, logged } = await bench(t, flood, { stallMs: 400 });
  const peer = raw();
  await peer.associate();
  peer.socket.pause();
  peer.send(1, FIND, identifier);
  await until(() => logged.some((line) => line.includes('took nothing')), {
    what: 'it is let go',
    timeoutMs: 60_000,
  });
  // what the kernel and one buffer hold: some megabytes, and no more however long it takes
  assert.ok(yielded < 2_500, `${yielded} answers of 9 kB were made`);
});

test('c-find: a final status carries comment and offending element within the limits of their VRs', async (t) => {
  const final: FinalStatus = {
    status: 0xa900,
    comment: `bad\\key ${'x'.repeat(80)}`,
    offendingElement: 0x00100010,
  };
  const { raw } = await bench(t, async function* () {
    await pause(0);
    if (final.status === 0) yield* three({} as never);
    return final;
  });
  const peer = raw();
  await peer.associate();
  peer.send(1, FIND, identifier);
  const { command } = await peer.message('the final response');
  assert.deepEqual(command.offendingElement, [0x00100010]);
  assert.equal(command.errorComment?.length, 64);
  assert.ok(!command.errorComment.includes('\\'));
});
