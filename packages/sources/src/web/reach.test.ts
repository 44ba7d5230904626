/** Which addresses a calendar may lead to: the kind of each, and names that mean another than they did. */
import assert from 'node:assert/strict';
import { promisify } from 'node:util';
import { test } from 'node:test';
import fc from 'fast-check';
import { kindOf, Reach } from './reach.ts';
import { Stop } from '../answer.ts';

test('reach: the kind of an address, in every notation', () => {
  const kinds = {
    public: ['93.184.216.34', '2606:2800:220:1:248:1893:25c8:1946', '172.32.0.1', '11.0.0.1'],
    private: ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', 'fd00::1', 'fec0::1'],
    loopback: [
      '127.0.0.1',
      '127.1.2.3',
      '::1',
      '0.0.0.0',
      '0.1.2.3',
      '::',
      '::ffff:127.0.0.1',
      '::ffff:7f00:1',
      '[::1]',
    ],
    'link-local': [
      '169.254.169.254',
      'fe80::1',
      'fe80::1%eth0',
      '::ffff:169.254.169.254',
      '::ffff:a9fe:a9fe',
    ],
    // an IPv4 address packed into IPv6 reaches it by a translator, if by any
    other: [
      '64:ff9b::7f00:1',
      '2002:7f00:1::',
      '2001:0::1',
      '224.0.0.1',
      'ff02::1',
      '255.255.255.255',
      'name',
      '',
    ],
  } as const;
  for (const [kind, addresses] of Object.entries(kinds))
    for (const address of addresses) assert.equal(kindOf(address), kind, address);
});

test('reach: what URLs make of loopback addresses is loopback', () => {
  for (const text of [
    '127.1',
    '0x7f000001',
    '2130706433',
    '017700000001',
    '0',
    '[::ffff:127.0.0.1]',
    '[0:0:0:0:0:0:0:1]',
  ])
    assert.equal(kindOf(new URL(`http://${text}/`).hostname), 'loopback', text);
});

test('reach: no IPv4 address is public in one notation and inside in another', () => {
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      assert.equal(kindOf(`::ffff:${address}`), kindOf(address));
    }),
  );
});

const codeOf = (work: () => void): string => {
  try {
    work();
    return 'allowed';
  } catch (error) {
    assert.ok(error instanceof Stop);
    return error.fetched.failure.code;
  }
};

/** Redirects from one address to others. */
function judged(from: string, to: string, listed: readonly string[] = []): string {
  const reach = new Reach(listed);
  assert.equal(
    codeOf(() => reach.judge(new URL(from), true)),
    'allowed',
    from,
  );
  return codeOf(() => reach.judge(new URL(to), false));
}

test('reach: public stays public; inside only where the configured address is of that kind', () => {
  const [out, lan, here, link] = [
    'http://93.184.216.34/',
    'http://10.0.0.1/',
    'http://127.0.0.1/',
    'http://169.254.1.1/',
  ];
  for (const from of [out, lan, here, link]) assert.equal(judged(from, 'http://8.8.8.8/'), 'allowed', from);
  for (const to of [
    lan,
    here,
    link,
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://localhost/',
    'http://x.localhost/',
    'http://[64:ff9b::7f00:1]/',
  ])
    assert.equal(judged(out, to), 'FETCH_INWARD', to);
  assert.equal(judged(lan, 'http://192.168.0.1/'), 'allowed');
  assert.equal(judged(lan, here), 'FETCH_INWARD');
  assert.equal(judged(here, 'http://127.0.0.2/'), 'allowed');
  assert.equal(judged(here, lan), 'FETCH_INWARD');
  assert.equal(judged(out, lan, ['10.0.0.1']), 'allowed');
  assert.equal(judged(out, here, ['10.0.0.1']), 'FETCH_INWARD');
});

/** What a connection asks for; resolved by this machine's hosts file, without a network. */
const lookup = (reach: Reach, own: boolean) =>
  promisify<string, object, unknown>((host, options, done) => {
    reach.lookup(own)(host, options, (error, address) => done(error, address));
  });

test('reach: a name is judged by the addresses that are connected to', async () => {
  const outside = new Reach();
  outside.judge(new URL('http://93.184.216.34/'), true);
  for (const all of [true, false])
    await assert.rejects(lookup(outside, false)('localhost', { all }), { message: /this machine itself/ });
  const listed = new Reach(['LocalHost']);
  assert.ok(await lookup(listed, false)('localhost', { all: true }));
  const here = new Reach();
  assert.ok(await lookup(here, true)('localhost', { all: true }));
  assert.ok(await lookup(here, false)('localhost', { all: false }));
});

test('reach: a configured name that comes to lead to this machine is not followed', async () => {
  const rebound = new Reach();
  // at first it led outside
  rebound.judge(new URL('http://93.184.216.34/'), true);
  await assert.rejects(lookup(rebound, true)('localhost', { all: true }), {
    message: /did not when cal2wl started/,
  });
});
