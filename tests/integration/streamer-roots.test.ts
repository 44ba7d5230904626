/** Roots of project storage: only the one that the ledger knows is written to. */
import assert from 'node:assert/strict';
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { absent } from '@scanflow/runtime';
import { findPostgres, run, startPostgres, until } from '@scanflow/testkit';
import {
  legOf,
  legWhen,
  makeRig,
  phantom,
  sendTo,
  settled,
  type Rig,
  type Series,
} from './streamer-support.ts';
import { verifyStored } from './streamer-verify.ts';

interface Identity {
  readonly root: string;
  readonly ledger: string;
  readonly owner: { readonly name: string; readonly host: string };
  readonly heartbeat: { readonly sequence: number };
}

const IDENTITY = '.scanflow-root.json';

const identityOf = async (root: string): Promise<Identity> =>
  JSON.parse(await readFile(join(root, IDENTITY), 'utf8')) as Identity;

async function change(rig: Rig, over: (config: Record<string, unknown>) => object): Promise<void> {
  const config = JSON.parse(await readFile(rig.configFile, 'utf8')) as Record<string, unknown>;
  await writeFile(rig.configFile, JSON.stringify({ ...config, ...over(config) }));
}

async function complete(rig: Rig, count = 1): Promise<Series> {
  const all = await settled(rig, count, ['complete']);
  return all[0] as Series;
}

const images = async (root: string): Promise<number> =>
  (await readdir(root, { recursive: true })).filter((name) => name.endsWith('.dcm')).length;

const CLI = join(import.meta.dirname, '../../services/cli/src/main.ts');

const scanflow = (rig: Rig, ...args: string[]): ReturnType<typeof run> =>
  run(process.execPath, [CLI, ...args, '--config', rig.configFile]);

/** Answers what `scanflow storage take` is told. */
async function take(rig: Rig, root: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await rig.api('/api/storage/take', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ root, by: 'test' }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** Status 0 while the streamer starts. */
const health = (rig: Rig): ReturnType<Rig['health']> => rig.health().catch(() => ({ status: 0, body: {} }));

const unwell = (rig: Rig, code: string): Promise<string> =>
  until(
    async () => {
      const { status, body } = await health(rig);
      const text = String(body['storage']);
      return status === 503 && text.startsWith(code) ? text : undefined;
    },
    { what: `/healthz with ${code}`, timeoutMs: 60_000, everyMs: 100 },
  );

const well = (rig: Rig): Promise<true> =>
  until(async () => ((await health(rig)).status === 200 ? true : undefined), {
    what: '/healthz to be well',
    timeoutMs: 60_000,
    everyMs: 100,
  });

async function stored(t: TestContext): Promise<{ rig: Rig; files: string[] }> {
  const rig = await makeRig(t);
  await rig.start();
  const { files } = await phantom(join(rig.folder, 'in'), { images: 4 });
  await sendTo(rig.orthanc, ...files.slice(0, 2));
  await complete(rig);
  return { rig, files };
}

test('roots: an older one is noticed before anything is written, and once a person takes it, what is missing is pulled', async (t) => {
  const rig = await makeRig(t);
  const first = await rig.start();
  await well(rig);
  // the root's first heartbeat, which may come a moment later
  await until(() => identityOf(rig.root).catch(absent), {
    what: 'the identity of the root',
    timeoutMs: 60_000,
  });
  const backup = join(rig.folder, 'backup');
  await cp(rig.root, backup, { recursive: true });
  const { files } = await phantom(join(rig.folder, 'in'), { images: 4 });
  await sendTo(rig.orthanc, ...files.slice(0, 2));
  await complete(rig);
  const copied = (await identityOf(backup)).heartbeat.sequence;
  await until(async () => (await identityOf(rig.root)).heartbeat.sequence > copied, {
    what: 'a heartbeat after the backup',
    timeoutMs: 60_000,
    everyMs: 100,
  });
  await first.stop('SIGKILL');
  await rm(rig.root, { recursive: true });
  await rename(backup, rig.root);
  await rig.start();
  assert.match(await unwell(rig, 'STORE_ROOT_OLDER'), /scanflow storage take/);
  assert.match(await rig.metrics(), /scanflow_streamer_roots_refused\{code="STORE_ROOT_OLDER"\} 1/);
  await sendTo(rig.orthanc, ...files.slice(2));
  await legWhen(
    rig,
    'storage',
    ({ failure }) => failure?.code === 'STORE_ROOT_OLDER',
    'the late images to wait',
  );
  assert.equal(await images(rig.root), 0);
  const doctor = await scanflow(rig, 'doctor', 'storage');
  assert.match(doctor.stdout, /STORE_ROOT_OLDER/);
  assert.equal((await scanflow(rig, 'storage', 'list')).code, 1);
  const taken = await scanflow(rig, 'storage', 'take', rig.root);
  assert.equal(taken.code, 0, taken.stderr);
  assert.equal(await verifyStored(rig, await complete(rig)), 4);
  await well(rig);
  const again = await scanflow(rig, 'storage', 'take', rig.root);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /Nothing to take/);
  assert.equal((await scanflow(rig, 'storage', 'list')).code, 0);
});

test('roots: an empty mount point is never filled, and a complete series is none any more once it is taken', async (t) => {
  const { rig } = await stored(t);
  const away = `${rig.root}.away`;
  await rename(rig.root, away);
  await mkdir(rig.root);
  assert.match(await unwell(rig, 'STORE_ROOT_EMPTY'), /empty/);
  await phantom(join(rig.folder, 'more'), { images: 2, seed: 7 }).then(({ folder }) =>
    sendTo(rig.orthanc, folder),
  );
  await until(
    async () =>
      (await rig.series()).some(({ legs }) =>
        legs.some(({ failure }) => failure?.code === 'STORE_ROOT_EMPTY'),
      ) || undefined,
    { what: 'a series that waits', timeoutMs: 30_000, everyMs: 100 },
  );
  assert.deepEqual(await readdir(rig.root), []);
  await rm(rig.root, { recursive: true });
  await rename(away, rig.root);
  await complete(rig, 2);
  assert.equal(await images(rig.root), 4);
  // this time the empty one is right, as on a new disk
  await rename(rig.root, away);
  await mkdir(rig.root);
  await unwell(rig, 'STORE_ROOT_EMPTY');
  const [one] = await rig.series();
  await rig.orthanc.request(`/series/${one?.id ?? ''}`, { method: 'DELETE' });
  assert.equal((await take(rig, rig.root)).status, 200);
  const failed = await until(
    async () => {
      const all = await rig.series();
      const lost = all.find(({ state }) => state === 'failed');
      return all.some(({ state }) => state === 'complete') ? lost : undefined;
    },
    { what: 'one series that is whole again, and one that is lost', timeoutMs: 30_000, everyMs: 100 },
  );
  assert.equal(legOf(failed, 'storage').failure?.code, 'STORE_FILE_MISSING');
  assert.equal(await images(rig.root), 2);
});

test('roots: of two stacks, the second is refused while the first works, and may take the root once it is silent', async (t) => {
  const { rig: one } = await stored(t);
  const two = await makeRig(t, { root: one.root });
  await two.start();
  const said = await unwell(two, 'STORE_ROOT_IN_USE');
  assert.match(said, /Test on .*which is at work.*Test on /);
  const sent = await phantom(join(two.folder, 'in'), { images: 2, seed: 9 });
  await sendTo(two.orthanc, sent.folder);
  await legWhen(two, 'storage', ({ failure }) => failure !== undefined, 'the series to wait');
  assert.equal((await take(two, one.root)).status, 409);
  assert.equal(await images(one.root), 2);
  await one.streamer().stop();
  await unwell(two, 'STORE_ROOT_OTHER');
  await until(async () => typeof (await take(two, one.root)).body['said'] === 'string' || undefined, {
    what: 'the root to be taken',
    timeoutMs: 60_000,
    everyMs: 500,
  });
  await complete(two);
  assert.equal(await images(one.root), 4);
  // the first one is the stranger now
  await one.start();
  await unwell(one, 'STORE_ROOT_IN_USE');
});

test('roots: a root and a ledger of 0.1.0 go on as they are', async (t) => {
  const { rig, files } = await stored(t);
  const copy = join(rig.folder, 'copy');
  await mkdir(copy);
  await rig.streamer().stop();
  await makeOld(join(rig.data, 'streamer', 'ledger.sqlite'));
  await rm(join(rig.data, 'streamer', 'installation.json'));
  await rm(join(rig.root, IDENTITY));
  await rig.start();
  await well(rig);
  await complete(rig);
  await sendTo(rig.orthanc, ...files.slice(2));
  await until(async () => (await rig.series())[0]?.images.stored === 4 || undefined, {
    what: 'the late images',
    timeoutMs: 30_000,
    everyMs: 100,
  });
  assert.equal(await verifyStored(rig, await complete(rig)), 4);
  assert.equal((await identityOf(rig.root)).owner.name, 'Test');
});

test('roots: a ledger of 0.1.0 does not fill an empty mount point', async (t) => {
  const { rig } = await stored(t);
  await rig.streamer().stop();
  await makeOld(join(rig.data, 'streamer', 'ledger.sqlite'));
  await rm(join(rig.data, 'streamer', 'installation.json'));
  await rm(rig.root, { recursive: true });
  await mkdir(rig.root);
  await rig.start();
  await unwell(rig, 'STORE_ROOT_EMPTY');
  assert.deepEqual(await readdir(rig.root), []);
});

test('roots: a new ledger in the same data folder goes on with the root; an identity that was deleted comes back', async (t) => {
  const { rig } = await stored(t);
  const before = await identityOf(rig.root);
  await rig.streamer().stop();
  for (const end of ['', '-wal', '-shm'])
    await rm(join(rig.data, 'streamer', `ledger.sqlite${end}`), { force: true });
  await rig.start();
  await complete(rig);
  await well(rig);
  const after = await identityOf(rig.root);
  assert.deepEqual([after.root, after.ledger], [before.root, before.ledger]);
  assert.ok(after.heartbeat.sequence > before.heartbeat.sequence);
  await rm(join(rig.root, IDENTITY));
  const again = await until(async () => identityOf(rig.root).catch(() => undefined), {
    what: 'the identity to come back',
    timeoutMs: 30_000,
    everyMs: 100,
  });
  assert.equal(again.root, before.root);
});

test(
  'roots: changing over to PostgreSQL goes on with the same root by itself',
  { skip: findPostgres() === undefined ? 'PostgreSQL is not installed' : false },
  async (t) => {
    const { rig, files } = await stored(t);
    const before = await identityOf(rig.root);
    await rig.streamer().stop();
    const server = await startPostgres();
    t.after(() => server.stop());
    await change(rig, () => ({ ledger: { url: server.url, passwordFile: server.passwordFile } }));
    await rig.start();
    await complete(rig);
    await sendTo(rig.orthanc, ...files.slice(2));
    await until(async () => (await rig.series())[0]?.images.stored === 4 || undefined, {
      what: 'the late images',
      timeoutMs: 30_000,
      everyMs: 100,
    });
    assert.equal(await verifyStored(rig, await complete(rig)), 4);
    await well(rig);
    const after = await identityOf(rig.root);
    assert.deepEqual([after.root, after.ledger], [before.root, before.ledger]);
    await rig.streamer().stop();
  },
);

test('roots: each root has an identity, of projects and of the copy too', async (t) => {
  const rig = await makeRig(t);
  const [fast, copy] = [join(rig.folder, 'fast'), join(rig.folder, 'copy')];
  await mkdir(fast);
  await mkdir(copy);
  await change(rig, () => ({
    storage: { root: rig.root, projects: { '3010000.01': { root: fast } }, copy: { root: copy } },
  }));
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'in'), { images: 2 });
  await sendTo(rig.orthanc, folder);
  await complete(rig);
  const ids = await Promise.all([rig.root, fast, copy].map(identityOf));
  assert.equal(new Set(ids.map(({ root }) => root)).size, 3);
  assert.equal(new Set(ids.map(({ ledger }) => ledger)).size, 1);
  // two mounts that were swapped
  await rig.streamer().stop();
  await rename(copy, `${copy}.1`);
  await rename(fast, copy);
  await rename(`${copy}.1`, fast);
  await rig.start();
  assert.match(await unwell(rig, 'STORE_ROOT_OTHER'), /another root of this installation/);
});

/** The ledger as 0.1.0 had it: its tables, with the rows that are there. */
async function makeOld(path: string): Promise<void> {
  const now = new DatabaseSync(path);
  now.exec('PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE');
  now.close();
  await rename(path, `${path}.new`);
  const old = new DatabaseSync(path);
  old.exec(await readFile(join(import.meta.dirname, '../fixtures/ledger-0.1.0.sql'), 'utf8'));
  old.exec(`ATTACH '${path}.new' AS new`);
  for (const table of ['cursor', 'series', 'leg', 'session']) {
    const columns = old
      .prepare(`SELECT name FROM pragma_table_info('${table}')`)
      .all()
      .map(({ name }) => String(name))
      .join(', ');
    old.exec(`INSERT INTO ${table} (${columns}) SELECT ${columns} FROM new.${table}`);
  }
  old.close();
  await rm(`${path}.new`);
}
