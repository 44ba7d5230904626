/** What runService does when it is asked to stop at an awkward moment. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startProgram, until } from '@scanflow/testkit';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'scanflow-stop-'));
after(() => rm(folder, { recursive: true, force: true }));
const config = join(folder, 'scanflow.yaml');
await writeFile(
  config,
  `facility: { name: Here, timezone: UTC }
data: ${folder}
scanners: {}
orthanc: { url: http://127.0.0.1:8042 }
storage: { root: ${folder}/project }
`,
);

/** A service whose `start` is `body`; asked to stop once it has said "here". */
async function askToStop(body: string) {
  const script = `import { configLoader } from '@scanflow/config';
    import { runService } from '@scanflow/runtime';
    const start = async ({ log, signal }) => { ${body} };
    await runService({ name: 'awkward', load: configLoader(), start }, ${JSON.stringify(['--config', config])}, {});`;
  const program = await startProgram(process.execPath, ['--input-type=module', '-e', script], { cwd: root });
  await until(() => program.output().includes('"here"') || program.exited(), {
    what: 'it starts',
    timeoutMs: 20_000,
  });
  const asked = performance.now();
  // SIGKILL comes after the limit of 8 s only if the limit does not work
  await program.stop('SIGTERM', 15_000);
  return { code: await program.ended, output: program.output(), ms: performance.now() - asked };
}

test('runService: what hangs while it starts is ended when its time is up', async () => {
  const { code, output, ms } = await askToStop(
    "log.info('here'); setInterval(() => {}, 1e6); await new Promise(() => {});",
  );
  assert.equal(code, 1, output);
  assert.match(output, /did not stop in time/);
  assert.ok(ms > 7_500 && ms < 12_000, `${ms} ms`);
});

test('runService: a stop that waits for nothing at all is ended when its time is up', async () => {
  const { code, output } = await askToStop("log.info('here'); return { stop: () => new Promise(() => {}) };");
  assert.equal(code, 1, output);
  assert.match(output, /did not stop in time/);
});

test('runService: a start that is interrupted by the signal has not failed', async () => {
  const { code, output } = await askToStop(`
    const interrupted = new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    setInterval(() => {}, 1e6);
    log.info('here');
    await interrupted;`);
  assert.equal(code, 0, output);
  assert.doesNotMatch(output, /could not start/);
});

test('runService: a stop that fails exits with 1 and says why', async () => {
  const { code, output } = await askToStop(`
    setInterval(() => {}, 1e6);
    log.info('here');
    return { stop: async () => { throw new Error('the ledger is stuck'); } };`);
  assert.equal(code, 1, output);
  assert.match(output, /could not stop in order.*the ledger is stuck/);
});
