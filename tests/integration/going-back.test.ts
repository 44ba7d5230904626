/**
 * An update from 0.1.0 and the way back, as docs/releases.md describes it: 0.1.0's own code, from the history, goes on
 * with its bookings and its storage.
 */
import assert from 'node:assert/strict';
import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { parseBookingRecord, type BookingRecord } from '@scanflow/booking';
import { makeCalendar, startProgram, startScriptedScp, until, type Program } from '@scanflow/testkit';
import { soon } from './cal2wl-support.ts';
import { scanflow } from './streamer-loss-support.ts';
import { caughtUp, makeRig, phantom, scratch, sendTo, type Rig, type Series } from './streamer-support.ts';

const ROOT = join(import.meta.dirname, '../..');
/** The last commit of 0.1.0. */
const OLD = 'a093fc9e';
const git = (...args: string[]): SpawnSyncReturns<Buffer> =>
  spawnSync('git', args, { cwd: ROOT, encoding: 'buffer', maxBuffer: 64_000_000, timeout: 60_000 });
const isThere = git('cat-file', '-e', `${OLD}^{commit}`).status === 0;
if (!isThere) console.error('THE HISTORY HOLDS NO 0.1.0 (A SHALLOW CLONE?): NOTHING WENT BACK TO IT HERE');

/** The code of then on the libraries of today: they have the same versions. tsdav, which is gone, served CalDAV alone. */
async function checkout(folder: string): Promise<string> {
  const old = join(folder, '0.1.0');
  const modules = join(old, 'node_modules');
  await mkdir(join(modules, '@scanflow'), { recursive: true });
  const { stdout } = git('archive', OLD, 'package.json', 'packages', 'services');
  const unpacked = spawnSync('tar', ['-x', '-C', old], { input: stdout, timeout: 60_000 });
  assert.equal(unpacked.status, 0, String(unpacked.stderr));
  for (const name of await readdir(join(ROOT, 'node_modules')))
    if (name !== '@scanflow' && !name.startsWith('.'))
      await symlink(join(ROOT, 'node_modules', name), join(modules, name));
  for (const name of await readdir(join(old, 'packages')))
    await symlink(join(old, 'packages', name), join(modules, '@scanflow', name));
  await mkdir(join(modules, 'tsdav'));
  const nothing = 'export const calendarMultiGet = 0, calendarQuery = 0, propfind = 0;';
  await writeFile(join(modules, 'tsdav/index.mjs'), nothing);
  await writeFile(join(modules, 'tsdav/package.json'), '{ "name": "tsdav", "exports": "./index.mjs" }');
  return old;
}

/** One data folder, storage and Orthanc, under one version at a time. */
interface Place {
  readonly rig: Rig;
  readonly old: string;
  /** How often the destination got each image. */
  readonly sent: () => ReadonlyMap<string, number>;
  readonly run: (version: string) => Promise<void>;
  readonly stop: () => Promise<void>;
  /** Puts these into the calendar, and waits until each is published. By UID. */
  readonly book: (...uids: string[]) => Promise<ReadonlyMap<string, BookingRecord>>;
}

/** 0.1.0 cuts the session of these to `ses-mri`. */
const CUT = ['002', '005'];

async function place(t: TestContext): Promise<Place> {
  let running: Program[] = [];
  // before the folders go: hooks run in their order, and none after one that throws
  t.after(async () => {
    if (!t.passed) for (const one of running) t.diagnostic(one.output());
    await Promise.all(running.map((one) => one.stop('SIGKILL')));
  });
  const pacs = await startScriptedScp();
  t.after(() => pacs.close());
  const feed = join(await scratch(t), 'prisma.ics');
  const extra = { calendars: { prisma: { file: feed, scanner: 'prisma' } }, bookings: { every: '1s' } };
  const rig = await makeRig(t, { destinations: { pacs: pacs.port }, extra });
  const stop = async (): Promise<void> => {
    await Promise.all(running.map((one) => one.stop()));
  };
  const sent = (): ReadonlyMap<string, number> => {
    const counts = new Map<string, number>();
    for (const uid of pacs.requests) counts.set(uid, (counts.get(uid) ?? 0) + 1);
    return counts;
  };
  return {
    rig,
    old: await checkout(rig.folder),
    sent,
    run: async (version) => {
      const main = (name: string): string => join(version, 'services', name, 'src/main.ts');
      running = await Promise.all(
        ['cal2wl', 'streamer'].map((name) =>
          startProgram(process.execPath, [main(name), '--config', rig.configFile]),
        ),
      );
    },
    stop,
    book: async (...uids) => {
      const summary = (uid: string): string =>
        `3010000.01 sub-${uid} ses-mri${CUT.includes(uid) ? '-' : ''}01`;
      const events = uids.map((uid) => soon(uid, Number(uid) - 1, { summary: summary(uid) }));
      await writeFile(feed, makeCalendar(events));
      return published(rig, uids.length);
    },
  };
}

async function published({ data }: Rig, count: number): Promise<ReadonlyMap<string, BookingRecord>> {
  const [folder, worklist] = [join(data, 'bookings'), join(data, 'worklist/SCANFLOW')];
  const filesIn = (path: string, form: RegExp): Promise<string[]> =>
    readdir(path).then(
      (names) => names.filter((name) => form.test(name)),
      () => [],
    );
  const numbers = await until(
    async () => {
      const items = await filesIn(worklist, /\.wl$/);
      return items.length === count && items.map((name) => basename(name, '.wl'));
    },
    { what: `${count} items on the worklist`, timeoutMs: 30_000 },
  );
  const found = new Map<string, BookingRecord>();
  for (const number of numbers) {
    const parsed = parseBookingRecord(await readFile(join(folder, `${number}.json`), 'utf8'));
    assert.ok(parsed.ok);
    found.set(parsed.record.source.uid, parsed.record);
  }
  return found;
}

/** What a scanner makes of a worklist item. */
async function scan(
  { folder }: Rig,
  bookings: ReadonlyMap<string, BookingRecord>,
  uid: string,
  { images = 2, seriesNumber = 1 } = {},
): Promise<string[]> {
  const booking = bookings.get(uid);
  assert.ok(booking);
  const { accessionNumber: accession, studyInstanceUid, patientId, labels } = booking;
  const at = join(folder, `${uid}-${seriesNumber}`);
  const from = { accession, studyInstanceUid, patientId, studyId: labels.session };
  return (await phantom(at, { images, seriesNumber, ...from })).files;
}

const uidOf = (file: string): string => basename(file, '.dcm');

async function done({ rig }: Place, images: number, states = ['complete']): Promise<Series[]> {
  let last: Series[] = [];
  return until(
    async () => {
      if (!(await caughtUp(rig).catch(() => false))) return false;
      last = await rig.series();
      const inOrthanc = last.reduce((sum, one) => sum + one.images.inOrthanc, 0);
      return inOrthanc === images && last.every(({ state }) => states.includes(state)) && last;
    },
    { what: `${images} images in series that are ${states.join(' or ')}`, timeoutMs: 30_000 },
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${JSON.stringify(last, null, 1)}`);
  });
}

/** Folder of each image on storage, by its UID; an image that lies there twice is an error. */
async function stored({ root }: Rig): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const name of (await readdir(root, { recursive: true })).filter((one) => one.endsWith('.dcm'))) {
    const uid = basename(name, '.dcm').replace(/^\d+_/, '');
    assert.equal(found.get(uid), undefined, `${uid} is stored twice`);
    found.set(uid, name.slice(0, name.lastIndexOf('/')).replace(/-phantom.*/, ''));
  }
  return found;
}

const numbersOf = (bookings: ReadonlyMap<string, BookingRecord>, ...uids: string[]): unknown[] =>
  uids.map((uid) => [bookings.get(uid)?.accessionNumber, bookings.get(uid)?.studyInstanceUid]);

/** Labels that 0.1.0 cuts: a series that the new version stored under the whole one goes where 0.1.0 looks for it. */
async function moveBack(all: Place, series: readonly Series[]): Promise<void> {
  const { rig } = all;
  const pathOf = (one: Series | undefined): string => one?.legs[0]?.path ?? '';
  const id = series.find((one) => pathOf(one).includes('sub-002/ses-mri-01'))?.id ?? '';
  const labels = ['--project', '3010000.01', '--subject', 'sub-002', '--session', 'ses-mri'];
  const why = ['--reason', 'back to 0.1.0', '--yes', '--config', rig.configFile];
  const moved = await scanflow('series', 'move', id, ...labels, ...why);
  assert.equal(moved.code, 0, moved.stderr);
  const isThere = async (): Promise<boolean> =>
    (await rig.series()).some((one) => one.id === id && pathOf(one).includes('sub-002/ses-mri/'));
  await until(isThere, { what: 'the series is moved', timeoutMs: 30_000 });
}

test(
  'going back to 0.1.0: bookings keep their numbers, no image is stored twice',
  { skip: !isThere },
  async (t) => {
    const all = await place(t);
    const { rig, old, sent } = all;
    const send = (...files: string[]): Promise<void> => sendTo(rig.orthanc, ...files);

    // a facility with 0.1.0
    await all.run(old);
    const first = await all.book('001', '002');
    const [late = '', ...early] = await scan(rig, first, '001', { images: 4 });
    const earlier = await scan(rig, first, '002', { images: 3 });
    await send(...early, ...earlier);
    await done(all, 6);
    await all.stop();
    await cp(rig.data, join(rig.folder, 'copy'), { recursive: true, preserveTimestamps: true });

    // the update, and a day with it
    await all.run(ROOT);
    const then = await all.book('001', '002', '003', '005');
    assert.deepEqual(numbersOf(then, '001', '002'), numbersOf(first, '001', '002'));
    const [plain, again, cut] = [
      await scan(rig, then, '003'),
      await scan(rig, then, '002', { seriesNumber: 2 }),
      await scan(rig, then, '005'),
    ];
    await send(late, ...plain, ...again, ...cut);
    await moveBack(all, await done(all, 13));
    await all.stop();
    const before = await stored(rig);
    assert.equal(before.size, 13);

    // the way back
    await rm(rig.data, { recursive: true });
    await cp(join(rig.folder, 'copy'), rig.data, { recursive: true, preserveTimestamps: true });
    await all.run(old);
    const now = await all.book('001', '002', '003', '004', '005');
    assert.deepEqual(numbersOf(now, '001', '002', '003'), numbersOf(then, '001', '002', '003'));
    assert.notDeepEqual(numbersOf(now, '005'), numbersOf(then, '005'));
    const after = await scan(rig, now, '004');
    await send(...after);
    const series = await done(all, 15, ['complete', 'quarantined']);
    const waiting = series.filter(({ state }) => state === 'quarantined');
    assert.deepEqual(
      waiting.map(({ reasonCode, images }) => [reasonCode, images.inOrthanc]),
      [['ROUTE_NO_MATCH', cut.length]],
    );
    const folders = await stored(rig);
    for (const [uid, folder] of before) assert.equal(folders.get(uid), folder);
    for (const file of after) assert.equal(folders.get(uidOf(file)), '3010000.01/raw/sub-004/ses-mri01/001');
    assert.equal(folders.size, before.size + after.length);
    // it knows nothing of what was sent since the copy
    for (const file of [late, ...plain, ...again]) assert.equal(sent().get(uidOf(file)), 2);
    for (const file of [...early, ...earlier, ...cut, ...after]) assert.equal(sent().get(uidOf(file)), 1);
    await all.stop();

    // a second update: the copy did not have the name of this installation
    await all.run(ROOT);
    const health = await until(
      async () => {
        const answer = await rig.health().catch(() => undefined);
        const storage = String(answer?.body['storage']);
        return storage.startsWith('STORE_ROOT') && storage;
      },
      { what: 'the root is judged', timeoutMs: 30_000 },
    );
    assert.match(health, /^STORE_ROOT_OTHER: .*scanflow storage take /);
  },
);
