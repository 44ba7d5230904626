import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import * as browser from './platform-browser.ts';
import * as node from './platform.ts';

const upper = Uint8Array.from({ length: 128 }, (_, index) => index + 128);

test('platform: browsers read the sets of one byte a character as Node.js does', () => {
  for (const name of ['2', '3', '4', '5', '6', '7', '8', '9', '15'].map((part) => `iso-8859-${part}`))
    assert.equal(browser.decodeBytes(upper, name), node.decodeBytes(upper, name), name);
  assert.equal(browser.decodeBytes(upper, 'tis620'), node.decodeBytes(upper, 'tis620'));
});

test('platform: what both know of sets of two bytes a character is the same', () => {
  const sets: readonly (readonly [string, number[], number])[] = [
    ['eucjp', [], 6800],
    ['eucjp', [0x8f], 6000],
    ['euckr', [], 8200],
    ['gb2312', [], 7400],
  ];
  for (const [name, prefix, least] of sets) {
    let known = 0;
    for (let first = 0xa1; first < 0xff; first++)
      for (let second = 0xa1; second < 0xff; second++) {
        const bytes = Uint8Array.of(...prefix, first, second);
        const [one, other] = [node.decodeBytes(bytes, name), browser.decodeBytes(bytes, name)];
        if (one.includes('\ufffd') || other.includes('\ufffd')) continue;
        assert.equal(other, one, `${name} ${Buffer.from(bytes).toString('hex')}`);
        known += 1;
      }
    assert.ok(known >= least, `${name}: ${known}`);
  }
});

test('platform: bytes become the same text, base64 and order in both', () => {
  const bytes = randomBytes(20_000);
  assert.equal(browser.latin1(bytes), node.latin1(bytes));
  assert.equal(browser.latin1(bytes, 10, 20), node.latin1(bytes, 10, 20));
  assert.equal(browser.toBase64(bytes), node.toBase64(bytes));
  assert.deepEqual(browser.fromBase64(node.toBase64(bytes)), node.fromBase64(node.toBase64(bytes)));
  assert.deepEqual(Buffer.from(browser.joined([bytes, upper])), node.joined([bytes, upper]));
  for (const unit of [1, 2, 4, 8]) {
    const [one, other] = [new Uint8Array(bytes), new Uint8Array(bytes)];
    node.swapUnits(one, unit);
    browser.swapUnits(other, unit);
    assert.deepEqual(one, other);
  }
  assert.ok(browser.isSameBytes(upper, new Uint8Array(upper)));
  assert.ok(!browser.isSameBytes(upper, upper.subarray(1)));
  assert.deepEqual(browser.dictionaryLines(), node.dictionaryLines());
});

test('platform: both inflate, also a part, what is padded, what is broken and what is too much', () => {
  const bytes = Buffer.concat([randomBytes(100_000), Buffer.alloc(3_000_000)]);
  const stream = deflateRawSync(bytes);
  const cases: readonly (readonly [Uint8Array, number])[] = [
    [stream, 8_000_000],
    [Buffer.concat([stream, Buffer.alloc(1)]), 8_000_000],
    [stream, 1_000_000],
    [randomBytes(64).fill(0xff), 1_000_000],
    ...Array.from({ length: 16 }, (_, index) => [stream.subarray(0, 50_000 + index), 8_000_000] as const),
    ...[1, 2, 3].map((cut) => [stream.subarray(0, -cut), 8_000_000] as const),
  ];
  for (const [given, limit] of cases) {
    const [one, other] = [node.inflate(given, limit), browser.inflate(given, limit)];
    if (typeof one === 'string' || typeof other === 'string') assert.equal(other, one);
    else {
      assert.equal(other.ended, one.ended);
      // of a part, one engine may give some bytes more than the other
      const count = Math.min(one.bytes.length, other.bytes.length);
      assert.ok(count > 40_000);
      assert.ok(bytes.subarray(0, count).equals(other.bytes.subarray(0, count)));
    }
  }
});
