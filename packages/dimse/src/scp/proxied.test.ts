/** The PROXY protocol: each form of its header, in any pieces; and a port that takes it from named proxies alone. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect as connectTcp, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { defined } from '@scanflow/failure/defined';
import { makeAuthority } from '@scanflow/testkit';
import {
  abort,
  bench,
  FIND,
  identifier,
  message,
  request,
  three,
  type RawPeer,
} from '@scanflow/testkit/dimse/raw-peer';
import { tlsAcceptor } from '../tls/acceptor.ts';
import { encodePdu } from '../ul/encode.ts';
import { isAmong, proxyHeader } from './proxied.ts';

const SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
const v2 = (command: number, family: number, added: readonly number[]): Buffer =>
  Buffer.from([...SIGNATURE, command, family, 0, added.length, ...added]);
const FOUR = v2(0x21, 0x11, [192, 0, 2, 7, 10, 0, 0, 1, 0x1f, 0x90, 0x2b, 0x67]);
const SIX = v2(0x21, 0x21, [
  0x20,
  0x01,
  0x0d,
  0xb8,
  ...Array<number>(11).fill(0),
  9,
  ...Array<number>(20).fill(0),
]);
const MAPPED = v2(0x21, 0x21, [
  ...Array<number>(10).fill(0),
  255,
  255,
  192,
  0,
  2,
  7,
  ...Array<number>(20).fill(0),
]);

test('proxy: the address of each form, and where DICOM begins', () => {
  const forms: [Buffer, string | undefined][] = [
    [Buffer.from('PROXY TCP4 192.0.2.7 10.0.0.1 40000 11112\r\n'), '192.0.2.7'],
    [Buffer.from('PROXY TCP6 2001:db8::9 2001:db8::1 40000 11112\r\n'), '2001:db8::9'],
    [Buffer.from('PROXY UNKNOWN\r\n'), undefined],
    [FOUR, '192.0.2.7'],
    [SIX, '2001:db8::9'],
    // each address has one way to be written
    [Buffer.from('PROXY TCP6 2001:DB8:0:0::9 2001:db8::1 40000 11112\r\n'), '2001:db8::9'],
    [Buffer.from('PROXY TCP6 ::ffff:192.0.2.7 ::1 40000 11112\r\n'), '192.0.2.7'],
    [Buffer.from('PROXY TCP6 fe80::1%eth0 ::1 40000 11112\r\n'), 'fe80::1'],
    [MAPPED, '192.0.2.7'],
    [v2(0x20, 0, []), undefined],
    // of LOCAL the family and the addresses do not count; PROXY with AF_UNSPEC knows none
    [v2(0x20, 0x11, [192, 0, 2, 7, 10, 0, 0, 1, 0x1f, 0x90, 0x2b, 0x67]), undefined],
    [v2(0x20, 0x31, [1, 2, 3]), undefined],
    [v2(0x21, 0, []), undefined],
    [v2(0x21, 0, [4, 0, 1, 0]), undefined],
  ];
  for (const [header, address] of forms) {
    const { length } = header;
    assert.deepEqual(proxyHeader(Buffer.concat([header, Buffer.from('\x01\0rest')])), {
      ...{ kind: 'whole', length, address },
    });
    for (let at = 0; at < length; at += 1)
      assert.equal(proxyHeader(header.subarray(0, at)).kind, 'more', `${at} of ${length} bytes`);
  }
});

test('proxy: what is no header', () => {
  const others = [
    Buffer.from([1, 0, 0, 0, 0, 100]),
    Buffer.from('PROXY TCP4 2001:db8::9 x 1 2\r\n'),
    Buffer.from('PROXY TCP5 192.0.2.7 10.0.0.1 1 2\r\n'),
    Buffer.from(`PROXY TCP4 ${'1'.repeat(200)}`),
    v2(0x11, 0x11, []),
    v2(0x21, 0x11, [192, 0, 2, 7]),
    v2(0x21, 0x31, Array<number>(216 % 256).fill(0)),
    // datagrams, an unknown command, another version
    v2(0x21, 0x12, [192, 0, 2, 7, 10, 0, 0, 1, 0x1f, 0x90, 0x2b, 0x67]),
    v2(0x22, 0, []),
    v2(0x30, 0, []),
  ];
  for (const bytes of others) assert.equal(proxyHeader(bytes).kind, 'none', bytes.toString('latin1'));
});

test('proxy: addresses and networks, also of a socket that speaks both versions of IP', () => {
  const named = isAmong(['10.0.5.0/24', '2001:db8::/32', '192.0.2.1', 'fe80::/10']);
  for (const address of [
    '10.0.5.9',
    '::ffff:10.0.5.9',
    '2001:db8::1',
    '192.0.2.1',
    '::ffff:192.0.2.1',
    'fe80::1%eth0',
  ])
    assert.equal(named(address), true, address);
  for (const address of ['10.0.6.9', '192.0.2.2', '2001:db9::1', '', 'none'])
    assert.equal(named(address), false, address);
});

const PROXY = '127.0.0.2';
const named = { proxies: isAmong([PROXY]) };
const query = [
  Buffer.from(encodePdu(request())),
  ...message(1, FIND, identifier).map((bytes) => Buffer.from(bytes)),
];

test('proxy: a named one says who asks, in one piece with the query or byte by byte', async (t) => {
  const addresses: string[] = [];
  const admit = ({ address }: { address: string }): { accept: true } => {
    addresses.push(address);
    return { accept: true };
  };
  const { raw } = await bench(t, three, {}, { ...named, admit });
  const whole = raw(PROXY);
  whole.write(Buffer.concat([FOUR, ...query]));
  assert.equal((await whole.pdu('A-ASSOCIATE-AC')).type, 'associate-ac');
  assert.equal((await whole.message('a match')).command.status, 0xff00);
  const slow = raw(PROXY);
  for (const byte of SIX) {
    slow.write(Buffer.from([byte]));
    await pause(0);
  }
  slow.write(...query);
  assert.equal((await slow.pdu('A-ASSOCIATE-AC')).type, 'associate-ac');
  const own = raw(PROXY);
  own.write(v2(0x20, 0, []), ...query);
  await own.pdu('A-ASSOCIATE-AC');
  const scanner = raw();
  scanner.write(...query);
  await scanner.pdu('A-ASSOCIATE-AC');
  assert.deepEqual(addresses, ['192.0.2.7', '2001:db8::9', PROXY, '127.0.0.1']);
});

test('proxy: nobody else says who asks, and a named one that says nothing is let go', async (t) => {
  const { raw, logged, calls } = await bench(t, three, { artimMs: 200 }, named);
  const stranger = raw();
  stranger.write(Buffer.concat([FOUR, ...query]));
  assert.deepEqual(await stranger.pdu('A-ABORT'), abort(2, 1));
  for (const bytes of [Buffer.concat(query), Buffer.alloc(0)]) {
    const proxy = raw(PROXY);
    proxy.write(bytes);
    await proxy.ended();
  }
  assert.equal(calls.length, 0);
  assert.equal(
    logged.filter((line) => line.startsWith('connection.proxy-failed')).length,
    2,
    logged.join('\n'),
  );
});

test('proxy: nothing is reported where a load balancer only looks whether the port is open, or where we close', async (t) => {
  const refused: string[] = [];
  const events = { refused: (address: string, why: string) => void refused.push(`${address} ${why}`) };
  const { raw, logged, close } = await bench(t, three, {}, { ...named, events });
  const look = raw(PROXY);
  await once(look.socket, 'connect');
  look.socket.end();
  await look.ended();
  const waiting = raw(PROXY);
  await once(waiting.socket, 'connect');
  const after = raw(PROXY);
  after.write(FOUR, ...query);
  await after.pdu('A-ASSOCIATE-AC');
  await close();
  await waiting.ended();
  assert.deepEqual(refused, []);
  assert.deepEqual(
    logged.filter((line) => line.startsWith('connection.')),
    [],
  );
});

for (const secured of [false, true])
  test(`proxy: its checks of health are nobody's calls, ${secured ? 'with' : 'without'} TLS`, async (t) => {
    const refused: string[] = [];
    const events = { refused: (address: string, why: string) => void refused.push(`${address} ${why}`) };
    const tls = secured ? (await secure(t)).acceptor : undefined;
    const { raw, logged, calls } = await bench(
      t,
      three,
      { artimMs: 200 },
      { ...named, events, ...defined({ tls }) },
    );
    const headers = [v2(0x20, 0, []), v2(0x21, 0, []), Buffer.from('PROXY UNKNOWN\r\n')];
    const ends: ((peer: RawPeer) => void)[] = [
      ({ socket }) => socket.end(),
      // as HAProxy does
      ({ socket }) => void socket.resetAndDestroy(),
      // it waits until the port has enough of it
      () => undefined,
    ];
    for (const header of headers)
      for (const end of ends) {
        const peer = raw(PROXY);
        peer.write(header);
        await once(peer.socket, 'connect');
        end(peer);
        await peer.ended();
      }
    assert.deepEqual([refused, calls], [[], []]);
    assert.deepEqual(
      logged.filter((line) => line.startsWith('connection.')),
      [],
    );
  });

test('proxy: connections count for whom they were opened, so that one peer does not use up what all have', async (t) => {
  const refused: string[] = [];
  const events = { refused: (address: string, why: string) => void refused.push(`${address} ${why}`) };
  const { raw } = await bench(t, three, { connectionsPerPeer: 1, yieldMs: 60_000 }, { ...named, events });
  const opened = (header: Buffer): RawPeer => {
    const peer = raw(PROXY);
    peer.write(Buffer.concat([header, ...query.slice(0, 1)]));
    return peer;
  };
  const first = opened(FOUR);
  await first.pdu('A-ASSOCIATE-AC');
  await opened(SIX).pdu('A-ASSOCIATE-AC');
  await opened(FOUR).ended();
  assert.deepEqual(refused, ['192.0.2.7 per peer']);
});

async function secure(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-proxied-'));
  t.after(() => rm(folder, { recursive: true }));
  const authority = await makeAuthority(folder, 'ca');
  const { key, certificate } = await authority.issue('scp');
  const texts = { key: await readFile(key, 'utf8'), certificate: await readFile(certificate, 'utf8') };
  return { acceptor: tlsAcceptor(texts), ca: await readFile(authority.certificate) };
}

test('proxy: TLS begins right behind the header, in the same piece', async (t) => {
  const { acceptor: tls, ca } = await secure(t);
  const addresses: string[] = [];
  const admit = ({ address }: { address: string }): { accept: true } => {
    addresses.push(address);
    return { accept: true };
  };
  const { port } = await bench(t, three, {}, { ...named, tls, admit });
  const proxy = createServer((client) => {
    client.once('data', (hello: Buffer) => {
      const scp = connectTcp({ port, host: '127.0.0.1', localAddress: PROXY }, () => {
        scp.write(Buffer.concat([FOUR, hello]));
        client.pipe(scp).pipe(client);
      });
    });
  }).listen(0, '127.0.0.1');
  t.after(() => proxy.close());
  await once(proxy, 'listening');
  const { port: front } = proxy.address() as AddressInfo;
  const scanner = connectTls({ port: front, host: '127.0.0.1', ca });
  t.after(() => scanner.destroy());
  await once(scanner, 'secureConnect');
  scanner.write(query[0] ?? '');
  const [answer] = (await once(scanner, 'data')) as [Buffer];
  assert.deepEqual([answer[0], addresses], [2, ['192.0.2.7']]);
});
