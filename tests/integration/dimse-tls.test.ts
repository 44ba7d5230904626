/** TLS on both sides: DCMTK's programs against our SCP, our SCU against DCMTK's and ours. */
import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { given } from '@scanflow/failure/defined';
import { dataSet, makeSeries, sopClasses, transferSyntaxes } from '@scanflow/dicom';
import { echo, find, listen, store, tlsAcceptor, tlsDial } from '@scanflow/dimse';
import type { AssociationInfo, Peer, ScpLimits, TlsAcceptorOptions, TlsDialOptions } from '@scanflow/dimse';
import { dcmtk, makeAuthority, makeSelfSigned, startStorescp, until } from '@scanflow/testkit';
import type { Certificate } from '@scanflow/testkit';

const folder = await mkdtemp(join(tmpdir(), 'scanflow-tls-'));
after(() => rm(folder, { recursive: true, force: true }));
const hospital = await makeAuthority(folder, 'hospital');
const stranger = await makeAuthority(folder, 'stranger');
const server = await hospital.issue('worklist');
const prisma = await hospital.issue('prisma');
const expired = await hospital.issue('expired', { expired: true });
const wrongCa = await stranger.issue('intruder');
const selfSigned = await makeSelfSigned(folder, 'lonely');
const elsewhere = await hospital.issue('elsewhere', { names: 'DNS:elsewhere.example.org' });
const ca = await readFile(hospital.certificate, 'utf8');
const pem = async ({ key, certificate }: Certificate) => ({
  key: await readFile(key, 'utf8'),
  certificate: await readFile(certificate, 'utf8'),
});
const credentials = await pem(server);
const prismaPem = { ...(await pem(prisma)), ca };

const MWL = sopClasses.modalityWorklistFind;
const silent = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
};

interface Scp {
  readonly port: number;
  readonly associations: AssociationInfo[];
  /** Codes of the handshakes that failed. */
  readonly failures: unknown[];
  readonly acceptor: ReturnType<typeof tlsAcceptor>;
}

/** A worklist of one item that requires certificates unless told otherwise. */
async function scp(
  t: TestContext,
  change: Partial<TlsAcceptorOptions> = { ca },
  limits: Partial<ScpLimits> = {},
): Promise<Scp> {
  const associations: AssociationInfo[] = [];
  const failures: unknown[] = [];
  const acceptor = tlsAcceptor({ ...credentials, ...change });
  const listening = await listen({
    bind: '127.0.0.1',
    port: 0,
    tls: acceptor,
    admit: (association) => {
      associations.push(association);
      return { accept: true };
    },
    contexts: [{ abstractSyntax: MWL, transferSyntaxes: [transferSyntaxes.explicitVRLittleEndian] }],
    onFind: async function* () {
      await pause(0);
      yield {
        status: 0xff00,
        identifier: dataSet({ PatientName: 'Müller' }),
        characterSet: 'ISO_IR 100',
      };
      return { status: 0 };
    },
    log: {
      ...silent,
      warn: (_, fields) => void failures.push((fields as { code?: unknown } | undefined)?.code),
    },
    limits: { closeMs: 200, ...limits },
  });
  t.after(() => listening.close());
  return { port: listening.port, associations, failures, acceptor };
}

/** DCMTK's options for a client that shows a certificate and trusts the hospital's authority. */
const tls = ({ key, certificate }: Certificate, authority = hospital.certificate): string[] => [
  ...['+tls', key, certificate],
  ...['+cf', authority],
];
const peer = (port: number, options: Partial<TlsDialOptions> = {}, host = '127.0.0.1'): Peer => ({
  host,
  port,
  calledAet: 'ANY',
  callingAet: 'US',
  dial: tlsDial({ credentials: () => prismaPem, ...options }),
});

test('tls: echoscu and findscu with a certificate of the right authority', async (t) => {
  const { port, associations } = await scp(t);
  const address = ['127.0.0.1', String(port)];
  const echoed = await dcmtk('echoscu', ['-v', ...tls(prisma), ...address]);
  assert.equal(echoed.code, 0, echoed.stderr);
  const found = await dcmtk('findscu', ['-v', '-W', '-k', 'PatientName', ...tls(prisma), ...address]);
  assert.equal(found.code, 0, found.stderr);
  assert.match(found.stdout + found.stderr, /Find Response: 1 \(Pending\)[\s\S]*Success/);
  const { fingerprint, subject } = associations[0]?.certificate ?? {};
  assert.equal(subject, 'O=Example,CN=prisma');
  const digest = await dcmtk('openssl', [
    ...['x509', '-in', prisma.certificate, '-noout', '-fingerprint', '-sha256'],
  ]);
  assert.equal(digest.stdout.trim().split('=')[1]?.replaceAll(':', '').toLowerCase(), fingerprint);
});

for (const [profile, option] of [
  ['bcp195', '+px'],
  ['bcp195-nondowngrading', '+py'],
] as const)
  test(`tls: DCMTK’s profile ${option} agrees with ours, ${profile}`, async (t) => {
    const { port } = await scp(t, { ca, profile });
    const { code, stderr } = await dcmtk('echoscu', [option, ...tls(prisma), '127.0.0.1', String(port)]);
    assert.equal(code, 0, stderr);
  });

test('tls: the non-downgrading profile serves a peer that knows DHE only, bcp195 does not', async (t) => {
  const dhe = ['s_client', '-tls1_2', '-cipher', 'DHE-RSA-AES256-GCM-SHA384', '-connect'];
  for (const [profile, expected] of [
    ['bcp195', 1],
    ['bcp195-nondowngrading', 0],
  ] as const) {
    const { port } = await scp(t, { profile });
    const { code } = await dcmtk('openssl', [...dhe, `127.0.0.1:${port}`]);
    assert.equal(code, expected, profile);
  }
});

test('tls: nothing below TLS 1.2, whatever the profile', async (t) => {
  for (const profile of ['bcp195', 'bcp195-nondowngrading'] as const) {
    const { port, failures } = await scp(t, { profile });
    const old = ['s_client', '-tls1_1', '-cipher', 'ALL:@SECLEVEL=0', '-connect', `127.0.0.1:${port}`];
    assert.equal((await dcmtk('openssl', old)).code, 1);
    await until(() => failures.length > 0, { what: 'the failure is logged', timeoutMs: 2_000 });
    assert.deepEqual(failures, ['TLS_NOTHING_IN_COMMON']);
  }
});

const refused: [string, string[], string][] = [
  ['an expired certificate', tls(expired), 'TLS_EXPIRED'],
  ['a certificate of another authority', tls(wrongCa), 'TLS_WRONG_CA'],
  ['a self-signed certificate', tls(selfSigned), 'TLS_SELF_SIGNED'],
  ['no certificate', ['+tla', '+cf', hospital.certificate], 'TLS_NO_CLIENT_CERTIFICATE'],
];
for (const [name, options, code] of refused)
  test(`tls: a caller with ${name} gets no association`, async (t) => {
    const { port, associations, failures } = await scp(t);
    const echoed = await dcmtk('echoscu', [...options, '127.0.0.1', String(port)]);
    assert.notEqual(echoed.code, 0);
    await until(() => failures.length > 0, { what: 'the failure is logged', timeoutMs: 2_000 });
    assert.deepEqual(failures, [code]);
    assert.deepEqual(associations, []);
  });

test('tls: a plain caller gets no association, and a silent one is let go', async (t) => {
  const { port, associations, failures } = await scp(t, { ca, handshakeMs: 300 });
  assert.notEqual((await dcmtk('echoscu', ['127.0.0.1', String(port)])).code, 0);
  const quiet = connect(port, '127.0.0.1');
  t.after(() => quiet.destroy());
  await once(quiet.resume(), 'close');
  await until(() => failures.length === 2, { what: 'both failures are logged', timeoutMs: 2_000 });
  assert.deepEqual(failures, ['TLS_NOT_TLS', 'TLS_TIMEOUT']);
  assert.deepEqual(associations, []);
});

test('tls: connections that never shake hands count against the limits and give way', async (t) => {
  const { port } = await scp(t, { ca }, { connections: 4 });
  const silentOnes = Array.from({ length: 12 }, () => connect(port, '127.0.0.1'));
  t.after(() => silentOnes.forEach((socket) => socket.destroy()));
  await Promise.all(silentOnes.map((socket) => once(socket, 'connect')));
  silentOnes.forEach((socket) => socket.on('error', () => undefined).resume());
  assert.equal((await echo(peer(port))).ok, true);
  await until(() => silentOnes.filter((socket) => socket.closed).length >= 8, {
    what: 'the older ones are closed',
    timeoutMs: 2_000,
  });
});

test('tls: certificates that are not required are asked for, and known when shown', async (t) => {
  const { port, associations } = await scp(t, { ca, requirePeerCertificate: false });
  assert.equal((await echo(peer(port, { credentials: () => ({ ca }) }))).ok, true);
  assert.equal((await echo(peer(port))).ok, true);
  const other = { ...(await pem(wrongCa)), ca };
  assert.equal((await echo(peer(port, { credentials: () => other }))).ok, true);
  assert.deepEqual(
    associations.map(({ certificate }) => certificate?.subject),
    [undefined, 'O=Example,CN=prisma', undefined],
  );
});

test('tls: renewed credentials serve from the next handshake on', async (t) => {
  const { port, acceptor } = await scp(t);
  assert.equal((await echo(peer(port))).ok, true);
  acceptor.renew({ ...(await pem(elsewhere)), ca });
  const renewed = await echo(peer(port));
  assert.equal(renewed.ok ? '' : renewed.failure.code, 'TLS_WRONG_NAME');
  assert.equal((await echo(peer(port, { serverName: 'elsewhere.example.org' }))).ok, true);
});

test('tls: our own find, and a store of many images, over TLS', async (t) => {
  const { port } = await scp(t);
  const found = await find(peer(port), { sopClass: MWL, identifier: dataSet({ PatientName: '' }) });
  assert.equal(found.ok && found.matches.length, 1);
  const received = join(folder, 'received');
  const target = await startStorescp({ folder: received, extra: tls(server) });
  t.after(() => target.stop());
  const when = Temporal.ZonedDateTime.from('2026-11-22T09:30[Europe/Amsterdam]');
  const series = [...makeSeries({ modality: 'MR', images: 40, rows: 256, columns: 256, when })];
  const items = await Promise.all(
    series.map(async ({ sopInstanceUid, bytes }, index) => {
      const path = join(folder, `${index}.dcm`);
      await writeFile(path, bytes);
      return { id: sopInstanceUid, path };
    }),
  );
  const outcomes: string[] = [];
  for await (const { result } of store(peer(target.port), items, { log: silent })) outcomes.push(result);
  assert.deepEqual(new Set(outcomes), new Set(['sent']));
  assert.equal((await readdir(received)).length, 40);
});

const distrusted: [string, Certificate, Partial<TlsDialOptions>, string][] = [
  ['has expired', expired, {}, 'TLS_EXPIRED'],
  ['is of another authority', wrongCa, {}, 'TLS_WRONG_CA'],
  ['is self-signed', selfSigned, {}, 'TLS_SELF_SIGNED'],
  ['is for another name', elsewhere, {}, 'TLS_WRONG_NAME'],
  ['is not for the name wanted', server, { serverName: 'other.example.org' }, 'TLS_WRONG_NAME'],
];
for (const [name, certificate, options, code] of distrusted)
  test(`tls: a storescp whose certificate ${name} gets nothing`, async (t) => {
    const target = await startStorescp({ folder: join(folder, 'none'), extra: tls(certificate) });
    t.after(() => target.stop());
    const result = await echo(peer(target.port, options));
    assert.ok(!result.ok);
    assert.equal(result.failure.code, code);
    assert.equal(result.failure.kind, 'transient');
    assert.match(
      result.failure.message,
      /^No TLS connection with 127\.0\.0\.1:\d+: its certificate .+\. .+\.$/,
    );
  });

const unwelcome: [string, Certificate | undefined, string][] = [
  ['no certificate', undefined, 'TLS_NO_CLIENT_CERTIFICATE'],
  ['an expired one', expired, 'TLS_CERTIFICATE_REFUSED'],
  ['one of another authority', wrongCa, 'TLS_CERTIFICATE_REFUSED'],
];
for (const [name, certificate, code] of unwelcome)
  test(`tls: a storescp that requires certificates refuses us with ${name}`, async (t) => {
    const target = await startStorescp({ folder: join(folder, 'none'), extra: tls(server) });
    t.after(() => target.stop());
    const ours = { ...(await given(certificate, pem)), ca };
    const result = await echo(peer(target.port, { credentials: () => ours }));
    assert.equal(result.ok ? '' : result.failure.code, code, result.ok ? '' : result.failure.message);
  });

test('tls: a peer that speaks no TLS, and one that says nothing, are told', async (t) => {
  const target = await startStorescp({ folder: join(folder, 'plain') });
  t.after(() => target.stop());
  const plain = await echo(peer(target.port));
  assert.match(plain.ok ? '' : plain.failure.code, /^TLS_(CLOSED|NOT_TLS)$/);
  const { port } = await scp(t, { ca, handshakeMs: 60_000 });
  const mute = await listenMute(t);
  const late = await echo({ ...peer(mute, { handshakeMs: 200 }) });
  assert.equal(late.ok ? '' : late.failure.code, 'TLS_TIMEOUT');
  const nobody = await echo({ ...peer(1) });
  assert.equal(nobody.ok ? '' : nobody.failure.code, 'DEST_UNREACHABLE');
  assert.equal((await echo(peer(port))).ok, true);
});

async function listenMute(t: TestContext): Promise<number> {
  const mute = createServer().listen(0, '127.0.0.1');
  t.after(() => mute.close());
  await once(mute, 'listening');
  const address = mute.address();
  return address !== null && typeof address === 'object' ? address.port : 0;
}

test('tls: credentials that cannot be used are a failure that says why', () => {
  const mixed = { key: prismaPem.key, certificate: credentials.certificate };
  assert.throws(() => tlsAcceptor(mixed), /the key is not the one of the certificate/);
  assert.throws(() => tlsAcceptor({ ...credentials, key: 'nonsense' }), /cannot be used/);
  assert.throws(() => tlsAcceptor({ ...credentials, requirePeerCertificate: true }), /without `ca`/);
  assert.throws(() => tlsDial({ credentials: () => mixed }), /the key is not the one of the certificate/);
});
