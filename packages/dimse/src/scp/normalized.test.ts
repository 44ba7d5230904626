/** N-CREATE and N-SET on both sides: our client against our SCP, and what no client of ours would send. */
import { strict as assert } from 'node:assert';
import { test, type TestContext } from 'node:test';
import { dataSet, encodeDataSet, sopClasses, tagOf, text } from '@scanflow/dicom';
import type { Command } from '../message.ts';
import { nCreate, nSet } from '@scanflow/testkit/dimse/normalized';
import { bench, ECHO, EXPLICIT, IMPLICIT, MWL, type Bench } from '@scanflow/testkit/dimse/raw-peer';
import type { CreateRequest, NormalizedResult, SetRequest } from './types.ts';
import type { ScpLimits } from './types.ts';

const MPPS = sopClasses.modalityPerformedProcedureStep;
const bytes = encodeDataSet(dataSet({ PatientID: 'Secret' }), EXPLICIT);
const CREATE: Command = {
  affectedSopClassUid: MPPS,
  commandField: 0x0140,
  messageId: 3,
  dataSetType: 0x0102,
  affectedSopInstanceUid: '1.2.3',
};
const SET: Command = {
  requestedSopClassUid: MPPS,
  commandField: 0x0120,
  messageId: 4,
  dataSetType: 0x0102,
  requestedSopInstanceUid: '1.2.3',
};

interface Served extends Bench {
  readonly created: CreateRequest[];
  readonly set: SetRequest[];
}

async function serve(
  t: TestContext,
  answer: () => NormalizedResult | Promise<NormalizedResult> = () => ({ status: 0 }),
  limits: Partial<ScpLimits> = {},
): Promise<Served> {
  const created: CreateRequest[] = [];
  const set: SetRequest[] = [];
  const made = await bench(t, undefined, limits, {
    contexts: [
      { abstractSyntax: MPPS, transferSyntaxes: [EXPLICIT, IMPLICIT], operations: ['N-CREATE', 'N-SET'] },
      { abstractSyntax: MWL, transferSyntaxes: [EXPLICIT, IMPLICIT], operations: ['C-FIND'] },
    ],
    onCreate: (request) => {
      created.push(request);
      return Promise.resolve(answer());
    },
    onSet: (request) => {
      set.push(request);
      return Promise.resolve(answer());
    },
  });
  return { ...made, created, set };
}
const peer = (port: number) => ({ host: '127.0.0.1', port, calledAet: 'SCP', callingAet: 'MR1' });
const onMpps = {
  contexts: [
    { id: 1, abstractSyntax: MPPS, transferSyntaxes: [EXPLICIT] },
    { id: 3, abstractSyntax: MWL, transferSyntaxes: [EXPLICIT] },
    { id: 5, abstractSyntax: sopClasses.verification, transferSyntaxes: [IMPLICIT] },
  ],
};

test('n-create: the handler gets what was sent, in either syntax, and the answer has the UID', async (t) => {
  const { port, created } = await serve(t);
  for (const transferSyntaxes of [[EXPLICIT], [IMPLICIT]]) {
    const attributes = dataSet({ SpecificCharacterSet: 'ISO_IR 192', PatientName: 'Müller^Jörg' });
    const order = { sopClass: MPPS, sopInstanceUid: '1.2.3', attributes, transferSyntaxes };
    assert.deepEqual(await nCreate(peer(port), order), { ok: true, status: 0, sopInstanceUid: '1.2.3' });
  }
  assert.equal(created.length, 2);
  for (const { attributes, sopInstanceUid, sopClass, association } of created) {
    assert.deepEqual([sopInstanceUid, sopClass, association.callingAet], ['1.2.3', MPPS, 'MR1']);
    assert.equal(text(attributes, 'PatientName'), 'Müller^Jörg');
  }
});

test('n-create: without a UID one is assigned and told', async (t) => {
  const { port, created } = await serve(t);
  const answer = await nCreate(peer(port), { sopClass: MPPS, attributes: dataSet({ PatientID: 'P' }) });
  assert.ok(answer.ok);
  assert.match(answer.sopInstanceUid ?? '', /^2\.25\.\d+$/);
  assert.equal(created[0]?.sopInstanceUid, answer.sopInstanceUid);
});

test('n-create: without an attribute list the handler gets an empty one', async (t) => {
  const { raw, created } = await serve(t);
  const client = raw();
  await client.associate(onMpps);
  assert.equal(await client.status(1, { ...CREATE, dataSetType: 0x0101 }), 0);
  assert.equal(created[0]?.attributes.size, 0);
});

test('n-set: every field of the result arrives', async (t) => {
  const tags = [tagOf('PatientID'), tagOf('StudyID')];
  const { port, set } = await serve(t, () => ({
    status: 0x0110,
    comment: `Performed \\ ${'x'.repeat(80)}`,
    errorId: 0xa710,
    attributeIdentifiers: tags,
    attributes: dataSet({ PatientName: 'Müller' }),
  }));
  const modifications = dataSet({ SpecificCharacterSet: 'ISO_IR 100', PatientName: 'Müller' });
  const answer = await nSet(peer(port), { sopClass: MPPS, sopInstanceUid: '1.2.3', modifications });
  assert.ok(answer.ok);
  assert.deepEqual([answer.status, answer.errorId, answer.sopInstanceUid], [0x0110, 0xa710, '1.2.3']);
  assert.deepEqual(answer.attributeIdentifiers, tags);
  assert.equal(answer.comment?.length, 64);
  assert.doesNotMatch(answer.comment, /\\/);
  assert.equal(
    answer.attributes === undefined ? undefined : text(answer.attributes, 'PatientName'),
    'Müller',
  );
  assert.equal(set.length, 1);
});

test('normalized: a handler’s exception is 0110 and a log line without what it says', async (t) => {
  const { port, raw, logged } = await serve(t, () => {
    throw new Error('Secret^Patient');
  });
  const modifications = dataSet({ PatientID: 'Secret' });
  const answer = await nSet(peer(port), { sopClass: MPPS, sopInstanceUid: '1.2.3', modifications });
  assert.equal(answer.ok && answer.status, 0x0110);
  assert.match(logged.join('\n'), /n-set\.handler-failed/);
  assert.doesNotMatch(logged.join('\n'), /Secret/);
  const client = raw();
  await client.associate(onMpps);
  assert.equal(await client.status(1, CREATE, bytes), 0x0110);
  assert.equal(await client.status(5, ECHO), 0, 'the association goes on');
});

test('normalized: what cannot be taken is refused by its status, and no handler sees it', async (t) => {
  const { raw, created, set } = await serve(t);
  const client = raw();
  await client.associate(onMpps);
  const bad: [string, Command, Uint8Array | undefined, number][] = [
    ['a UID that is none', { ...CREATE, affectedSopInstanceUid: '../../etc' }, bytes, 0x0117],
    ['a UID with a leading zero', { ...SET, requestedSopInstanceUid: '1.02' }, bytes, 0x0117],
    ['a UID of 65 characters', { ...SET, requestedSopInstanceUid: `1.${'2'.repeat(63)}` }, bytes, 0x0117],
    ['a set without a list', { ...SET, dataSetType: 0x0101 }, undefined, 0x0212],
    ['bytes that are no data set', CREATE, Buffer.from('no data set'), 0x0110],
    ['N-GET', { ...SET, commandField: 0x0110, dataSetType: 0x0101 }, undefined, 0x0211],
    ['C-FIND', { ...CREATE, commandField: 0x0020 }, bytes, 0x0211],
    ['another SOP class', { ...CREATE, affectedSopClassUid: MWL }, bytes, 0x0122],
  ];
  for (const [what, command, data, status] of bad)
    assert.equal(await client.status(1, command, data), status, what);
  assert.equal(await client.status(3, { ...CREATE, affectedSopClassUid: MWL }, bytes), 0x0211);
  assert.deepEqual([created.length, set.length], [0, 0]);
});

test('normalized: without a UID an N-SET is 0212', async (t) => {
  const { raw } = await serve(t);
  const client = raw();
  await client.associate(onMpps);
  const { requestedSopInstanceUid: _, ...without } = SET;
  assert.equal(await client.status(1, without, bytes), 0x0212);
});

test('n-create: a peer that does not serve the class is permanent, one lost after the request ambiguous', async (t) => {
  const { port } = await bench(t);
  const order = { sopClass: MPPS, sopInstanceUid: '1.2.3', attributes: dataSet({ PatientID: 'P' }) };
  const refused = await nCreate(peer(port), order);
  assert.equal(refused.ok ? undefined : refused.failure.code, 'NOT_NEGOTIATED');
  const never = await bench(t, undefined, undefined, {
    contexts: [{ abstractSyntax: MPPS, transferSyntaxes: [EXPLICIT] }],
    onCreate: () => new Promise(() => undefined),
  });
  const lost = await nCreate({ ...peer(never.port), timeouts: { response: 200, release: 200 } }, order);
  assert.deepEqual(lost.ok ? undefined : [lost.failure.kind, lost.failure.code], [
    'ambiguous',
    'NO_RESPONSE',
  ]);
});

test('normalized: a handler that does not come back in time is 0110, and is told to stop', async (t) => {
  const never = new Promise<NormalizedResult>(() => undefined);
  const { raw, created, logged } = await serve(t, () => never, { handlerMs: 100 });
  const scanner = raw();
  await scanner.associate(onMpps);
  scanner.send(1, CREATE, bytes);
  const { command } = await scanner.message('the response');
  assert.equal(command.status, 0x0110);
  assert.equal(created[0]?.signal.aborted, true);
  assert.match(logged.join('\n'), /n-create\.handler-failed/);
  assert.equal(await scanner.status(5, ECHO), 0, 'the association goes on');
});
