/** Messages from fragments: in order, on one accepted context, within limits. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { PduError, type Pdv } from './ul/pdu.ts';
import { Assembler, CommandError, encodeCommand } from './message.ts';

const make = (): Assembler =>
  new Assembler({ commandBytes: 200, dataSetBytes: 100 }, (id) => id === 1 || id === 3);
const echo = encodeCommand({ commandField: 0x30, messageId: 1, dataSetType: 0x101 });
const find = encodeCommand({ commandField: 0x20, messageId: 1, dataSetType: 0x102 });
const pdv = (data: Uint8Array, kind: Partial<Pdv> = {}): Pdv => ({
  contextId: 1,
  command: false,
  last: false,
  data,
  ...kind,
});
const whole = { command: true, last: true };

test('assembler: a command without data set is a message', () => {
  assert.equal(make().push(pdv(echo, whole))?.command.commandField, 0x30);
});

test('assembler: fragments of command and data set come together', () => {
  const assembler = make();
  for (let at = 0; at < find.length; at += 7) {
    const last = at + 7 >= find.length;
    assert.equal(assembler.push(pdv(find.subarray(at, at + 7), { command: true, last })), undefined);
  }
  assert.equal(assembler.begun, true);
  assert.equal(assembler.push(pdv(Buffer.from('ab'))), undefined);
  const message = assembler.push(pdv(Buffer.from('cd'), { last: true }));
  assert.equal(Buffer.from(message?.dataSet ?? []).toString(), 'abcd');
  assert.equal(assembler.begun, false);
  assert.equal(assembler.push(pdv(echo, whole))?.dataSet, undefined);
});

test('assembler: a context that was not accepted, mixed contexts and a wrong order are refused', () => {
  assert.throws(() => make().push(pdv(echo, { ...whole, contextId: 5 })), PduError);
  assert.throws(() => make().push(pdv(Buffer.from('ab'))), PduError);
  const mixed = make();
  mixed.push(pdv(find, whole));
  assert.throws(() => mixed.push(pdv(Buffer.from('ab'), { contextId: 3 })), PduError);
  const twice = make();
  twice.push(pdv(find, whole));
  assert.throws(() => twice.push(pdv(find, whole)), PduError);
});

test('assembler: limits hold for a single fragment and for the sum', () => {
  assert.throws(() => make().push(pdv(Buffer.alloc(201), { command: true })), PduError);
  const assembler = make();
  assembler.push(pdv(find, whole));
  assembler.push(pdv(Buffer.alloc(100)));
  assert.throws(() => assembler.push(pdv(Buffer.alloc(1))), PduError);
});

test('assembler: a request without message id and a response to none are no commands', () => {
  for (const commandField of [0x30, 0x8030, 0x0fff]) {
    const bytes = encodeCommand({ commandField, dataSetType: 0x101 });
    assert.throws(() => make().push(pdv(bytes, whole)), CommandError);
  }
});
