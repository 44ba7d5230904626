/** Fragments: what goes out fits the peer's maximum length and comes together again. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { fragments, fragmentSize } from './encode.ts';
import type { Pdv } from './pdu.ts';
import { PduReader } from './reader.ts';

test('fragment size: even, with the six bytes of the value item taken off', () => {
  assert.equal(fragmentSize(16_384), 16_378);
  assert.equal(fragmentSize(16_383), 16_376);
  assert.equal(fragmentSize(9), 2);
  assert.equal(fragmentSize(8), 2);
});

test('fragment size: no limit and absurd limits are bounded', () => {
  assert.equal(fragmentSize(0), 131_072);
  assert.equal(fragmentSize(0xffff_ffff), 131_072);
});

test('fragment size: a peer with room for one byte gets one byte, one with no room nothing', () => {
  assert.equal(fragmentSize(7), 1);
  for (const none of [1, 2, 3, 4, 5, 6]) assert.equal(fragmentSize(none), undefined);
});

test('fragments: they fit, and give the bytes back in order', () => {
  const sizes = fc.oneof(
    fc.integer({ min: 7, max: 64 }),
    fc.integer({ min: 65, max: 20_000 }),
    fc.constant(0),
  );
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 30_000, size: 'max' }),
      sizes,
      fc.boolean(),
      (data, maximum, command) => {
        const size = fragmentSize(maximum) ?? 0;
        const pieces = fragments(data, true, { contextId: 5, command, size });
        const reader = new PduReader({ dataBytes: maximum === 0 ? 0xffff_ffff : maximum, associateBytes: 0 });
        const values: Pdv[] = [];
        for (const pdu of reader.push(Buffer.concat(pieces))) {
          assert.equal(pdu.type, 'p-data');
          values.push(...pdu.values);
        }
        assert.deepEqual(Buffer.concat(values.map((value) => value.data)), Buffer.from(data));
        assert.ok(values.every((value) => value.contextId === 5 && value.command === command));
        assert.deepEqual(
          values.map((value) => value.last),
          values.map((_, index) => index === values.length - 1),
        );
      },
    ),
    { numRuns: 200 },
  );
});

test('fragments: an empty data set is one empty last fragment; an empty stretch is nothing', () => {
  const target = { contextId: 1, command: false, size: 100 };
  assert.deepEqual(
    Buffer.concat(fragments(new Uint8Array(0), true, target)).toString('hex'),
    '0400000000060000000201' + '02',
  );
  assert.equal(Buffer.concat(fragments(new Uint8Array(0), false, target)).length, 0);
});

test('fragments: long data is not copied', () => {
  const data = new Uint8Array(100_000);
  const pieces = fragments(data, true, { contextId: 1, command: false, size: 16_378 });
  assert.ok(pieces.filter((piece) => piece.length > 12).every((piece) => piece.buffer === data.buffer));
});
