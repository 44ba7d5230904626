/** Command sets: written as PS3.7 says, read back, and no bytes make it fail otherwise than by CommandError. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { CommandError, decodeCommand, encodeCommand, type Command } from './message.ts';

const us = fc.nat(0xffff);
const uid = fc.stringMatching(/^[1-9]\.[0-9.]{1,60}[1-9]$/);
const command = fc.record(
  {
    commandField: us,
    dataSetType: us,
    affectedSopClassUid: uid,
    messageId: us,
    status: us,
    errorComment: fc.stringMatching(/^[A-Za-z0-9]{1,64}$/),
    offendingElement: fc.array(fc.nat(0xffff_ffff), { minLength: 1, maxLength: 3 }),
    moveDestination: fc.stringMatching(/^[A-Z0-9]{1,16}$/),
    affectedSopInstanceUid: uid,
  },
  { requiredKeys: ['commandField', 'dataSetType'], noNullPrototype: true },
) as fc.Arbitrary<Command>;

test('command: it comes back as it was', () => {
  fc.assert(fc.property(command, (value) => assert.deepEqual(decodeCommand(encodeCommand(value)), value)));
});

test('command: a C-ECHO request byte for byte', () => {
  const bytes = encodeCommand({
    affectedSopClassUid: '1.2.840.10008.1.1',
    commandField: 0x0030,
    messageId: 1,
    dataSetType: 0x0101,
  });
  const expected =
    '00000000' +
    '04000000' +
    '38000000' + // group length 56
    '00000200' +
    '12000000' +
    Buffer.from('1.2.840.10008.1.1\0').toString('hex') +
    '00000001' +
    '02000000' +
    '3000' +
    '00001001' +
    '02000000' +
    '0100' +
    '00000008' +
    '02000000' +
    '0101';
  assert.equal(bytes.toString('hex'), expected);
});

test('command: random bytes give a command or a CommandError, nothing else', () => {
  const read = (bytes: Uint8Array): void => {
    try {
      decodeCommand(bytes);
    } catch (error) {
      assert.ok(error instanceof CommandError);
    }
  };
  const mutated = fc
    .tuple(command, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }))
    .map(([value, edits]) => {
      const bytes = encodeCommand(value);
      for (const [at, to] of edits) bytes[at % bytes.length] = to;
      return bytes;
    });
  fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), read), { numRuns: 3_000 });
});

test('command: another group, a repeated element, a length beyond the end and a missing field are errors', () => {
  const good = encodeCommand({ commandField: 0x30, dataSetType: 0x101 });
  const element = good.subarray(12, 22);
  const cases: Record<string, Buffer> = {
    'another group': Buffer.concat([good, Buffer.from('0800050000000000', 'hex')]),
    repeated: Buffer.concat([good, element]),
    beyond: good.subarray(0, good.length - 1),
    cut: good.subarray(0, good.length - 7),
    missing: good.subarray(0, 22),
    empty: Buffer.alloc(0),
  };
  for (const [name, bytes] of Object.entries(cases))
    assert.throws(() => decodeCommand(bytes), CommandError, name);
});
