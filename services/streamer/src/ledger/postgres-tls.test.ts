/** The way to PostgreSQL over TLS: only to the server that is meant, and never in the clear instead. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { findPostgres, makeAuthority, startPostgres, type Authority, type Postgres } from '@scanflow/testkit';
import { openPostgres, openSharedLedger } from './database.ts';
import { readCursor } from './claims.ts';

const skip = findPostgres() === undefined ? 'POSTGRESQL IS NOT INSTALLED' : false;
let folder = '';
let server: Postgres | undefined;
let trusted: Authority | undefined;
before(async () => {
  if (skip !== false) return;
  folder = await mkdtemp(join(tmpdir(), 'scanflow-pg-tls-'));
  trusted = await makeAuthority(folder, 'trusted');
  server = await startPostgres();
});
after(async () => {
  await server?.stop();
  if (folder !== '') await rm(folder, { recursive: true });
});

interface Fixture {
  readonly running: Postgres;
  readonly authority: Authority;
  readonly options: { readonly url: string; readonly ca: string; readonly password: () => Promise<string> };
}

/** With the trusted authority's certificate, as `ledger.tls.ca` has it. */
async function fixture(): Promise<Fixture> {
  assert.ok(server !== undefined && trusted !== undefined);
  const { url, password } = server;
  const ca = await readFile(trusted.certificate, 'utf8');
  return {
    running: server,
    authority: trusted,
    options: { url, ca, password: () => Promise.resolve(password) },
  };
}

/** Asked twice: a refusal must not leave a connection behind that the next one takes. */
async function refused(options: Fixture['options'], expected: RegExp): Promise<void> {
  const ledger = openSharedLedger(options);
  try {
    for (let look = 0; look < 2; look += 1)
      await assert.rejects(ledger.read(readCursor), (error: Error & { code?: string; kind?: string }) => {
        assert.deepEqual([error.code, error.kind], ['LEDGER_TLS', 'transient'], error.message);
        assert.match(error.message, expected);
        return true;
      });
  } finally {
    await ledger.close();
  }
}

const CONNECTED = 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()';

test('ledger over TLS: a server that proves its name, by host name and by address', { skip }, async () => {
  const { running, authority, options } = await fixture();
  for (const [host, names] of [
    ['localhost', 'DNS:localhost'],
    ['127.0.0.1', 'IP:127.0.0.1'],
  ] as const) {
    await running.secure(await authority.issue(`good-${host}`, { names }));
    const database = openPostgres({ ...options, url: options.url.replace('127.0.0.1', host) });
    try {
      const row = await database.read((db) => db.get(CONNECTED));
      assert.equal(row?.['ssl'], true, host);
    } finally {
      await database.close();
    }
  }
});

test('ledger over TLS: a certificate for another name', { skip }, async () => {
  const { running, authority, options } = await fixture();
  const advice = /for another name than ledger\.url has\. Use a name that the certificate has/;
  await running.secure(await authority.issue('other', { names: 'DNS:other.example.org' }));
  for (const host of ['localhost', '127.0.0.1'])
    await refused({ ...options, url: options.url.replace('127.0.0.1', host) }, advice);
  // an address is not localhost
  await running.secure(await authority.issue('local', { names: 'DNS:localhost' }));
  await refused(options, advice);
});

test('ledger over TLS: a certificate that has expired, and one of another authority', { skip }, async () => {
  const { running, authority, options } = await fixture();
  await running.secure(await authority.issue('old', { expired: true }));
  await refused(options, /its certificate is not valid now\. Renew it there/);
  const stranger = await makeAuthority(folder, 'stranger');
  for (const certificate of [await stranger.issue('db'), stranger]) {
    await running.secure(certificate);
    await refused(options, /not from the authority in ledger\.tls\.ca\. Put the certificate/);
  }
  await running.secure(await authority.issue('renewed'));
  const ledger = openSharedLedger(options);
  assert.equal(await ledger.read(readCursor), undefined);
  await ledger.close();
});

test('ledger over TLS: a server without it is told nothing in the clear', { skip }, async (t) => {
  const { running, options } = await fixture();
  const advice = /it does not speak TLS, and ledger\.tls requires it/;
  await running.secure(undefined);
  await refused(options, advice);
  // whoever stands between says no, and listens for what comes then
  const heard: Buffer[] = [];
  const between = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      heard.push(chunk);
      socket.write('N');
    });
  });
  await new Promise<void>((resolve) => between.listen(0, '127.0.0.1', resolve));
  t.after(() => between.close());
  const { port } = between.address() as AddressInfo;
  await refused({ ...options, url: options.url.replace(/:\d+\//, `:${port}/`) }, advice);
  // SSLRequest: its length and its number (PostgreSQL, Message Formats), and nothing behind it
  assert.match(Buffer.concat(heard).toString('hex'), /^(0000000804d2162f){2,}$/);
});

test('ledger over TLS: a server that insists on it says what is missing', { skip }, async () => {
  const { running, authority, options } = await fixture();
  await running.secure(await authority.issue('strict'));
  await running.query(
    'postgres',
    "COPY (SELECT 'hostssl all all all scram-sha-256') TO PROGRAM 'cat > pg_hba.conf'",
  );
  await running.query('postgres', 'SELECT pg_reload_conf()');
  const { ca, ...clear } = options;
  const ledger = openSharedLedger(clear);
  const secured = openSharedLedger({ ...clear, ca });
  try {
    await assert.rejects(ledger.read(readCursor), { code: 'LEDGER_DENIED', message: /set ledger\.tls/ });
    assert.equal(await secured.read(readCursor), undefined);
  } finally {
    await Promise.all([ledger.close(), secured.close()]);
  }
});
