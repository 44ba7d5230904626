/** runService, as a process that gets real signals. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run, startProgram, until } from '@scanflow/testkit';

const TINY = fileURLToPath(new URL('../fixtures/services/tiny.ts', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'scanflow-run-'));
after(() => rm(folder, { recursive: true, force: true }));
const config = join(folder, 'scanflow.yaml');
await writeFile(
  config,
  [
    'facility: { name: Here, timezone: UTC }',
    'data: /data',
    'scanners: { a: { aet: A, modality: MR } }',
    'orthanc: { url: http://o:8042 }',
    'storage: { root: /project }',
  ].join('\n'),
);
const broken = join(folder, 'broken.yaml');
await writeFile(broken, 'facility: 1\ndata: 2\n');

async function start(how = '') {
  const program = await startProgram(process.execPath, [TINY, '--config', config], { env: { TINY: how } });
  await until(() => program.output().includes('"started"'), {
    what: 'the service starts',
    timeoutMs: 20_000,
  });
  return program;
}

for (const signal of ['SIGTERM', 'SIGINT'] as const)
  test(`runService: ${signal} stops it in order, exit code 0`, async () => {
    const program = await start();
    await program.stop(signal);
    assert.equal(await program.ended, 0);
    assert.match(program.output(), new RegExp(`"stopping","signal":"${signal}"[^]*"stopped"`));
  });

test('runService: a second signal ends at once what hangs while it stops', async () => {
  const program = await start('hangs');
  process.kill(program.pid, 'SIGTERM');
  await until(() => program.output().includes('"stopping"'), { what: 'it stops', timeoutMs: 5000 });
  await program.stop('SIGTERM', 4000);
  assert.equal(await program.ended, 1);
});

test('runService: a rejection that nobody awaits ends it with exit code 1 and a log line', async () => {
  const program = await startProgram(process.execPath, [TINY, '--config', config], {
    env: { TINY: 'rejects' },
  });
  assert.equal(await program.ended, 1);
  assert.match(program.output(), /unhandled rejection.*nobody awaits me/);
});

test('runService: --version prints the version, and needs no configuration', async () => {
  const { code, stdout, stderr } = await run(process.execPath, [TINY, '--version']);
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, /^\S+ \d+\.\d+\.\d+\n$/);
});

test('runService: what cannot start exits with 1 and says why', async () => {
  const { code, stderr } = await run(process.execPath, [TINY, '--config', config], {
    env: { TINY: 'cannot-start' },
  });
  assert.equal(code, 1);
  assert.match(stderr, /could not start.*the port is taken/);
});

test('runService: mistakes in the configuration exit with 2, all of them shown', async () => {
  const { code, stderr } = await run(process.execPath, [TINY, '--config', broken]);
  assert.equal(code, 2);
  assert.match(stderr, /broken\.yaml:1:11: facility: /);
  assert.match(stderr, /broken\.yaml:2:7: data: /);
});

test('runService: wrong usage exits with 2', async () => {
  const { code, stderr } = await run(process.execPath, [TINY, '--frobnicate']);
  assert.equal(code, 2);
  assert.match(stderr, /Usage: tiny/);
});
