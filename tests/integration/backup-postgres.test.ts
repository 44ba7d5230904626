/** The ledger in PostgreSQL, saved and put back by the commands of docs/backup.md; `docker compose` is played. */
import assert from 'node:assert/strict';
import {
  chmod,
  mkdir,
  readdir,
  readFile,
  rm,
  symlink,
  truncate,
  writeFile,
  copyFile,
  stat,
} from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  findPostgres,
  run,
  startPostgres,
  startScriptedScp,
  type Postgres,
  type RunResult,
  type ScriptedScp,
} from '@scanflow/testkit';
import { EVERY_MOMENT, killMoments } from '../faults/kill-moments.ts';
import { commandsWith } from './backup-page.ts';
import { filesBelow, rebuilt } from './streamer-loss-support.ts';
import { legOf, makeRig, phantom, sendTo, settled, type Rig } from './streamer-support.ts';

const bin = findPostgres();
const skip = bin === undefined ? 'PostgreSQL is not installed' : false;
const ROOT = join(import.meta.dirname, '../..');

/** Plays `docker compose` for a stack whose PostgreSQL and streamer are of this test. */
const COMPOSE = `#!/bin/sh
case "$*" in
  'compose exec -T postgres '*) shift 4; exec "$@" ;;
  'compose run --rm --no-deps streamer scanflow '*) shift 6; exec "$SCANFLOW" "$@" --config "$CONFIG" ;;
  'compose up -d --wait postgres') ;;
  *) echo "not played: $*" >&2; exit 64 ;;
esac
`;

/** Stands in for a program of PostgreSQL, and kills its caller at the FATAL-th call: before the call, or in its midst. */
const FATAL = `#!/bin/sh
echo "\${0##*/} $*" >>"$CALLS"
if [ "$(wc -l <"$CALLS")" = "$FATAL" ]; then
  case $0 in *pg_restore) head -c 3000 | "$BIN/\${0##*/}" "$@" >/dev/null 2>&1 ;; esac
  kill -9 "$PPID"
fi
exec "$BIN/\${0##*/}" "$@"
`;

interface Place {
  readonly server: Postgres;
  readonly rig: Rig;
  readonly pacs: ScriptedScp;
  readonly backups: string;
  /** Runs commands of the page; with `fatal`, what they start is killed at that call. */
  readonly shell: (commands: string, fatal?: number) => Promise<RunResult>;
  /** What was called since the shell began, if it was one with `fatal`. */
  readonly calls: () => Promise<string[]>;
}

async function place(t: TestContext): Promise<Place> {
  const server = await startPostgres();
  t.after(() => server.stop());
  for (const statement of ['CREATE ROLE postgres SUPERUSER LOGIN', 'CREATE ROLE orthanc LOGIN'])
    await server.query('postgres', `${statement} PASSWORD '${server.password}'`);
  const url = await server.makeDatabase('scanflow');
  await server.query('postgres', 'CREATE DATABASE orthanc OWNER orthanc');
  await server.query('orthanc', "CREATE TABLE image AS SELECT 'then' AS name");
  const pacs = await startScriptedScp();
  t.after(() => pacs.close());
  const ledger = { url, passwordFile: server.passwordFile, lease: '4s' };
  const rig = await makeRig(t, { destinations: { pacs: pacs.port }, extra: { ledger } });
  const backups = join(rig.folder, 'backup');
  await mkdir(backups);
  const programs = await playedPrograms(rig.folder);
  const env = {
    ...{ BIN: bin ?? '', CALLS: join(rig.folder, 'calls'), CONFIG: rig.configFile },
    ...{ SCANFLOW: join(ROOT, 'services/cli/bin/scanflow'), PGPASSWORD: server.password },
    ...{ PGHOST: '127.0.0.1', PGPORT: new URL(url).port },
  };
  const shell = async (commands: string, fatal?: number): Promise<RunResult> => {
    const script = commands.replaceAll('/srv/backup', backups).replaceAll('-h /tmp', '-h 127.0.0.1');
    await writeFile(env.CALLS, '');
    const path = [
      ...(fatal === undefined ? [] : [join(programs, 'fatal')]),
      programs,
      bin,
      process.env['PATH'],
    ];
    return run('sh', ['-ec', script], { env: { ...env, PATH: path.join(':'), FATAL: String(fatal) } });
  };
  const calls = async (): Promise<string[]> => (await readFile(env.CALLS, 'utf8')).trimEnd().split('\n');
  return { server, rig, pacs, backups, shell, calls };
}

async function playedPrograms(folder: string): Promise<string> {
  const programs = join(folder, 'programs');
  await mkdir(join(programs, 'fatal'), { recursive: true });
  const write = async (name: string, text: string): Promise<void> => {
    await writeFile(join(programs, name), text);
    await chmod(join(programs, name), 0o755);
  };
  await write('docker', COMPOSE);
  for (const name of ['psql', 'createdb', 'dropdb', 'pg_restore']) await write(`fatal/${name}`, FATAL);
  await symlink(join(ROOT, 'docker/postgres/restore-database.sh'), join(programs, 'restore-database'));
  return programs;
}

async function ok({ shell }: Place, commands: string): Promise<void> {
  const { code, stderr } = await shell(commands);
  assert.equal(code, 0, stderr);
}

const saving = (): Promise<string> => commandsWith('pg_dump');
const puttingBack = (): Promise<string> => commandsWith('restore-database');

async function send({ rig }: Place, name: string, images: number): Promise<void> {
  await sendTo(
    rig.orthanc,
    (await phantom(join(rig.folder, name), { images, studyId: `ses-${name}` })).folder,
  );
}

/** A place with one stored series, saved by the commands of the page while everything runs. */
async function saved(t: TestContext, images: number): Promise<Place> {
  const all = await place(t);
  await all.rig.start();
  await send(all, 'a', images);
  await settled(all.rig, 1, ['complete']);
  await ok(all, await saving());
  return all;
}

test(
  'backup of PostgreSQL: by the commands of the page, older than storage; nothing is stored or sent twice',
  { skip },
  async (t) => {
    const all = await saved(t, 3);
    const { server, rig, pacs } = all;
    await send(all, 'b', 2);
    await settled(rig, 2, ['complete']);
    await server.query('orthanc', "UPDATE image SET name = 'now'");
    const inUse = await all.shell(await puttingBack());
    assert.equal(inUse.code, 1);
    assert.match(inUse.stderr, /scanflow is in use; nothing was changed\. Stop/);
    await rig.streamer().stop();
    const stored = await filesBelow(rig.root);
    // a table that the dump does not have: of a later version
    await server.query('scanflow', 'CREATE TABLE later (x INTEGER)');
    await ok(all, await puttingBack());
    assert.equal(await server.query('orthanc', 'SELECT name FROM image'), 'then\n');
    assert.equal(await server.query('scanflow', "SELECT to_regclass('later')"), '\n');
    assert.equal(await server.query('scanflow_before_restore', 'SELECT count(*) FROM series'), '2\n');
    await rig.start();
    await rebuilt(rig);
    const series = await settled(rig, 2, ['complete', 'failed']);
    const known = series.find(({ images }) => images.stored === 3);
    const since = series.find(({ images }) => images.stored === 2);
    assert.equal(legOf(known, 'pacs').state, 'done');
    assert.equal(legOf(since, 'pacs').failure?.code, 'SENT_UNKNOWN');
    assert.deepEqual(await filesBelow(rig.root), stored);
    assert.equal(pacs.requests.length, 5);
    // life goes on
    await send(all, 'c', 2);
    await settled(rig, 3, ['complete', 'failed']);
    assert.equal(pacs.requests.length, 7);
  },
);

test(
  'backup of PostgreSQL: a dump that is interrupted leaves the one of the night before',
  { skip },
  async (t) => {
    const { rig, backups, shell } = await saved(t, 2);
    const before = await filesBelow(backups);
    const dump = join(rig.folder, 'programs/pg_dump');
    await writeFile(dump, '#!/bin/sh\n"$BIN/pg_dump" "$@" | head -c 2000\nkill -9 $$\n');
    await chmod(dump, 0o755);
    assert.notEqual((await shell(await saving())).code, 0);
    const { size } = await stat(join(backups, 'ledger.part'));
    assert.equal(size, 2000);
    const after = new Map(await filesBelow(backups));
    for (const name of ['ledger.part', 'orthanc-index.part']) after.delete(name);
    assert.deepEqual(after, before);
  },
);

test('restore of PostgreSQL: a dump that is cut anywhere changes nothing', { skip }, async (t) => {
  const { server, rig, backups, shell } = await saved(t, 2);
  await rig.streamer().stop();
  await server.query('scanflow', 'CREATE TABLE later (x INTEGER)');
  const dump = join(backups, 'ledger.dump');
  await copyFile(dump, join(backups, 'whole'));
  const { size } = await stat(dump);
  const cuts = [
    0,
    5,
    1000,
    ...[1, 2, 3, 4, 5, 6, 7].map((part) => Math.floor((size * part) / 8)),
    size - 6,
    size - 1,
  ];
  for (const cut of cuts) {
    await copyFile(join(backups, 'whole'), dump);
    await truncate(dump, cut);
    const { code, stderr } = await shell(await puttingBack());
    assert.equal(code, 1, `cut at ${cut} of ${size}`);
    assert.match(stderr, /scanflow is as it was/, `cut at ${cut} of ${size}`);
    assert.equal(await server.query('scanflow', "SELECT to_regclass('later')"), 'later\n');
  }
  const databases = await server.query('postgres', 'SELECT datname FROM pg_database ORDER BY 1');
  assert.deepEqual(databases.trim().split('\n'), [
    'orthanc',
    'postgres',
    'scanflow',
    'template0',
    'template1',
  ]);
});

test(
  'restore of PostgreSQL: killed at any moment, each database is the old one or the new one; run again, it ends right',
  { skip },
  async (t) => {
    const all = await saved(t, 2);
    const { server, rig, backups, shell, calls } = all;
    await rig.streamer().stop();
    assert.deepEqual((await readdir(backups)).toSorted(), ['ledger.dump', 'orthanc-index.dump']);
    const count = async (name: string): Promise<string> => {
      const tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
      return (await server.query(name, tables)).trim();
    };
    const counts = (): Promise<string[]> => Promise.all(['scanflow', 'orthanc'].map(count));
    const whole = await counts();
    assert.equal((await shell(await puttingBack(), Infinity)).code, 0);
    const kindOf = (call: string): string => call.replaceAll(/scanflow|orthanc/g, '');
    const moments = killMoments(await calls(), kindOf);
    for (const [turn, fatal] of moments.entries()) {
      for (const name of ['scanflow', 'orthanc'])
        await server.query(name, 'CREATE TABLE IF NOT EXISTS later (x INTEGER)');
      await rm(join(rig.data, 'streamer/rebuild.json'), { force: true });
      assert.notEqual((await shell(await puttingBack(), fatal)).code, 0);
      const now = await counts();
      for (const [index, tables] of now.entries())
        assert.ok(
          [Number(whole[index]), Number(whole[index]) + 1].includes(Number(tables)),
          `at ${fatal}: ${tables}`,
        );
      // asked for before anything was changed
      assert.match(await readFile(join(rig.data, 'streamer/rebuild.json'), 'utf8'), /"lost":true/);
      // each takes more than a second: on each push behind the last ones
      if (!EVERY_MOMENT && turn < moments.length - 3) continue;
      await ok(all, await puttingBack());
      assert.deepEqual(await counts(), whole, `at ${fatal}, then again`);
    }
    t.diagnostic(`killed ${moments.length} times, at ${moments.join()}`);
    assert.ok(moments.length > 5, `${moments.length} moments`);
  },
);
