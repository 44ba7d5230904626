/** What every command does with a reader that goes, wrong values, old names of options, and ports of something else. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer as createWebServer } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { readAttributes, text } from '@scanflow/dicom';
import { run } from '@scanflow/testkit';
import { folder, images, json, SCANFLOW, scripted, send, to, written } from './send-support.ts';

const scanflow = (...args: string[]) => run(SCANFLOW, args);

test('cli: --version prints the version', async () => {
  const { code, stdout } = await scanflow('--version');
  assert.equal(code, 0);
  assert.match(stdout, /^scanflow \d+\.\d+\.\d+\n$/);
});

test('cli: a reader that goes before all is written sees no stack trace, and the work is done', async (t) => {
  const root = await folder(t);
  const pipe = async (command: string): Promise<{ stderr: string; codes: string }> => {
    const { stdout, stderr } = await run('bash', [
      '-c',
      `${command} | head -c 10 > /dev/null; echo "\${PIPESTATUS[0]}"`,
    ]);
    return { stderr, codes: stdout.trim() };
  };
  const phantom = await pipe(`'${SCANFLOW}' phantom '${root}' --images 2000 --rows 8 --columns 8 --json`);
  assert.deepEqual(phantom, { stderr: '', codes: '0' });
  assert.equal((await readdir(root)).length, 2000);
  for (const name of ['series', 'send']) {
    const { stderr } = await run('bash', ['-c', `'${SCANFLOW}' ${name} --help | true`]);
    assert.equal(stderr, '', name);
  }
});

test('cli: the texts of a phantom are checked, and written as they were given', async (t) => {
  const wrong: [string, string][] = [
    ['--patient-id', 'x'.repeat(65)],
    ['--patient-id', ''],
    ['--patient-id', 'a\\b'],
    ['--patient-name', 'a^b^c^d^e^f'],
    ['--patient-name', 'x'.repeat(65)],
    ['--description', 'x'.repeat(65)],
    ['--accession', 'x'.repeat(17)],
    ['--rows', '7'],
    ['--series-number', '0'],
  ];
  const root = await folder(t);
  for (const [option, value] of wrong) {
    const { code, stderr } = await scanflow('phantom', join(root, 'none'), option, value);
    assert.equal(code, 2, `${option} ${value}`);
    assert.ok(stderr.includes(option), stderr);
  }
  const useless = await scanflow('phantom', join(root, 'none'), '--accession', 'A1');
  assert.deepEqual([useless.code, /goes with --worklist/.test(useless.stderr)], [2, true]);
  assert.deepEqual(await readdir(root), [], 'nothing was made');
  for (const id of ['sub-001', 'Ängström', '被験者-01']) {
    const made = join(root, id);
    const { code, stderr } = await scanflow(
      'phantom',
      made,
      '--images',
      '1',
      '--rows',
      '8',
      '--columns',
      '8',
      '--patient-id',
      id,
    );
    assert.equal(code, 0, stderr);
    const [name = ''] = await readdir(made);
    const read = readAttributes(await readFile(join(made, name)), ['PatientID'], { complete: true });
    assert.ok(read.kind === 'attributes');
    assert.equal(text(read.dataSet, 'PatientID'), id);
  }
});

test('cli: our AE title is --calling; the names of 0.1.0 go on working, with a note', async (t) => {
  const root = await written(t, images(1));
  const scp = await scripted(t, {});
  const now = await send(root, ...to(scp), '--calling', 'OURS', '--json');
  assert.deepEqual([now.code, now.stderr], [0, '']);
  const then = await send(root, ...to(scp), '--from', 'OURS', '--json');
  assert.equal(then.code, 0);
  assert.match(then.stderr, /--from is called --calling now/);
  const both = await send(root, ...to(scp), '--from', 'OURS', '--calling', 'OTHER');
  assert.deepEqual([both.code, /both say our AE title/.test(both.stderr)], [2, true]);
  const phantom = await scanflow('phantom', join(root, 'p'), '--worklist', '127.0.0.1:1', '--aet', 'PRISMA');
  assert.match(phantom.stderr, /--aet is called --calling now/);
  for (const name of ['send', 'transfer', 'phantom'])
    assert.match((await scanflow(name, '--help')).stdout, /--calling AET/, name);
});

async function listening(t: TestContext, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `X@127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('cli: a port of something else, and a host that there is not, are called what they are', async (t) => {
  const root = await written(t, images(1));
  const web = await listening(
    t,
    createWebServer((_, response) => response.end('a page')),
  );
  const ssh = await listening(
    t,
    createServer((socket) => socket.on('error', () => socket.destroy()).write('SSH-2.0-OpenSSH_9.2\r\n')),
  );
  const alert = Buffer.from([0x15, 0x03, 0x03, 0, 2, 2, 70]);
  const tls = await listening(
    t,
    createServer((socket) => socket.once('data', () => socket.end(alert))),
  );
  const closing = await listening(
    t,
    createServer((socket) => socket.once('data', () => socket.destroy())),
  );
  const cases: [string, RegExp][] = [
    [web, /This is an HTTP port: give the DICOM port/],
    [ssh, /This is a port for SSH/],
    [tls, /This port speaks TLS/],
    [closing, /A port that speaks TLS does so/],
    ['X@no-such-host.invalid:104', /No host is called no-such-host\.invalid|name server does not answer/],
    ['X@127.0.0.1:1', /Nothing listens on port 1 there/],
  ];
  for (const [target, message] of cases) {
    const result = await send(root, '--to', target, '--retry-time', '0s', '--json');
    assert.equal(result.code, 1);
    assert.match(json(result).failures[0]?.message ?? '', message, target);
  }
});
