import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { freePort } from '@scanflow/testkit';
import { UsageError, type Io } from '../command.ts';
import { outputTo } from '../terminal.ts';
import { transfer } from './transfer.ts';

const nowhere = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() });

test('transfer: what cannot begin says so, with what to do, and leaves no journal', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'transfer-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const [good, bad] = [join(folder, 'good.csv'), join(folder, 'bad.csv')];
  await writeFile(good, 'A1\n');
  await writeFile(bad, 'A1\nB*\nC?\n');
  const nobody = `NOBODY@127.0.0.1:${await freePort()}`;
  const cases: [RegExp, ...string[]][] = [
    [/takes a list/, '--from', nobody, '--to', 'T'],
    [/cannot be read: ENOENT/, `${good}.missing`, '--from', nobody, '--to', 'T'],
    [/bad\.csv:2: .*\n.*bad\.csv:3: /, bad, '--from', nobody, '--to', 'T'],
    [/--from AET@host:port/, good],
    [/--to AET@host:port/, good, '--from', nobody],
    [/--from takes AET@host:port/, good, '--from', 'PACS', '--to', 'T'],
    [/--to takes AET@host:port/, good, '--from', nobody, '--to', 'AET:11112'],
    [/not started: Cannot connect to NOBODY/, good, '--from', nobody, '--to', 'T'],
    [/--tls-ca goes with --tls/, good, '--from', nobody, '--to', 'T', '--tls-ca', 'x'],
    [/--to-tls goes with/, good, '--from', nobody, '--to', 'T', '--to-tls'],
    [/--orthanc-user goes with --via/, good, '--from', nobody, '--to', 'T', '--orthanc-user', 'x'],
    [/go together/, good, '--via', 'http://127.0.0.1:1', '--from', 'pacs', '--orthanc-user', 'x'],
    [/--via takes an address/, good, '--via', '127.0.0.1', '--from', 'pacs'],
    [/the name that the archive has/, good, '--via', 'http://127.0.0.1:1', '--from', nobody],
    [/not started: Orthanc does not answer/, good, '--via', 'http://127.0.0.1:1', '--from', 'pacs'],
    [/--at-once/, good, '--from', nobody, '--to', 'T', '--at-once', '0'],
    [/--wait/, good, '--from', nobody, '--to', 'T', '--wait', '0s'],
    [/--retries/, good, '--from', nobody, '--to', 'T', '--retries', '11'],
  ];
  const io: Io = {
    out: outputTo(nowhere()),
    err: outputTo(nowhere()),
    terminal: false,
    columns: 80,
    signal: new AbortController().signal,
  };
  for (const [message, ...args] of cases)
    await assert.rejects(
      transfer.run(args, io),
      (error) => error instanceof UsageError && message.test(error.message),
      args.join(' '),
    );
  await assert.rejects(import('node:fs/promises').then(({ stat }) => stat(`${good}.journal`)));
});
