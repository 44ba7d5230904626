import assert from 'node:assert/strict';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeAuthority, until } from '@scanflow/testkit';
import type { Log } from './log.ts';
import { openTlsStore, readTlsFiles, type TlsTexts } from './tls-files.ts';

const folder = await mkdtemp(join(tmpdir(), 'scanflow-tls-files-'));
after(() => rm(folder, { recursive: true, force: true }));
const authority = await makeAuthority(folder, 'authority');
const first = await authority.issue('first');
const second = await authority.issue('second');
const expired = await authority.issue('expired', { expired: true });

function recorder(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const write = (event: string, fields?: object): void =>
    void lines.push(`${event} ${JSON.stringify(fields)}`);
  const log: Log = { error: write, warn: write, info: write, debug: write, child: () => log };
  return { log, lines };
}

test('tls files: what is missing, empty or of another kind is named', async () => {
  const none = join(folder, 'none.pem');
  await assert.rejects(
    readTlsFiles({ key: none }),
    /none\.pem of tls\.key cannot be read: ENOENT.*; put it there/,
  );
  await assert.rejects(readTlsFiles({ key: first.certificate }), /holds no private key in PEM/);
  await assert.rejects(readTlsFiles({ ca: first.key }), /tls\.ca holds no certificate in PEM/);
  await writeFile(none, '');
  await assert.rejects(readTlsFiles({ certificate: none }), /holds no certificate in PEM/);
});

test('tls files: renewed ones are used, unusable ones are not', async (t) => {
  const files = { key: join(folder, 'live.key'), certificate: join(folder, 'live.pem') };
  const put = async (pair: { key: string; certificate: string }): Promise<void> => {
    await copyFile(pair.key, files.key);
    await copyFile(pair.certificate, files.certificate);
  };
  await put(first);
  const { log, lines } = recorder();
  const used: TlsTexts[] = [];
  const store = await openTlsStore(files, { log, use: (texts) => void used.push(texts), everyMs: 10 });
  t.after(() => store.close());
  assert.deepEqual(used, [await readTlsFiles(first)]);
  assert.equal(store.current(), used[0]);
  await put(second);
  const wanted = await readTlsFiles(second);
  await until(() => JSON.stringify(store.current()) === JSON.stringify(wanted), {
    what: 'the renewed files are used',
    timeoutMs: 5_000,
  });
  await writeFile(files.certificate, 'nonsense');
  await until(() => lines.some((line) => line.startsWith('tls.renewal-unusable')), {
    what: 'nonsense is told',
    timeoutMs: 5_000,
  });
  assert.deepEqual(store.current(), wanted);
  assert.doesNotMatch(lines.join('\n'), /PRIVATE KEY/);
});

test('tls files: a certificate that has expired or soon will is told', async (t) => {
  const { log, lines } = recorder();
  for (const files of [first, expired]) {
    const store = await openTlsStore(files, { log, use: () => undefined });
    t.after(() => store.close());
  }
  assert.match(lines[0] ?? '', /^tls\.certificate-expires-soon .*first\.pem/);
  assert.match(lines[1] ?? '', /^tls\.certificate-expired /);
});

test('tls files: what cannot be used at the start is thrown', async () => {
  const { log } = recorder();
  const use = (): void => {
    throw new Error('the key is not the one of the certificate');
  };
  await assert.rejects(openTlsStore(first, { log, use }), /the key is not/);
});
