/** TLS 1.2 renegotiation, by which one connection could keep a server's processor busy: it is not done. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { makeSelfSigned } from '@scanflow/testkit';
import { listen } from '../scp/listen.ts';
import { tlsAcceptor } from './acceptor.ts';

test('tls: a caller that asks to negotiate anew is refused, and others are served', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'renegotiation-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const made = await makeSelfSigned(folder, 'worklist');
  const [key, certificate] = await Promise.all([
    readFile(made.key, 'utf8'),
    readFile(made.certificate, 'utf8'),
  ]);
  const log = (): void => undefined;
  const listening = await listen({
    bind: '127.0.0.1',
    port: 0,
    tls: tlsAcceptor({ key, certificate }),
    admit: () => ({ accept: true }),
    contexts: [],
    log: { error: log, warn: log, info: log, debug: log },
  });
  t.after(() => listening.close());
  const options = {
    host: '127.0.0.1',
    port: listening.port,
    ca: certificate,
    checkServerIdentity: () => undefined,
  };
  const caller = connect({ ...options, maxVersion: 'TLSv1.2' });
  t.after(() => caller.destroy());
  await once(caller, 'secureConnect');
  const { promise, resolve } = Promise.withResolvers<Error | null>();
  caller.on('error', resolve);
  caller.on('close', () => resolve(new Error('closed')));
  caller.renegotiate({}, resolve);
  assert.ok((await promise) instanceof Error);
  const other = connect(options);
  t.after(() => other.destroy());
  await once(other, 'secureConnect');
});
