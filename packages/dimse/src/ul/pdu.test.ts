/** The PDU codec: what is written is read again, and no bytes make it fail otherwise than by PduError. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodePdu } from './decode.ts';
import { encodePdu, type ControlPdu } from './encode.ts';
import {
  PduError,
  strangerIn,
  whatToDo,
  type AnsweredContext,
  type Pdu,
  type ProposedContext,
} from './pdu.ts';
import { PduReader } from './reader.ts';

const LIMITS = { dataBytes: 16_384, associateBytes: 65_536 };

/** Records like those that the codec gives, with Object's prototype. */
const plain = <T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model).map((record) => ({ ...record }));
const uid = fc
  .array(fc.integer({ min: 1, max: 99_999 }), { minLength: 2, maxLength: 8 })
  .map((parts) => parts.join('.'));
const aet = fc.stringMatching(/^[A-Z0-9_]{1,16}$/);
const optional = <T extends object>(value: fc.Arbitrary<T>): fc.Arbitrary<Partial<T>> =>
  fc.oneof(fc.constant<Partial<T>>({}), value);
const byte = fc.integer({ min: 0, max: 255 });
const ids = fc.uniqueArray(
  fc.integer({ min: 0, max: 127 }).map((n) => 2 * n + 1),
  { maxLength: 128 },
);
const user = fc
  .tuple(
    plain({
      maximumLength: fc.nat(0xffff_ffff),
      implementationClassUid: uid,
      roles: fc.array(plain({ sopClassUid: uid, scu: fc.boolean(), scp: fc.boolean() }), {
        maxLength: 3,
      }),
    }),
    optional(plain({ implementationVersionName: aet })),
    optional(plain({ asyncOperations: plain({ invoked: fc.nat(0xffff), performed: fc.nat(0xffff) }) })),
  )
  .map(([base, version, window]) => ({ ...base, ...version, ...window }));
const fixed = {
  protocolVersion: fc.nat(0xffff),
  calledAet: aet,
  callingAet: aet,
  applicationContext: uid,
  user,
};
const proposed = ids.chain((chosen) =>
  fc.tuple(
    ...chosen.map((id): fc.Arbitrary<ProposedContext> =>
      plain({
        id: fc.constant(id),
        abstractSyntax: uid,
        transferSyntaxes: fc.array(uid, { minLength: 1, maxLength: 4 }),
      }),
    ),
  ),
);
const answered = ids.chain((chosen) =>
  fc.tuple(
    ...chosen.map((id): fc.Arbitrary<AnsweredContext> =>
      plain({ result: fc.constantFrom<0 | 1 | 2 | 3 | 4>(0, 1, 2, 3, 4), syntax: uid }).map(
        ({ result, syntax }) => ({ id, result, transferSyntax: result === 0 ? syntax : '' }),
      ),
    ),
  ),
);
const controlPdu: fc.Arbitrary<ControlPdu> = fc.oneof(
  plain({ type: fc.constant('associate-rq' as const), ...fixed, contexts: proposed }),
  plain({ type: fc.constant('associate-ac' as const), ...fixed, contexts: answered }),
  plain({ type: fc.constant('associate-rj' as const), result: byte, source: byte, reason: byte }),
  plain({ type: fc.constantFrom('release-rq' as const, 'release-rp' as const) }),
  plain({ type: fc.constant('abort' as const), source: byte, reason: byte }),
);

const decodeAll = (bytes: Uint8Array): Pdu =>
  decodePdu(bytes[0] ?? 0, Buffer.from(bytes.buffer, bytes.byteOffset + 6, bytes.length - 6));

test('pdu: every control PDU comes back as it was', () => {
  fc.assert(fc.property(controlPdu, (pdu) => assert.deepEqual(decodeAll(encodePdu(pdu)), pdu)));
});

test('pdu: the header says how long it is', () => {
  fc.assert(
    fc.property(controlPdu, (pdu) => {
      const bytes = encodePdu(pdu);
      assert.equal(bytes.readUInt32BE(2), bytes.length - 6);
    }),
  );
});

test('pdu: an AE title of 17 characters is refused, not cut', () => {
  const pdu = { type: 'associate-rj', result: 1, source: 1, reason: 1 } as const;
  assert.equal(encodePdu(pdu).length, 10);
  assert.throws(
    () =>
      encodePdu({
        type: 'associate-rq',
        protocolVersion: 1,
        calledAet: 'A'.repeat(17),
        callingAet: 'B',
        applicationContext: '1.2',
        contexts: [],
        user: { maximumLength: 0, implementationClassUid: '1.2', roles: [] },
      }),
    RangeError,
  );
});

test('pdu: a context id that is even or used twice is an invalid parameter', () => {
  for (const second of [2, 1]) {
    const context = { abstractSyntax: '1.2', transferSyntaxes: ['1.3'] };
    const bytes = encodePdu({
      type: 'associate-rq',
      protocolVersion: 1,
      calledAet: 'A',
      callingAet: 'B',
      applicationContext: '1.2',
      contexts: [
        { id: 1, ...context },
        { id: second, ...context },
      ],
      user: { maximumLength: 0, implementationClassUid: '1.2', roles: [] },
    });
    assert.throws(() => decodeAll(bytes), isPduError(6));
  }
});

test('pdu: sub-items of user information that we do not use are skipped, with their lengths checked', () => {
  const item = (type: number, length: number, body: number[]): Buffer =>
    Buffer.concat([Buffer.from([type, 0, length >> 8, length & 0xff]), Buffer.from(body)]);
  const fixedPart = Buffer.alloc(68, ' ');
  const identity = [
    item(0x56, 4, [0, 0, 1, 2]),
    item(0x57, 0, []),
    item(0x58, 3, [1, 0, 9]),
    item(0x99, 1, [7]),
  ];
  const maximum = item(0x51, 4, [0, 0, 1, 0]);
  const inner = Buffer.concat([...identity, maximum]);
  const pdu = decodePdu(1, Buffer.concat([fixedPart, item(0x50, inner.length, [...inner])]));
  assert.equal(pdu.type === 'associate-rq' && pdu.user.maximumLength, 256);
  const lying = Buffer.concat([item(0x56, 400, [0, 0, 1, 2]), maximum]);
  assert.throws(
    () => decodePdu(1, Buffer.concat([fixedPart, item(0x50, lying.length, [...lying])])),
    isPduError(6),
  );
});

const isPduError = (reason: number) => (error: unknown) =>
  error instanceof PduError && error.reason === reason;

test('pdu: a P-DATA value that claims more than there is is an invalid parameter', () => {
  assert.throws(() => decodePdu(4, Buffer.from([0, 0, 0, 9, 1, 3, 0])), isPduError(6));
  assert.throws(() => decodePdu(4, Buffer.from([0, 0, 0, 1, 1])), isPduError(6));
  assert.throws(() => decodePdu(4, Buffer.alloc(0)), isPduError(6));
});

/** Feeds `bytes` in pieces; the PDUs, and the error that ended it. */
function readAll(bytes: Uint8Array, sizes: readonly number[]): { pdus: Pdu[]; error?: PduError } {
  const reader = new PduReader(LIMITS);
  const pdus: Pdu[] = [];
  let at = 0;
  for (let turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    try {
      for (const pdu of reader.push(bytes.subarray(at, at + size))) pdus.push(pdu);
    } catch (error) {
      if (!(error instanceof PduError)) throw error;
      return { pdus, error };
    }
    at += size;
  }
  return { pdus };
}
const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });

test('pdu reader: how the bytes are cut does not matter', () => {
  fc.assert(
    fc.property(fc.array(controlPdu, { maxLength: 4 }), sizes, (pdus, cuts) => {
      assert.deepEqual(readAll(Buffer.concat(pdus.map(encodePdu)), cuts), { pdus });
    }),
  );
});

test('pdu reader: random bytes give PDUs or a PduError, nothing else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), sizes, (bytes, cuts) => void readAll(bytes, cuts)),
    { numRuns: 2_000 },
  );
});

test('pdu reader: a mutated PDU gives PDUs or a PduError, nothing else', () => {
  const mutation = plain({ at: fc.nat(), value: byte });
  fc.assert(
    fc.property(
      controlPdu,
      fc.array(mutation, { minLength: 1, maxLength: 8 }),
      sizes,
      (pdu, mutations, cuts) => {
        const bytes = encodePdu(pdu);
        for (const { at, value } of mutations) bytes[at % bytes.length] = value;
        readAll(bytes, cuts);
      },
    ),
    { numRuns: 2_000 },
  );
});

test('pdu reader: a PDU of unknown type or beyond the limit is refused by its header', () => {
  const header = (type: number, length: number): Buffer => {
    const bytes = Buffer.alloc(6);
    bytes.writeUInt8(type, 0);
    bytes.writeUInt32BE(length, 2);
    return bytes;
  };
  assert.equal(readAll(Buffer.from([0x08]), [1]).error?.reason, 1);
  assert.equal(readAll(Buffer.from('GET / HTTP/1.1'), [1]).error?.reason, 1);
  for (const [type, limit] of [
    [1, LIMITS.associateBytes],
    [2, LIMITS.associateBytes],
    [3, 4],
    [4, LIMITS.dataBytes],
    [5, 4],
    [6, 4],
    [7, 4],
  ] as const) {
    assert.equal(readAll(header(type, limit), [6]).error, undefined, `type ${type} at its limit`);
    assert.equal(readAll(header(type, limit + 1), [1]).error?.reason, 6, `type ${type} beyond its limit`);
    assert.equal(readAll(header(type, 0xffff_ffff), [6]).error?.reason, 6);
  }
});

test('pdu reader: memory follows what has come, not what was announced', () => {
  const large = { dataBytes: 0xffff_ffff, associateBytes: 65_536 };
  const before = process.memoryUsage().arrayBuffers;
  const readers = Array.from({ length: 1_000 }, () => {
    const reader = new PduReader(large);
    assert.deepEqual([...reader.push(Buffer.from([4, 0, 0xff, 0xff, 0xff, 0xff, 0, 0]))], []);
    return reader;
  });
  assert.ok(process.memoryUsage().arrayBuffers - before < 4_000_000);
  assert.equal(readers.length, 1_000);
});

test('stranger: what answers instead of DICOM, by its first bytes', () => {
  const told = (text: string): unknown => strangerIn(Buffer.from(text, 'latin1'));
  assert.equal(told('HTTP/1.1 400 Bad Request'), 'HTTP');
  assert.equal(told('<html><head>'), 'HTTP');
  assert.equal(told('<!DOCTYPE html>'), 'HTTP');
  assert.equal(told('GET / HTTP/1.1'), 'HTTP');
  assert.equal(told('SSH-2.0-OpenSSH_9.2'), 'SSH');
  assert.equal(told('\u0015\u0003\u0003\0\u0002\u0002F'), 'TLS');
  assert.equal(told('\u0016\u0003\u0001'), 'TLS');
  assert.equal(told('220 mail.example.org ESMTP'), 'FTP or mail');
  assert.equal(told('RFB 003.008'), 'VNC');
  assert.equal(told('\u0042\u0001'), undefined);
  assert.equal(told(''), undefined);
});

test('stranger: is named in place of a number', () => {
  const reader = new PduReader({ dataBytes: 1024, associateBytes: 1024 });
  assert.throws(() => [...reader.push(Buffer.from('HTTP/1.1 200 OK'))], {
    message: 'it speaks HTTP, not DICOM',
  });
  assert.match(whatToDo('HTTP'), /^This is an HTTP port/);
  assert.match(whatToDo('TLS'), /TLS/);
});
