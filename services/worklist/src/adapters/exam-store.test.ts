import assert from 'node:assert/strict';
import files, {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { encodeExamRecord, parseExamRecord, type ExamRecord } from '@scanflow/booking';
import { examRecord } from '@scanflow/testkit';
import { FullError, openExamStore, type ExamStore } from './exam-store.ts';

async function scratch(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'performed-'));
  t.after(async () => {
    await chmod(folder, 0o700);
    await rm(folder, { recursive: true, force: true });
  });
  return folder;
}
const record = (sopInstanceUid: string, change: Partial<ExamRecord> = {}): ExamRecord => {
  const at = Temporal.Now.instant().toString({ smallestUnit: 'second' });
  return examRecord({
    sopInstanceUid,
    state: 'IN PROGRESS',
    created: at,
    updated: at,
    attributes: { '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Secret' }] } },
    ...change,
  });
};
const write = (store: ExamStore, { attributes, ...summary }: ExamRecord): Promise<void> =>
  store.write(summary, Buffer.from(JSON.stringify(attributes)));
const countedAs = (callingAet: string): string => callingAet;
function problems() {
  const told: string[] = [];
  return { told, onProblem: (file: string, reason: string) => void told.push(`${file}: ${reason}`) };
}

test('store: what was written is there after opening it again, and only our group may read it', async (t) => {
  const folder = join(await scratch(t), 'performed');
  const { told, onProblem } = problems();
  const store = await openExamStore({ countedAs, folder, onProblem });
  await write(store, record('1.2'));
  await write(store, record('1.2', { state: 'COMPLETED' }));
  const again = await openExamStore({ countedAs, folder, onProblem });
  assert.equal(again.summaries().get('1.2')?.state, 'COMPLETED');
  assert.deepEqual(await again.read('1.2'), await store.read('1.2'));
  assert.equal('attributes' in (again.summaries().get('1.2') ?? {}), false, 'not kept in memory');
  assert.deepEqual(await readdir(folder), ['1.2.json']);
  assert.equal((await stat(join(folder, '1.2.json'))).mode & 0o007, 0);
  assert.equal(await again.read('1.3'), undefined);
  assert.deepEqual(told, []);
});

test('store: of a large record the summary is read from its head, whatever its texts say', async (t) => {
  const folder = await scratch(t);
  const { told, onProblem } = problems();
  const store = await openExamStore({ countedAs, folder, onProblem });
  const attributes = { '00081140': { vr: 'LO', Value: ['x'.repeat(100_000)] } };
  const description = 'a ,"attributes":{ in a text';
  const short = { seriesInstanceUid: '1.9', description, images: 3, others: 1 };
  const many = Array.from({ length: 400 }, () => ({ ...short, description: 'ü'.repeat(64) }));
  await write(store, record('1.1', { attributes, series: [short] }));
  await write(store, record('1.2', { attributes, series: many }));
  const again = await openExamStore({ countedAs, folder, onProblem });
  assert.deepEqual(again.summaries(), store.summaries());
  assert.deepEqual(parseExamRecord(Buffer.from((await again.read('1.1')) ?? []).toString()), {
    ok: true,
    record: record('1.1', { ...again.summaries().get('1.1'), attributes }),
  });
  assert.deepEqual(told, []);
});

test('store: what is no UID never becomes a file’s name', async (t) => {
  const folder = await scratch(t);
  const store = await openExamStore({ countedAs, folder, onProblem: () => undefined });
  for (const bad of ['../x', '1/2', '', '.', '..', '1..2', `1.${'2'.repeat(64)}`, '1.2\n'])
    await assert.rejects(write(store, record(bad)), RangeError, bad);
  assert.deepEqual(await readdir(folder), []);
});

test('store: files that are no records are told and cost no other; only old leftovers of a killed writer are removed', async (t) => {
  const folder = await scratch(t);
  await writeFile(join(folder, '1.1.json'), encodeExamRecord(record('1.1')));
  await writeFile(join(folder, '1.2.json'), '{');
  await writeFile(join(folder, '1.3.json'), encodeExamRecord(record('1.4')));
  await mkdir(join(folder, '1.5.json'));
  const [left, underWay] = ['.1.6.json.77.0123456789ab.tmp', '.1.7.json.78.0123456789ab.tmp'];
  for (const name of [left, underWay]) await writeFile(join(folder, name), '{');
  await utimes(join(folder, left), 1, 1);
  // by the clock of the process, which need not be the kernel's (tests/clocks)
  const now = Temporal.Now.instant().epochMilliseconds / 1000;
  await utimes(join(folder, underWay), now, now);
  await writeFile(join(folder, 'notes.txt'), 'x');
  const { told, onProblem } = problems();
  const store = await openExamStore({ countedAs, folder, onProblem });
  assert.deepEqual([...store.summaries().keys()], ['1.1']);
  assert.deepEqual(told.map((line) => line.split(':')[0]).sort(), ['1.2.json', '1.3.json', '1.5.json']);
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.endsWith('.tmp')),
    [underWay],
    'another worklist may write at this moment',
  );
  await store.lookAtAll();
  assert.equal(told.length, 3, 'each is told once');
});

test('store: what another worklist writes or removes in the folder is taken over', async (t) => {
  const folder = await scratch(t);
  const options = { countedAs, folder, onProblem: () => undefined };
  const [one, other] = [await openExamStore(options), await openExamStore(options)];
  await write(one, record('1.1'));
  assert.equal(other.summaries().size, 0);
  await other.look('1.1');
  assert.equal(other.summaries().get('1.1')?.state, 'IN PROGRESS');
  await write(other, record('1.1', { state: 'COMPLETED', updated: '2026-01-02T00:00:00Z' }));
  await write(other, record('1.2'));
  assert.equal(await one.lookAtAll(), true);
  assert.deepEqual(
    [...one.summaries().values()].map(({ state }) => state),
    ['COMPLETED', 'IN PROGRESS'],
  );
  assert.equal(await one.lookAtAll(), false, 'nothing new');
  await unlink(join(folder, '1.2.json'));
  assert.equal(await one.lookAtAll(), true);
  assert.deepEqual([...one.summaries().keys()], ['1.1']);
});

test('store: what another worklist wrote is new once, also within a second, and where a request looked first', async (t) => {
  const folder = await scratch(t);
  const options = { countedAs, folder, onProblem: () => undefined };
  const [one, other] = [await openExamStore(options), await openExamStore(options)];
  const first = record('1.1', { updated: '2026-01-02T00:00:00Z' });
  await write(one, first);
  assert.equal(await one.lookAtAll(), false, 'its own');
  await write(one, first);
  await write(other, { ...first, state: 'COMPLETED' });
  assert.equal(await one.lookAtAll(), true, 'in the same second');
  await write(other, { ...first, state: 'DISCONTINUED' });
  await one.look('1.1');
  assert.equal(await one.lookAtAll(), true, 'a request looked first');
  assert.equal(await one.lookAtAll(), false);
});

test('store: an exam is created once, by whichever worklist is first', async (t) => {
  const folder = await scratch(t);
  const options = { countedAs, folder, onProblem: () => undefined };
  const stores = [await openExamStore(options), await openExamStore(options)];
  const { attributes, ...summary } = record('1.1');
  const bytes = Buffer.from(JSON.stringify(attributes));
  const made = await Promise.all(stores.map((store) => store.create(summary, bytes)));
  assert.deepEqual(made.toSorted(), [false, true]);
});

test('store: an exam is created where the file system has no hard links, too', async (t) => {
  const folder = await scratch(t);
  const store = await openExamStore({ countedAs, folder, onProblem: () => undefined });
  const { attributes, ...summary } = record('1.1');
  const linked = t.mock.method(files, 'link', () =>
    Promise.reject(Object.assign(new Error('link'), { code: 'EOPNOTSUPP' })),
  );
  syncBuiltinESMExports();
  t.after(() => {
    linked.mock.restore();
    syncBuiltinESMExports();
  });
  assert.equal(await store.create(summary, Buffer.from(JSON.stringify(attributes))), true);
  assert.equal(linked.mock.callCount(), 1);
  assert.deepEqual(await readdir(folder), ['1.1.json']);
  const again = await openExamStore({ countedAs, folder, onProblem: () => undefined });
  assert.deepEqual(again.summaries(), store.summaries());
});

test('store: a file that holds no record bars nobody from reporting that exam', async (t) => {
  const folder = await scratch(t);
  await writeFile(join(folder, '1.2.json'), '{');
  const store = await openExamStore({ countedAs, folder, onProblem: () => undefined });
  const { attributes, ...summary } = record('1.2');
  assert.equal(await store.create(summary, Buffer.from(JSON.stringify(attributes))), true);
  assert.equal(await store.create(summary, Buffer.from(JSON.stringify(attributes))), false);
  const again = await openExamStore({ countedAs, folder, onProblem: () => undefined });
  assert.equal(again.summaries().get('1.2')?.state, 'IN PROGRESS');
});

test('store: a folder that is away takes nothing from what is known', async (t) => {
  const folder = join(await scratch(t), 'performed');
  const store = await openExamStore({ countedAs, folder, onProblem: () => undefined });
  await write(store, record('1.1'));
  await rm(folder, { recursive: true });
  assert.equal(await store.lookAtAll(), false);
  await mkdir(folder);
  assert.equal(await store.lookAtAll(), false, 'not mounted');
  assert.deepEqual([...store.summaries().keys()], ['1.1']);
});

test('store: the oldest that is done makes room; running ones do not', async (t) => {
  const folder = await scratch(t);
  const store = await openExamStore({ countedAs, folder, capacity: 3, onProblem: () => undefined });
  await write(store, record('1.1'));
  await write(store, record('1.2', { state: 'COMPLETED', updated: '2026-01-02T00:00:00Z' }));
  await write(store, record('1.3', { state: 'DISCONTINUED', updated: '2026-01-01T00:00:00Z' }));
  await write(store, record('1.4'));
  assert.deepEqual([...store.summaries().keys()], ['1.1', '1.2', '1.4']);
  await write(store, record('1.5'));
  assert.deepEqual((await readdir(folder)).sort(), ['1.1.json', '1.4.json', '1.5.json']);
  await assert.rejects(write(store, record('1.6')), FullError);
  await write(store, record('1.1', { state: 'COMPLETED' }));
  assert.equal(store.summaries().get('1.1')?.state, 'COMPLETED', 'a known one needs no room');
});

test('store: a caller that fills its own quota, in number or in bytes, costs no other caller anything', async (t) => {
  const folder = await scratch(t);
  const quota = { capacity: 3, capacityBytes: 4_000 };
  const store = await openExamStore({ countedAs, folder, ...quota, onProblem: () => undefined });
  const other = (uid: string): ExamRecord => record(uid, { callingAet: 'SKYRA' });
  await write(store, record('1.1', { state: 'COMPLETED' }));
  for (const uid of ['2.1', '2.2', '2.3']) await write(store, other(uid));
  await assert.rejects(write(store, other('2.4')), FullError);
  assert.equal(store.summaries().has('1.1'), true);
  await write(store, record('1.2'));
  const attributes = { '00081140': { vr: 'LO', Value: ['x'.repeat(4_000)] } };
  await assert.rejects(write(store, record('1.3', { attributes })), FullError);
  assert.equal(store.summaries().get('1.2')?.state, 'IN PROGRESS');
  await write(store, record('1.4'));
  assert.equal((await readdir(folder)).length, store.summaries().size);
});

test('store: a write that fails changes nothing', { skip: process.getuid?.() === 0 }, async (t) => {
  const folder = await scratch(t);
  const store = await openExamStore({ countedAs, folder, onProblem: () => undefined });
  await write(store, record('1.1'));
  await chmod(folder, 0o500);
  await assert.rejects(write(store, record('1.1', { state: 'COMPLETED' })), { code: 'EACCES' });
  assert.equal(store.summaries().get('1.1')?.state, 'IN PROGRESS');
  assert.match(await readFile(join(folder, '1.1.json'), 'utf8'), /IN PROGRESS/);
});

test('store: a folder that cannot be made is told and empty, and a write to it rejects', async (t) => {
  const blocked = join(await scratch(t), 'file');
  await writeFile(blocked, '');
  const { told, onProblem } = problems();
  const store = await openExamStore({ countedAs, folder: join(blocked, 'performed'), onProblem });
  assert.equal(told.length, 1);
  assert.match(told[0] ?? '', /ENOTDIR/);
  await assert.rejects(write(store, record('1.1')), { code: 'ENOTDIR' });
});
