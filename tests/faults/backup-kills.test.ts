/** `scanflow backup` and `scanflow restore` killed before each change of a file's name: never a mix that passes for whole. */
import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { requireFinishedRestore } from '@scanflow/runtime';
import { run, startProgram } from '@scanflow/testkit';
import { EVERY_MOMENT, killMoments } from './kill-moments.ts';

const ROOT = join(import.meta.dirname, '../..');
const CLI = join(ROOT, 'services/cli/src/main.ts');
const KILLER = join(import.meta.dirname, 'file-killer.ts');
const SERVICES = ['cal2wl', 'worklist', 'streamer', 'receiver'];

interface Place {
  readonly folder: string;
  readonly data: string;
  readonly backups: string;
  readonly config: string;
}

async function place(t: TestContext): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-backup-kills-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const data = join(folder, 'data');
  const config = join(folder, 'etc/scanflow.yaml');
  await mkdir(join(folder, 'etc'));
  await mkdir(join(folder, 'project'));
  const orthanc = { url: 'http://127.0.0.1:9', username: 'x', passwordFile: join(folder, 'none') };
  const configuration = {
    facility: { name: 'Test', timezone: 'Europe/Amsterdam' },
    data,
    scanners: { prisma: { aet: 'PRISMA', modality: 'MR' } },
    orthanc,
    storage: { root: join(folder, 'project') },
    http: { bind: '127.0.0.1', ports: { cal2wl: 0, worklist: 0, streamer: 0 } },
  };
  await writeFile(config, JSON.stringify(configuration));
  return { folder, data, config, backups: join(folder, 'backups') };
}

/** The data folder as of one moment: each file says which. */
async function fill(data: string, moment: string): Promise<void> {
  await rm(data, { recursive: true, force: true });
  for (const path of ['bookings/A.json', 'performed/1.2.json', 'cal2wl/x/prisma.json']) {
    await mkdir(dirname(join(data, path)), { recursive: true });
    await writeFile(join(data, path), moment);
  }
  await mkdir(join(data, 'streamer'));
  await writeFile(join(data, 'bookings', `only-${moment}.json`), moment);
  const db = new DatabaseSync(join(data, 'streamer/ledger.sqlite'));
  db.exec(`CREATE TABLE moment (name TEXT); INSERT INTO moment VALUES ('${moment}')`);
  db.close();
}

const HIDDEN = /(?:^|\/)\.|\/rebuild\.json$|\.lock(?:-journal)?$/;

/** What a service sees: each file with what it holds; the ledger with its moment. */
async function visible(data: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(data, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name).slice(data.length + 1);
    if (entry.isFile() && !HIDDEN.test(path)) found[path] = await contentOf(join(data, path));
  }
  return found;
}

async function contentOf(path: string): Promise<string> {
  if (!path.endsWith('.sqlite')) return readFile(path, 'utf8');
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return String(db.prepare('SELECT name FROM moment').get()?.['name']);
  } finally {
    db.close();
  }
}

/** What is done, and the hidden or last name at which it is done: `rename /.restoring-`, without which file and when. */
const kindOf = (change: string): string =>
  [/^\w+/, /\/\.+[a-z-]+/g, /manifest/].flatMap((part) => change.match(part) ?? []).join(' ');

async function runWith(
  env: Readonly<Record<string, string>>,
  args: readonly string[],
): Promise<number | null> {
  const program = await startProgram(process.execPath, ['--import', KILLER, CLI, ...args], { env });
  const code = await program.ended;
  assert.ok(code === 0 || code === null, `killed, not failed: ${program.output()}`);
  return code;
}

/** Runs the command to its end, and again and again, killed before a change. Gives how often it was killed. */
async function atChanges(
  { folder }: Place,
  args: readonly string[],
  { before, after }: { before: () => Promise<void>; after: (nth: number, turn: number) => Promise<void> },
): Promise<number> {
  const list = join(folder, 'changes');
  await before();
  assert.equal(await runWith({ CHANGES: list }, args), 0);
  const changes = (await readFile(list, 'utf8')).trimEnd().split('\n');
  await after(changes.length + 1, 0);
  const moments = killMoments(changes, kindOf);
  for (const [turn, nth] of moments.entries()) {
    await before();
    assert.equal(await runWith({ KILL_NTH: String(nth) }, args), null, `at ${nth}: ${changes[nth - 1]}`);
    await after(nth, turn);
  }
  return moments.length;
}

const ok = async (...args: string[]): Promise<void> => {
  const { code, stderr } = await run(process.execPath, [CLI, ...args]);
  assert.equal(code, 0, stderr);
};

test('backup: killed before any change, it leaves nothing that restore takes for a backup', async (t) => {
  const all = await place(t);
  const { data, backups, config } = all;
  await fill(data, 'now');
  const kills = await atChanges(all, ['backup', backups, '--config', config], {
    before: async () => {
      await rm(backups, { recursive: true, force: true });
      await mkdir(backups);
    },
    after: async (nth) => {
      const left = await readdir(backups);
      const named = left.filter((name) => name.startsWith('scanflow-'));
      const { code, stderr } = await run(process.execPath, [CLI, 'restore', backups, '--config', config]);
      assert.equal(code, named.length === 0 ? 1 : 0, `at ${nth}: ${left.join()} ${stderr}`);
      if (named.length === 0) assert.match(stderr, /holds no backup/);
      for (const name of left.filter((one) => !named.includes(one))) {
        const aside = await run(process.execPath, [CLI, 'restore', join(backups, name), '--config', config]);
        const whole = (await readdir(join(backups, name))).includes('manifest.json');
        assert.equal(aside.code, whole ? 0 : 1, `at ${nth}: ${aside.stderr}`);
      }
      assert.deepEqual(Object.values(await visible(data)), Object.values(await visible(data)).fill('now'));
    },
  });
  t.diagnostic(`killed ${kills} times`);
  assert.ok(kills > 3, String(kills));
});

test('backup: what a killed one left goes after a day, a younger one may still be written', async (t) => {
  const { data, backups, config } = await place(t);
  await fill(data, 'now');
  const stamp = (hours: number): string =>
    Temporal.Now.instant().subtract({ hours }).toString({ smallestUnit: 'second' }).replaceAll(/[-:]/g, '');
  const [old, young] = [25, 1].map((hours) => `.scanflow-${stamp(hours)}.7.0123456789ab.tmp`);
  for (const name of [old, young]) await mkdir(join(backups, name ?? '', 'data'), { recursive: true });
  await ok('backup', backups, '--config', config);
  const left = await readdir(backups);
  assert.deepEqual(
    left.filter((name) => name.startsWith('.')),
    [young],
  );
});

test('restore: killed before any change, all is of one moment or no service starts; run again, it ends right', async (t) => {
  const all = await place(t);
  const { folder, data, backups, config } = all;
  await fill(data, 'then');
  await ok('backup', backups, '--config', config);
  const restored = await visible(data);
  await fill(data, 'now');
  const untouched = await visible(data);
  await cp(data, join(folder, 'kept'), { recursive: true });
  let unfinished = 0;
  const kills = await atChanges(all, ['restore', backups, '--config', config], {
    before: async () => {
      await rm(data, { recursive: true });
      await cp(join(folder, 'kept'), data, { recursive: true });
    },
    after: async (nth, turn) => {
      const is = JSON.stringify(await visible(data));
      const refused = await requireFinishedRestore(data).then(
        () => false,
        () => true,
      );
      if (refused) unfinished += 1;
      else if (is !== JSON.stringify(untouched)) assert.deepEqual(await visible(data), restored, `at ${nth}`);
      if (unfinished === 3) await requireNoStart(all);
      // each takes half a second
      if (!EVERY_MOMENT && turn % 3 !== 1) return;
      await ok('restore', backups, '--config', config);
      assert.deepEqual(await visible(data), restored, `at ${nth}, then again`);
      await requireFinishedRestore(data);
      assert.ok((await readdir(join(data, 'streamer'))).includes('rebuild.json'), 'the streamer compares');
    },
  });
  t.diagnostic(`killed ${kills} times, ${unfinished} of them in the midst`);
  assert.ok(unfinished > 4, `${unfinished} of ${kills}`);
});

/** The services, and a backup: each refuses, with the code and what to do. */
async function requireNoStart({ config, folder }: Place): Promise<void> {
  const starting = SERVICES.map(async (service) => {
    const main = join(ROOT, `services/${service}/src/main.ts`);
    const { code, stdout, stderr } = await run(process.execPath, [main, '--config', config]);
    assert.equal(code, 1, service);
    assert.match(stdout + stderr, /RESTORE_UNFINISHED/, service);
    assert.match(stdout + stderr, /scanflow restore again/, service);
  });
  const backup = [CLI, 'backup', join(folder, 'more'), '--config', config];
  const [{ code, stderr }] = await Promise.all([run(process.execPath, backup), ...starting]);
  assert.equal(code, 1);
  assert.match(stderr, /A restore was interrupted/);
}
