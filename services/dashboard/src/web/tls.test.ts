/** TLS of the board itself: a renewed certificate is shown without a restart. */
import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { createLog } from '@scanflow/runtime';
import { makeAuthority, until, type Certificate } from '@scanflow/testkit';
import { openBoardTls } from './tls.ts';

/** CN of the certificate that a new connection gets. */
function shown(port: number, ca: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, ca }, () => {
      resolve(socket.getPeerCertificate().subject.CN);
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

test('tls: a certificate that was renewed is shown, and files that do not belong together are refused', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-board-tls-'));
  let close = (): void => undefined;
  t.after(() => {
    close();
    return rm(folder, { recursive: true });
  });
  const authority = await makeAuthority(folder, 'authority');
  const ca = await readFile(authority.certificate, 'utf8');
  const [first, second] = [await authority.issue('first'), await authority.issue('second')];
  const files = { key: join(folder, 'board.key'), certificate: join(folder, 'board.pem') };
  const put = async ({ key, certificate }: Certificate): Promise<void> => {
    await copyFile(key, files.key);
    await copyFile(certificate, files.certificate);
  };
  const log = createLog({ service: 'dashboard', level: 'error' });
  await put({ key: first.key, certificate: second.certificate });
  await assert.rejects(openBoardTls(files, log, 10));
  await put(first);
  const tls = await openBoardTls(files, log, 10);
  ({ close } = tls);
  const server = createServer(tls.credentials, (_, answer) => answer.end()).listen(0, '127.0.0.1');
  t.after(() => server.close());
  tls.follow(server);
  await until(() => server.listening, { what: 'the server listens', timeoutMs: 5_000 });
  const { port } = server.address() as AddressInfo;
  assert.equal(await shown(port, ca), 'first');
  await put(second);
  await until(async () => (await shown(port, ca)) === 'second', {
    what: 'the renewed certificate is shown',
    timeoutMs: 5_000,
  });
});
