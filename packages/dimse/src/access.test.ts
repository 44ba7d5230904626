import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addressMatcher, senderList, type Sender } from './access.ts';

const cases: [network: string, address: string, expected: boolean][] = [
  ['10.1.2.3', '10.1.2.3', true],
  ['10.1.2.3', '10.1.2.30', false],
  ['10.1.2.0/24', '10.1.2.255', true],
  ['10.1.2.0/24', '10.1.3.0', false],
  ['10.1.2.128/25', '10.1.2.127', false],
  ['10.1.2.3/31', '10.1.2.2', true],
  ['0.0.0.0/0', '203.0.113.9', true],
  ['0.0.0.0/0', '2001:db8::1', false],
  ['10.1.2.3', '::ffff:10.1.2.3', true],
  ['::ffff:10.1.2.0/120', '10.1.2.3', true],
  ['::ffff:10.1.2.0/120', '10.1.3.3', false],
  // the bits of IPv4 behind the notation of IPv6
  ['::ffff:10.1.2.0/24', '10.1.3.3', false],
  ['::ffff:10.1.2.0/24', '192.0.2.1', false],
  ['2001:db8::/32', '2001:db8:ffff::1', true],
  ['2001:db8::/33', '2001:db8:ffff::1', false],
  ['2001:db8:0:0:0:0:0:1', '2001:DB8::1', true],
  ['fe80::/10', 'fe80::1%eth0', true],
  ['::1', '::1', true],
  ['::', '::1', false],
  ['::/0', '::1', true],
  ['nonsense', 'nonsense', false],
  ['', '', false],
  ['10.1.2', '10.1.2.0', false],
  ['1::2::3', '1::2:3', false],
  ['10.1.2.256', '10.1.3.0', false],
];
for (const [network, address, expected] of cases)
  test(`address: ${network} ${expected ? 'has' : 'has not'} ${address}`, () =>
    assert.equal(addressMatcher(network)(address), expected));

test('address: agrees with arithmetic on random IPv4 networks', () => {
  const number = (address: string): number =>
    address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
  fc.assert(
    fc.property(fc.ipV4(), fc.ipV4(), fc.integer({ min: 0, max: 32 }), (base, address, bits) => {
      const size = 2 ** (32 - bits);
      const same = Math.floor(number(base) / size) === Math.floor(number(address) / size);
      assert.equal(addressMatcher(`${base}/${bits}`)(address), same);
    }),
  );
});

test('address: an IPv6 address is in its own network of every length', () => {
  fc.assert(
    fc.property(fc.ipV6(), fc.integer({ min: 0, max: 128 }), (address, bits) =>
      assert.equal(addressMatcher(`${address}/${bits}`)(address), true),
    ),
  );
});

const sender = (callingAet: string): Sender => ({ callingAet, calledAet: 'ORTHANC', address: '10.0.0.1' });

test('senders: associations of one sender are counted, the latest sender stands first', () => {
  const list = senderList(10);
  list.add(sender('A'), '1');
  list.add(sender('B'), '2');
  list.add(sender('A'), '3');
  assert.deepEqual(list.all(), [
    { ...sender('A'), count: 2, first: '1', last: '3' },
    { ...sender('B'), count: 1, first: '2', last: '2' },
  ]);
});

test('senders: called AE title, address and reason tell senders apart', () => {
  const list = senderList(10);
  list.add(sender('A'), '1', 'unknown');
  list.add(sender('A'), '2', 'other address');
  list.add({ ...sender('A'), address: '10.0.0.2' }, '3', 'unknown');
  list.add({ ...sender('A'), calledAet: 'OTHER' }, '4', 'unknown');
  assert.deepEqual(
    list.all().map(({ why, count }) => [why, count]),
    [
      ['unknown', 1],
      ['unknown', 1],
      ['other address', 1],
      ['unknown', 1],
    ],
  );
});

test('senders: strangers with ever new AE titles push out the one that was silent for longest, and are counted', () => {
  const list = senderList(3);
  for (const name of ['A', 'B', 'C', 'A', 'D', 'E']) list.add(sender(name), name);
  assert.deepEqual(
    list.all().map(({ callingAet }) => callingAet),
    ['E', 'D', 'A'],
  );
  assert.equal(list.dropped, 2);
});
