/** Three streamers with PostgreSQL in containers (compose.scale.yaml): one is killed mid-series, the others finish it. */
import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { run, startProgram, storescu, until, type Program } from '@scanflow/testkit';
import { phantom, type Series } from '../integration/streamer-support.ts';
import { assertHardened, orLogs } from './checks.ts';
import { docker, imageOf, impatientConfig, Project, ROOT, type Container, whyNot } from './engine.ts';

const IMAGES = 200;
const UP = ['up', '--detach', '--wait'];
const FOLDER = '/run/secrets/scanflow';
const CONFIG = ['--config', '/etc/scanflow/scanflow.scale.yaml'];
const SECRETS = `cat ${FOLDER}/*-password`;
/** Runs in a streamer's container: stops the streamer mid-series if it is the one that pulls the images. */
const STOPPER = await readFile(join(import.meta.dirname, 'stopper.ts'), 'utf8');

/** `/api/series` of a streamer's container, through the port that it has on the host. */
async function seriesOf({ Id }: Container): Promise<Series[]> {
  const address = (await docker('port', Id, '9103/tcp')).trim();
  const token = (await docker('exec', Id, 'cat', '/data/token/http-token')).trim();
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`http://${address}/api/series`, { headers });
  return ((await response.json()) as { series: Series[] }).series;
}

suite('several streamers', { skip: await whyNot() }, () => {
  let scale: Project;
  let config: string;
  before(async () => {
    scale = await Project.create('scale', ['compose.yaml', 'compose.scale.yaml']);
    config = await impatientConfig('scanflow.scale.yaml', '  lease: 5s\n');
    scale.env['SCANFLOW_CONFIG'] = config;
    await scale.compose('build');
    await orLogs(scale, () => scale.compose(...UP));
  });
  after(async () => {
    await scale.down();
    assert.deepEqual(await scale.remains(), [], 'nothing is left');
    await rm(config, { recursive: true });
  });

  const sh = (service: string, script: string): Promise<string> => scale.exec(service, 'sh', '-c', script);
  const streamers = (): Promise<Container[]> => scale.containers('streamer');
  const assertHealthy = (containers: readonly Container[]): void =>
    assert.deepEqual(
      containers.map(({ State }) => State.Health?.Status),
      containers.map(() => 'healthy'),
    );

  test('scale: three streamers and PostgreSQL are healthy', async () => {
    const three = await streamers();
    assert.equal(three.length, 3);
    assertHealthy(three);
    assertHealthy(await scale.containers('postgres'));
    assertHealthy(await scale.containers('orthanc'));
  });

  test("doctor.sh: each doctor reads the configuration of its container, so it finds the streamers' ledger", async () => {
    const env = { ...scale.env, COMPOSE_PROJECT_NAME: scale.name, COMPOSE_FILE: scale.files.join(':') };
    const { code, stdout, stderr } = await run('sh', ['doctor.sh'], { cwd: ROOT, env, timeoutMs: 300_000 });
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /^ok +ledger .*postgres/im);
  });

  test('hardening: PostgreSQL is like the other services', async () => {
    const container = await scale.inspect('postgres');
    assertHardened('postgres', container);
    assert.equal(container.Config.User, '10004:10004');
    assert.equal(container.HostConfig.CapAdd, null);
    assert.equal(container.HostConfig.RestartPolicy.Name, 'unless-stopped');
    assert.deepEqual(container.HostConfig.PortBindings ?? {}, {}, 'reached by nobody outside');
    const writable = container.Mounts.filter(({ RW }) => RW).map(({ Destination }) => Destination);
    assert.deepEqual(writable, ['/var/lib/postgresql']);
    await assert.rejects(sh('postgres', 'touch /etc/x'), /Read-only file system/);
    assertHardened('orthanc', await scale.inspect('orthanc'));
  });

  test('passwords: each user has one of its own, and its own database only', async () => {
    const ask = async (user: string, database: string, secret: string): Promise<string> =>
      sh(
        'orthanc',
        `PGPASSWORD=${(await sh('postgres', `cat ${FOLDER}/${secret}`)).trim()} psql -XAtw -h postgres -U ${user} ${database} -c 'SELECT 1'`,
      );
    assert.equal(await ask('scanflow', 'scanflow', 'ledger-password'), '1\n');
    assert.equal(await ask('orthanc', 'orthanc', 'orthanc-index-password'), '1\n');
    assert.equal(await ask('board', 'scanflow', 'board-password'), '1\n');
    assert.equal(await ask('cal2wl', 'scanflow', 'cal2wl-password'), '1\n');
    await assert.rejects(ask('cal2wl', 'orthanc', 'cal2wl-password'), /no pg_hba\.conf entry/);
    await assert.rejects(ask('board', 'orthanc', 'board-password'), /no pg_hba\.conf entry/);
    await assert.rejects(ask('scanflow', 'scanflow', 'orthanc-index-password'), /authentication failed/);
    await assert.rejects(ask('scanflow', 'orthanc', 'ledger-password'), /no pg_hba\.conf entry/);
    await assert.rejects(ask('postgres', 'postgres', 'ledger-password'), /no pg_hba\.conf entry/);
  });

  test('board: users are in the schema of the board, who reads nothing of the ledger', async () => {
    const list = (): Promise<string> => scale.exec('dashboard', 'scanflow', 'user', 'list', ...CONFIG);
    await scale.exec('dashboard', 'scanflow', 'user', 'add', 'anna', ...CONFIG);
    assert.match(await list(), /anna +member/);
    await scale.compose('restart', 'dashboard');
    await until(
      () =>
        list().then(
          (text) => text.includes('anna'),
          () => false,
        ),
      { what: 'the user is there after a restart', timeoutMs: 60_000 },
    );
    const query = (sql: string): Promise<string> =>
      sh('postgres', `psql -XAtq -h /tmp -U postgres scanflow -c "${sql}"`);
    assert.equal(await query('SELECT name FROM board.user'), 'anna\n');
    assert.equal(await query("SELECT has_table_privilege('board', 'public.leg', 'SELECT')"), 'f\n');
    assert.equal((await sh('dashboard', `ls ${FOLDER}`)).trim(), 'board-password');
    await assert.rejects(sh('dashboard', 'ls /data/dashboard/users.sqlite'));
  });

  test('cal2wl: it publishes by a lease in a schema of its own, and reads neither ledger nor users', async () => {
    const query = (sql: string): Promise<string> =>
      sh('postgres', `psql -XAtq -h /tmp -U postgres scanflow -c "${sql}"`);
    assert.equal(await query('SELECT name FROM cal2wl.lease'), 'cal2wl\n');
    for (const table of ['public.leg', 'public.lease', 'board.user'])
      assert.equal(await query(`SELECT has_table_privilege('cal2wl', '${table}', 'SELECT')`), 'f\n', table);
    assert.equal((await sh('cal2wl', `ls ${FOLDER}`)).trim(), 'cal2wl-password');
    assert.match(await scale.exec('cal2wl', 'scanflow', 'page', 'cal2wl', '/metrics'), /^scanflow_leads 1$/m);
  });

  test('scale: one of three streamers is killed mid-series, the others finish it', async (t) => {
    const sent = await phantom(join(config, 'mr'), { images: IMAGES, rows: 512, columns: 512 });
    const three = await streamers();
    const stoppers = await Promise.all(
      three.map(({ Id }) =>
        startProgram('docker', ['exec', Id, 'node', '--input-type=module-typescript', '-e', STOPPER]),
      ),
    );
    t.after(() => Promise.all(stoppers.map((stopper) => stopper.stop('SIGKILL'))));
    const said = (word: string) => (stopper: Program) => stopper.output().includes(word);
    const outputs = (): string => stoppers.map((stopper) => stopper.output()).join();
    await until(() => stoppers.every(said('watching')), { what: 'they watch', timeoutMs: 60_000 });
    await storescu({ port: scale.ports.dicom, calledAet: 'ORTHANC', callingAet: 'PRISMA' }, [sent.folder]);

    const victim = await until(
      () => {
        const at = stoppers.findIndex(said('stopped'));
        return at === -1 ? undefined : three[at];
      },
      { what: 'one works on it', timeoutMs: 120_000 },
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${outputs()}`);
    });
    await docker('kill', '--signal', 'KILL', victim.Id);
    const killed = performance.now();
    assert.equal(stoppers.filter(said('stopped')).length, 1, outputs());
    const stored = Number(/stopped at (\d+)/.exec(outputs())?.[1]);
    assert.ok(stored < IMAGES, `mid-series: ${stored}`);
    const left = three.filter(({ Id }) => Id !== victim.Id);
    const survivor = left[0] as Container;

    const complete = async (): Promise<Series | undefined> =>
      (await seriesOf(survivor)).find(({ state }) => state === 'complete');
    const series = await orLogs(scale, () =>
      until(complete, { what: 'the series is complete', timeoutMs: 120_000, everyMs: 200 }),
    );
    const seconds = ((performance.now() - killed) / 1000).toFixed(1);
    console.error(`killed at ${stored} images; complete ${seconds} s later`);
    assert.deepEqual(
      series.legs.map(({ target, state, done, total }) => [target, state, done, total]),
      [['storage', 'done', IMAGES, IMAGES]],
    );
    const now = await streamers();
    assert.equal(now.find(({ Id }) => Id === victim.Id)?.State.Status, 'exited');
    assertHealthy(now.filter(({ Id }) => Id !== victim.Id));
    assert.deepEqual(
      now
        .filter(({ Id }) => Id !== victim.Id)
        .map(({ State }) => State.StartedAt)
        .toSorted(),
      left.map(({ State }) => State.StartedAt).toSorted(),
      'the others ran all the time',
    );
    await assertStored(survivor.Id, sent.files);
  });

  /** Every image once, none beside them, in one folder whose manifest holds. */
  async function assertStored(id: string, sent: readonly string[]): Promise<void> {
    const run = (script: string): Promise<string> => docker('exec', id, 'sh', '-c', script);
    const files = (await run("find /project -name '*.dcm'")).trim().split('\n');
    const uids = files.map((file) => /_([\d.]+)\.dcm$/.exec(file)?.[1]);
    assert.deepEqual(uids.toSorted(), sent.map((file) => basename(file, '.dcm')).toSorted());
    const manifests = (await run('find /project -name manifest-sha256.txt')).trim().split('\n');
    assert.equal(manifests.length, 1, manifests.join());
    const checked = await run(`cd "$(dirname ${manifests[0] ?? ''})" && sha256sum -c manifest-sha256.txt`);
    assert.equal(checked.match(/\.dcm: OK$/gm)?.length, IMAGES, checked);
    const different = await run(
      "find /project -name '*.dcm' -exec sha256sum {} + | cut -c-64 | sort -u | wc -l",
    );
    assert.equal(different.trim(), String(IMAGES));
  }

  test('scale: `up` brings the killed one back; all three show the same', async () => {
    await scale.compose(...UP);
    const three = await streamers();
    assertHealthy(three);
    for (const one of three)
      assert.deepEqual(
        (await seriesOf(one)).map(({ state, images }) => [state, images.inOrthanc, images.stored]),
        [['complete', IMAGES, IMAGES]],
      );
  });

  test('orthanc: its index is in PostgreSQL, its images are files; new containers and passwords keep both', async () => {
    const ask = async (path: string): Promise<Record<string, unknown>> =>
      JSON.parse(
        await sh(
          'orthanc',
          `curl -fsS --netrc-file /run/secrets/scanflow/orthanc-netrc http://127.0.0.1:8042${path}`,
        ),
      ) as Record<string, unknown>;
    const state = async (): Promise<unknown[]> => {
      const { DatabaseServerIdentifier: identifier } = await ask('/system');
      const { CountInstances: instances } = await ask('/statistics');
      return [identifier, instances, (await ask('/changes?last'))['Last']];
    };
    const { DatabaseBackendPlugin: index, StorageAreaPlugin: storage } = await ask('/system');
    assert.match(String(index), /PostgreSQLIndex/);
    assert.equal(storage, null);
    const first = await state();
    assert.equal(first[1], IMAGES);
    // with passwords made anew, as docs/install.md says
    const old = await sh('postgres', SECRETS);
    await scale.compose('run', '--rm', '--no-deps', 'secrets', 'sh', '-c', `rm ${FOLDER}/*`);
    await scale.compose(...UP, '--force-recreate');
    const words = (await sh('postgres', SECRETS)).split('\n').filter((word) => old.includes(word));
    assert.deepEqual(words, ['']);
    assert.deepEqual(await state(), first);
    assertHealthy(await streamers());
  });

  test('orthanc: a volume whose index is in the other kind of database is refused', async () => {
    const secrets = `${scale.name}_secrets:${FOLDER}:ro`;
    const args = ['--rm', '--volume', secrets, '--group-add', '10000', '--entrypoint', 'sh'];
    const start = (script: string): Promise<string> =>
      docker(
        ...['run', ...args, imageOf('orthanc'), '-c'],
        `mkdir /var/lib/orthanc/db && cd /var/lib/orthanc/db && ${script} && exec entrypoint.sh`,
      );
    await assert.rejects(
      start('echo x >index && export ORTHANC_INDEX=postgresql://orthanc@postgres/orthanc'),
      /index of this volume is in SQLite, and PostgreSQL is configured/,
    );
    await assert.rejects(start(': >index-is-in-postgresql'), /is in PostgreSQL, and none is configured/);
  });
});
