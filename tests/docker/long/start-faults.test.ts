/** What facility IT reads when the stack does not come up: the reason, in the words of `docker compose up` and of doctor.sh. */
import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { run, startProgram, until, type RunResult } from '@scanflow/testkit';
import { docker, imageOf, impatientConfig, Project, ROOT, whyNot } from '../engine.ts';

/** An error of the engine that says nothing about the cause. */
const ENGINE_WORDS = /lstat|OCI runtime|ns\/net/;

suite('a stack that does not come up', { skip: await whyNot() }, () => {
  let stack: Project;
  let config: string;
  const env = (): Record<string, string> => ({ ...stack.env, COMPOSE_PROJECT_NAME: stack.name });
  const doctor = (): Promise<RunResult> =>
    run('sh', ['doctor.sh'], { cwd: ROOT, env: env(), timeoutMs: 300_000 });
  const volume = (): string => `${stack.name}_orthanc`;
  const inVolume = (script: string): Promise<string> =>
    docker(
      ...['run', '--rm', '--user', '0', '--volume', `${volume()}:/v`, '--entrypoint', 'sh'],
      ...[imageOf('orthanc'), '-c', script],
    );
  /** `docker compose up --detach --wait`, which fails; its words. */
  const failsUp = async (): Promise<string> => {
    const up = stack.compose('up', '--detach', '--wait');
    const words = await up.then(
      () => assert.fail('it came up'),
      (error: unknown) => String(error),
    );
    assert.doesNotMatch(words, ENGINE_WORDS);
    return words;
  };
  /** `docker compose up` in a terminal shows this; then the person ends it. */
  const showsInTerminal = async (reason: RegExp): Promise<void> => {
    const files = stack.files.flatMap((file) => ['-f', join(ROOT, file)]);
    const args = ['compose', '--project-name', stack.name, ...files, 'up', '--timeout', '5'];
    const up = await startProgram('docker', args, { env: env() });
    try {
      await until(() => reason.test(up.output()), { what: String(reason), timeoutMs: 90_000 });
      assert.doesNotMatch(up.output(), ENGINE_WORDS);
    } finally {
      await up.stop('SIGTERM');
    }
  };

  /** Docker goes on trying: a service starts by itself once its fault is mended. */
  const recovers = (service: string): Promise<unknown> =>
    until(async () => (await stack.inspect(service)).State.Health?.Status === 'healthy', {
      ...{ what: `${service} starts by itself`, timeoutMs: 120_000, everyMs: 500 },
    });

  before(async () => {
    await (await Project.create('start', ['compose.yaml'])).compose('build');
    stack = await Project.create('start', ['compose.yaml']);
    config = await impatientConfig('scanflow.yaml');
    stack.env['SCANFLOW_CONFIG'] = config;
  });
  after(async () => {
    await stack.down();
    assert.deepEqual(await stack.remains(), [], 'nothing is left');
    await rm(config, { recursive: true });
  });

  test('orthanc: an index that is damaged shows what Orthanc says of it', async () => {
    await stack.compose('up', '--no-start');
    await inVolume(
      'mkdir /v/db && echo garbage >/v/db/index && echo x >/v/db/scanflow-id && chown -R 10002:10002 /v',
    );
    assert.match(await failsUp(), /orthanc-1.* (is unhealthy|exited)/);
    const { code, stdout } = await doctor();
    assert.equal(code, 1, stdout);
    assert.match(stdout, /^FAILED +orthanc .*\n +SQLite: file is not a database/m);
    assert.match(stdout, /^FAILED +receiver was not started, as something that it waits for/m);
    assert.doesNotMatch(stdout, ENGINE_WORDS);
    await showsInTerminal(/orthanc-1 .*SQLite: file is not a database/);
  });

  test('orthanc: a folder of another user is named, with a command that mends it', async () => {
    await stack.compose('rm', '--stop', '--force');
    await inVolume('rm -rf /v/db && mkdir /v/db && chown 0:0 /v/db');
    await failsUp();
    const { code, stdout } = await doctor();
    assert.equal(code, 1, stdout);
    const [, remedy] =
      /user 10002 cannot write \/var\/lib\/orthanc\/db\. Correct the owner: (docker .*)$/m.exec(stdout) ?? [];
    assert.ok(remedy !== undefined, stdout);
    const mended = await run('sh', ['-c', remedy], { cwd: ROOT, env: env(), timeoutMs: 60_000 });
    assert.equal(mended.code, 0, mended.stderr);
    await recovers('orthanc');
    await stack.compose('up', '--detach', '--wait');
  });

  test('orthanc: a password that it refuses ends `up --wait`, and the sentence is in the log and in doctor.sh', async () => {
    const file = join(config, 'scanflow.yaml');
    const right = await readFile(file, 'utf8');
    const secret = '/run/secrets/scanflow/orthanc-password';
    assert.ok(right.includes(secret));
    await writeFile(join(config, 'wrong'), 'not-the-password\n');
    await writeFile(file, right.replace(secret, '/etc/scanflow/wrong'));
    await stack.compose('rm', '--stop', '--force', 'receiver', 'quickack', 'streamer');
    assert.match(await failsUp(), /receiver/);
    const sentence = /refuses the user "?\w+"?/;
    assert.match((await stack.compose('logs', 'receiver')).replaceAll('\\"', '"'), sentence);
    const { code, stdout } = await doctor();
    assert.equal(code, 1, stdout);
    assert.match(stdout, sentence);
    assert.match(stdout, /docker compose run --rm secrets/);
    await writeFile(file, right);
    await recovers('receiver');
    await stack.compose('up', '--detach', '--wait');
  });
});
