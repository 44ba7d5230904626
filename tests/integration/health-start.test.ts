/** A fault at the start that stays until a person acts: the process ends with the reason and a remedy. One that may pass is waited for. */
import assert from 'node:assert/strict';
import { chmod, chown, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { freePort, run, startProgram, until, type RunResult } from '@scanflow/testkit';
import { makeDisk } from '../faults/disk.ts';
import { makeRig, type Rig } from './streamer-support.ts';

const mainOf = (service: string): string =>
  join(import.meta.dirname, `../../services/${service}/src/main.ts`);
/** Of the containers. */
const USER = 10001;
const skip = process.getuid?.() === 0 ? false : 'only root may start a process as another user';

type Section = Record<string, unknown>;
interface Config extends Record<string, unknown> {
  orthanc: Section;
  storage: Section;
  http: { ports: Record<string, number> };
}

/** A configuration like the rig's, with something changed. */
async function configure(rig: Rig, change: (config: Config) => void): Promise<string> {
  const config = JSON.parse(await readFile(rig.configFile, 'utf8')) as Config;
  change(config);
  const file = join(rig.folder, 'changed.yaml');
  await writeFile(file, JSON.stringify(config));
  return file;
}

const start = (
  service: string,
  config: string,
  prefix: readonly string[] = [],
  env = {},
): Promise<RunResult> => {
  const [command, ...args] = [...prefix, process.execPath, mainOf(service), '--config', config];
  return run(command, args, { env: { LOG_FORMAT: 'json', ...env } });
};

/** It ended by itself and said why. */
function assertEnded({ code, stdout, stderr }: RunResult, ...said: readonly RegExp[]): void {
  assert.equal(code, 1, stdout + stderr);
  const line = stdout.split('\n').find((one) => one.includes('could not start')) ?? stdout + stderr;
  for (const pattern of said) assert.match(line, pattern);
}

test('start: a password that Orthanc refuses, and secrets that are not there or cannot be read', async (t) => {
  const rig = await makeRig(t);
  const secret = join(rig.folder, 'secret');
  await writeFile(secret, 'not-the-password\n');
  const wrong = await configure(rig, ({ orthanc }) => (orthanc['passwordFile'] = secret));
  for (const service of ['streamer', 'receiver'])
    assertEnded(
      await start(service, wrong),
      /ORTHANC_DENIED/,
      /refuses the user \\"\w+\\"/,
      /docker compose run --rm secrets/,
    );
  const missing = await configure(rig, ({ orthanc }) => (orthanc['passwordFile'] = `${secret}-nowhere`));
  for (const service of ['streamer', 'receiver'])
    assertEnded(
      await start(service, missing),
      /the secret .*secret-nowhere cannot be read/,
      /docker compose run --rm secrets/,
    );
  const empty = join(rig.folder, 'empty');
  await writeFile(empty, '\n');
  const nothing = await configure(rig, ({ orthanc }) => (orthanc['passwordFile'] = empty));
  assertEnded(await start('streamer', nothing), /the secret .*empty is empty/);
});

test('start: an Orthanc that is away may come later, so it is waited for, visibly', async (t) => {
  const rig = await makeRig(t);
  const nobody = await freePort();
  for (const service of ['streamer', 'receiver']) {
    const [http, dicom] = [await freePort(), await freePort()];
    const config = await configure(rig, (all) => {
      all.orthanc['url'] = `http://127.0.0.1:${nobody}`;
      all.http.ports[service] = http;
      all['receiver'] = { port: dicom };
    });
    const program = await startProgram(process.execPath, [mainOf(service), '--config', config]);
    t.after(() => program.stop('SIGKILL'));
    const page = (path: string): Promise<Response | undefined> =>
      fetch(`http://127.0.0.1:${http}${path}`).catch(() => undefined);
    const text = await until(
      async () => {
        if (program.exited()) throw new Error(program.output());
        const health = await (await page('/healthz'))?.text();
        return health?.includes('ORTHANC_UNREACHABLE') === true ? health : undefined;
      },
      { what: `/healthz of the ${service} names it`, timeoutMs: 30_000 },
    );
    assert.match(text, /"since":"/);
    assert.equal((await page('/livez'))?.status, 200);
    await program.stop();
  }
});

const asUser = ['setpriv', `--reuid=${USER}`, `--regid=${USER}`, '--clear-groups'];

/** Everything of the rig but its root is the user's. */
async function handOver(rig: Rig): Promise<void> {
  await chmod(rig.folder, 0o755);
  for (const name of ['data', 'data/bookings']) await chown(join(rig.folder, name), USER, USER);
  await chmod(rig.orthanc.passwordFile, 0o644);
}

test(
  'start: a root that Docker has made as root, as user 10001: the remedy, and not a byte is written',
  { skip },
  async (t) => {
    const rig = await makeRig(t);
    await handOver(rig);
    const root = join(rig.folder, 'projcet');
    await mkdir(root, { mode: 0o755 });
    const config = await configure(rig, ({ storage }) => (storage['root'] = root));
    const env = { SERVICE: 'streamer', SCANFLOW_PROJECT: '/mnt/projcet' };
    assertEnded(
      await start('streamer', config, asUser, env),
      /STORE_DENIED/,
      /On the host: chown 10001:10001 \/mnt\/projcet\./,
      /the name is mistyped: correct SCANFLOW_PROJECT in \.env/,
    );
    assert.deepEqual(await readdir(root), []);
    await chown(root, USER, USER);
    await assertStarts(t, config, rig);
  },
);

test('start: a root that is mounted read-only', async (t) => {
  const disk = await makeDisk(t, { kind: 'tmpfs', megabytes: 4 });
  if (disk === undefined) return;
  const rig = await makeRig(t, { root: disk.path });
  await disk.remount('ro');
  assertEnded(await start('streamer', rig.configFile), /STORE_READ_ONLY/, /Mount it read-write/);
  await disk.remount('rw');
  await assertStarts(t, rig.configFile, rig, []);
});

test(
  'start: a data folder that is not the user’s: each service says whose it has to be',
  { skip },
  async (t) => {
    const rig = await makeRig(t);
    await chmod(rig.folder, 0o755);
    await chmod(rig.orthanc.passwordFile, 0o644);
    for (const service of ['streamer', 'cal2wl', 'dashboard'])
      assertEnded(
        await start(service, rig.configFile, asUser),
        /EACCES/,
        /On the host: chown 10001:10001 FOLDER/,
      );
  },
);

async function assertStarts(t: TestContext, config: string, rig: Rig, prefix = asUser): Promise<void> {
  const [command, ...args] = [...prefix, process.execPath, mainOf('streamer'), '--config', config];
  const program = await startProgram(command, args);
  t.after(() => program.stop('SIGKILL'));
  await until(
    async () => {
      if (program.exited()) throw new Error(program.output());
      return (await rig.health().catch(() => undefined))?.status === 200 ? true : undefined;
    },
    { what: 'it starts, and is well', timeoutMs: 30_000 },
  );
  await program.stop();
}
