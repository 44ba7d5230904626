/** Project storage: roots, layouts, the copy of everything, free space, and what lies beside the images. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { run, until } from '@scanflow/testkit';
import {
  bookingRecord,
  legOf,
  legWhen,
  makeRig,
  phantom,
  sendTo,
  settled,
  type Rig,
  type Series,
} from './streamer-support.ts';
import { folderOf, verifyStored } from './streamer-verify.ts';

interface Written {
  readonly labels?: unknown;
  readonly routedBy: string;
  readonly booking?: Readonly<Record<string, string>>;
  readonly provenance: {
    readonly scanflow: string;
    readonly orthanc: string;
    readonly begun: string;
    readonly increments: readonly Readonly<Record<string, string | number>>[];
  };
  readonly archive?: { readonly file: string; readonly sha256: string };
  readonly instances: readonly {
    readonly file: string;
    readonly orthancId: string;
    readonly tagged: boolean;
  }[];
}

/** A rig whose configuration has these keys of storage, too. */
async function rigWith(
  t: TestContext,
  storage: (folder: string) => Readonly<Record<string, unknown>>,
  options: Parameters<typeof makeRig>[1] = {},
): Promise<Rig> {
  const rig = await makeRig(t, options);
  await configure(rig, storage(rig.folder));
  return rig;
}

async function configure(rig: Rig, storage: Readonly<Record<string, unknown>>): Promise<void> {
  const config = JSON.parse(await readFile(rig.configFile, 'utf8')) as { storage: object };
  await writeFile(rig.configFile, JSON.stringify({ ...config, storage: { root: rig.root, ...storage } }));
}

const written = async (folder: string): Promise<Written> =>
  JSON.parse(await readFile(join(folder, 'series.json'), 'utf8')) as Written;

/** The copy's series folders, with how many images each holds; every image is what Orthanc has, byte for byte. */
async function verifyCopies(rig: Rig, root: string): Promise<number[]> {
  const entries = await readdir(root, { recursive: true });
  const folders = entries
    .filter((name) => name.endsWith('series.json'))
    .map((name) => join(root, name, '..'));
  const counts = [];
  for (const folder of folders) {
    const check = await run('sha256sum', ['-c', '--strict', '--quiet', 'manifest-sha256.txt'], {
      cwd: folder,
    });
    assert.equal(check.code, 0, check.stdout + check.stderr);
    const { instances } = await written(folder);
    for (const { orthancId, file } of instances) {
      const response = await rig.orthanc.request(`/instances/${orthancId}/file`);
      const original = Buffer.from(await response.arrayBuffer());
      assert.ok(original.equals(await readFile(join(folder, file))), `${file} is not what came`);
    }
    counts.push(instances.length);
  }
  return counts.sort();
}

const whole = (series: readonly Series[]): boolean =>
  series.every((one) => one.legs.some(({ target, state }) => target === 'copy' && state === 'done'));

test('storage: a copy of everything, quarantined series too, grows with the series', async (t) => {
  const rig = await rigWith(t, (folder) => ({ copy: { root: join(folder, 'copy') } }));
  const copy = join(rig.folder, 'copy');
  await mkdir(copy);
  await rig.start();
  const known = await phantom(join(rig.folder, 'known'), { images: 4, seriesNumber: 1 });
  const stray = await phantom(join(rig.folder, 'stray'), {
    images: 3,
    seriesNumber: 2,
    patientId: 'nobody',
    accession: 'ACC1',
  });
  const late = stray.files.pop() ?? '';
  await sendTo(rig.orthanc, known.folder, ...stray.files);
  const all = await until(
    async () => {
      const series = await settled(rig, 2);
      return whole(series) ? series : undefined;
    },
    { what: 'both are copied', timeoutMs: 60_000 },
  );
  assert.deepEqual(all.map(({ state }) => state).sort(), ['complete', 'quarantined']);
  assert.deepEqual(await verifyCopies(rig, copy), [2, 4]);
  // released by its booking, and with an image that came late
  await rig.book(bookingRecord({ accessionNumber: 'ACC1' }));
  await sendTo(rig.orthanc, late);
  const stored = await until(
    async () => {
      const series = await settled(rig, 2, ['complete']);
      return whole(series) && series.every((one) => legOf(one, 'copy').total >= 3) ? series : undefined;
    },
    { what: 'both are stored and copied', timeoutMs: 60_000 },
  );
  for (const series of stored) await verifyStored(rig, series);
  assert.deepEqual(await verifyCopies(rig, copy), [3, 4]);
});

test('storage: a copy that cannot be made waits by itself, and storage does not', async (t) => {
  const rig = await rigWith(t, (folder) => ({ copy: { root: join(folder, 'copy') } }));
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'mr'), { images: 3 });
  await sendTo(rig.orthanc, folder);
  await legWhen(rig, 'storage', ({ state }) => state === 'done', 'it is stored');
  const waiting = await legWhen(rig, 'copy', ({ failure }) => failure !== undefined, 'the copy waits');
  assert.equal(waiting.state, 'pending');
  assert.equal(waiting.failure?.code, 'STORE_ROOT_MISSING');
  await mkdir(join(rig.folder, 'copy'));
  await legWhen(rig, 'copy', ({ state }) => state === 'done', 'it is copied');
  assert.deepEqual(await verifyCopies(rig, join(rig.folder, 'copy')), [3]);
  await settled(rig, 1, ['complete']);
});

test('storage: killed while it stores and copies, both are whole in the end', async (t) => {
  const rig = await rigWith(t, (folder) => ({ copy: { root: join(folder, 'copy') }, tar: true }));
  const copy = join(rig.folder, 'copy');
  await mkdir(copy);
  const { folder } = await phantom(join(rig.folder, 'mr'), { images: 8 });
  await sendTo(rig.orthanc, folder);
  for (const nth of [3, 9]) {
    const doomed = await rig.start({ at: 'image-named', nth });
    await doomed.ended;
  }
  await rig.start();
  const [series] = await settled(rig, 1, ['complete'], 120_000);
  assert.ok(series !== undefined);
  assert.deepEqual(await verifyCopies(rig, copy), [8]);
  await until(
    async () => !(await readdir(rig.folder, { recursive: true })).some((name) => name.endsWith('.tmp')),
    { what: 'nothing is half written', timeoutMs: 5000 },
  );
  assert.equal((await listed(folderOf(series))).length, 9);
  const check = await run('sha256sum', ['-c', '--strict', 'manifest-sha256.txt'], { cwd: folderOf(series) });
  assert.equal(check.code, 0, check.stdout + check.stderr);
});

test('storage: below the floor of free space work is held, shown, and goes on', async (t) => {
  const rig = await rigWith(t, () => ({ freeSpace: '999999TB' }));
  const first = await rig.start();
  const { folder } = await phantom(join(rig.folder, 'mr'), { images: 3 });
  await sendTo(rig.orthanc, folder);
  const leg = await legWhen(rig, 'storage', ({ failure }) => failure !== undefined, 'it waits');
  assert.equal(leg.state, 'pending');
  assert.equal(leg.failure?.code, 'STORE_SPACE_FLOOR');
  assert.ok(leg.nextTry !== undefined);
  const { status, body } = await until(
    async () => {
      const health = await rig.health();
      return health.status === 503 ? health : undefined;
    },
    { what: 'it says so', timeoutMs: 60_000 },
  );
  assert.equal(status, 503);
  assert.match(JSON.stringify(body), /STORE_SPACE_FLOOR: .* free, and storing waits below/);
  await first.stop();
  await configure(rig, { freeSpace: '1kB' });
  await rig.start();
  const [series] = await settled(rig, 1, ['complete']);
  assert.ok(series !== undefined);
  assert.equal(await verifyStored(rig, series), 3);
  // what waits is looked up every few seconds
  await until(async () => (await rig.health()).status === 200, {
    what: 'it is well again',
    timeoutMs: 30_000,
  });
});

test('storage: a project with its own root and layout, modes, and series.tar that grows', async (t) => {
  const rig = await rigWith(t, (folder) => ({
    layout: 'bids-sourcedata',
    extension: 'IMA',
    fileMode: '0640',
    folderMode: '0750',
    tar: true,
    projects: { '3010000.*': { root: join(folder, 'fast') } },
  }));
  const root = join(rig.folder, 'fast');
  await mkdir(root);
  await rig.start();
  const { files } = await phantom(join(rig.folder, 'mr'), { images: 4, seriesNumber: 7 });
  const late = files.pop() ?? '';
  await sendTo(rig.orthanc, ...files);
  const [series] = await settled(rig, 1, ['complete']);
  assert.ok(series !== undefined);
  const folder = folderOf(series);
  assert.equal(folder, join(root, '3010000.01/sourcedata/sub-001/ses-mri01/007-phantom_mr'));
  const before = await written(folder);
  assert.deepEqual(
    await listed(folder),
    [...before.instances.map(({ file }) => file), 'manifest-sha256.txt'].sort(),
  );
  assert.equal(((await stat(folder)).mode & 0o7777).toString(8), '750');
  for (const name of await readdir(folder))
    assert.equal(((await stat(join(folder, name))).mode & 0o7777).toString(8), '640', name);
  for (const { file } of before.instances) assert.match(file, /\.IMA$/);
  await sendTo(rig.orthanc, late);
  await until(async () => ((await written(folder)).instances.length === 4 ? true : undefined), {
    what: 'the late image is recorded',
    timeoutMs: 60_000,
  });
  await settled(rig, 1, ['complete']);
  const after = await written(folder);
  assert.notEqual(after.archive?.sha256, before.archive?.sha256);
  assert.equal((await listed(folder)).length, 5);
  const check = await run('sha256sum', ['-c', '--strict', 'manifest-sha256.txt'], { cwd: folder });
  assert.equal(check.code, 0, check.stderr);
  assert.match(check.stdout, /^series\.tar: OK$/m);
});

/** Names in series.tar, without its folder. */
async function listed(folder: string): Promise<string[]> {
  const { code, stdout, stderr } = await run('tar', ['-tf', 'series.tar'], { cwd: folder });
  assert.equal(code, 0, stderr);
  return stdout
    .trimEnd()
    .split('\n')
    .map((name) => name.replace(/^[^/]*\//, ''))
    .sort();
}

test('storage: series.json says where it all came from', async (t) => {
  const rig = await makeRig(t);
  await rig.book(bookingRecord({ accessionNumber: 'ACC2', operator: 'somebody' }));
  await rig.start();
  const { files } = await phantom(join(rig.folder, 'mr'), {
    images: 3,
    accession: 'ACC2',
    patientId: '3010000.02_sub-007',
  });
  const late = files.pop() ?? '';
  await sendTo(rig.orthanc, ...files);
  const [series] = await settled(rig, 1, ['complete']);
  assert.ok(series !== undefined);
  const folder = folderOf(series);
  await sendTo(rig.orthanc, late);
  const record = await until(
    async () => {
      const now = await written(folder);
      return now.instances.length === 3 ? now : undefined;
    },
    { what: 'the late image is recorded', timeoutMs: 60_000 },
  );
  assert.equal(record.routedBy, 'accession');
  assert.deepEqual(record.booking, {
    accessionNumber: 'ACC2',
    studyInstanceUid: bookingRecord({ accessionNumber: 'ACC2' }).studyInstanceUid,
    status: 'scheduled',
    scanner: 'prisma',
    start: '2026-11-22T09:00:00Z',
    end: '2026-11-22T10:00:00Z',
    calendar: 'prisma',
    event: 'a@b',
    operator: 'somebody',
  });
  const { provenance } = record;
  assert.match(provenance.scanflow, /^\d+\.\d+\.\d+/);
  const system = (await rig.orthanc.get('/system')) as { Version: string };
  assert.equal(provenance.orthanc, system.Version);
  assert.deepEqual(
    provenance.increments.map(({ increment, images }) => [increment, images]),
    [
      [1, 2],
      [2, 1],
    ],
  );
  for (const one of provenance.increments) {
    assert.equal(one['from'], 'SCANNER');
    const [received, stored] = [one['received'], one['stored']].map((time) =>
      Temporal.Instant.from(String(time)),
    );
    assert.ok(received !== undefined && stored !== undefined);
    assert.ok(Temporal.Instant.compare(received, stored) <= 0);
  }
});
