import assert from 'node:assert/strict';
import {
  chmod,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  symlink,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  encodeBookingRecord,
  encodeExamRecord,
  type BookingRecord,
  type ExamRecord,
} from '@scanflow/booking';
import { writeFileAtomic } from '@scanflow/runtime';
import { bookingRecord } from '@scanflow/testkit/events';
import { examRecord } from '@scanflow/testkit';
import {
  acceptRemovals,
  bookingFiles,
  examFiles,
  readRejected,
  RecordWatch,
  takeAcceptance,
  type RecordFiles,
} from './index.ts';

const booking = (accessionNumber: string, more: Partial<BookingRecord> = {}): BookingRecord =>
  bookingRecord({ accessionNumber, studyInstanceUid: '2.25.1', ...more });

const exam = (sopInstanceUid: string, more: Partial<ExamRecord> = {}): ExamRecord =>
  examRecord({
    sopInstanceUid,
    attributes: { '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Secret' }] } },
    ...more,
  });

interface Place {
  readonly folder: string;
  readonly put: (name: string, text: string) => Promise<void>;
  readonly reports: string[];
  readonly onDamaged: (file: string, reason: string) => void;
}

async function place(t: TestContext): Promise<Place> {
  const base = await mkdtemp(join(tmpdir(), 'scanflow-records-'));
  t.after(() => rm(base, { recursive: true, force: true }));
  const folder = join(base, 'records');
  const reports: string[] = [];
  return {
    folder,
    put: async (name, text) => {
      await mkdir(folder, { recursive: true });
      await writeFileAtomic(join(folder, name), text);
    },
    reports,
    onDamaged: (file, reason) => void reports.push(`${file}: ${reason}`),
  };
}

async function allOf<T>(files: RecordFiles<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const record of files.all()) found.push(record);
  return found;
}

test('records: a folder that does not exist yet holds none', async (t) => {
  const { folder } = await place(t);
  const files = bookingFiles(folder);
  assert.deepEqual([await files.keys(), await files.read('A1'), await allOf(files)], [[], undefined, []]);
  assert.deepEqual(await readRejected(folder), []);
});

test('records: damaged files are reported without their text and cost no other record', async (t) => {
  const { folder, put, reports, onDamaged } = await place(t);
  await put('A1.json', encodeBookingRecord(booking('A1')));
  await put('A2.json', '{"patientName": Secret');
  await put('A3.json', encodeBookingRecord(booking('A4')));
  await put('A5.json', `${' '.repeat(1_048_577)}{}`);
  await mkdir(join(folder, 'A6.json'));
  await put('rejected.json', '{"version":1,"rejected":[{"calendar":"p","uid":"a"}]}');
  await put('.A7.json.1.abcdefabcdef.tmp', 'half');
  await put('no accession.json', 'x');
  await put('A8.txt', 'x');
  const files = bookingFiles(folder, { onDamaged });
  assert.deepEqual(
    (await allOf(files)).map(({ accessionNumber }) => accessionNumber),
    ['A1'],
  );
  assert.deepEqual(reports, [
    'A2.json: not JSON: SyntaxError',
    'A3.json: holds another record than its name says',
    'A5.json: larger than 1048576 bytes',
    'A6.json: EISDIR',
  ]);
  assert.deepEqual(await readRejected(folder), [{ calendar: 'p', uid: 'a' }]);
});

test('records: a key that leads out of the folder has no record', async (t) => {
  const { folder, put } = await place(t);
  await put('A1.json', encodeBookingRecord(booking('A1')));
  await writeFile(join(folder, '..', 'A2.json'), encodeBookingRecord(booking('../A2')));
  for (const key of ['../A2', 'x/../A1', '', 'rejected', '.']) {
    assert.equal(await bookingFiles(folder).read(key), undefined, key);
    assert.equal(await examFiles(folder).read(key), undefined, key);
  }
});

test('records: the file of an accession number in other letters is no damage', async (t) => {
  const { folder, put, reports, onDamaged } = await place(t);
  await put('A1.json', encodeBookingRecord(booking('A1')));
  // as a file system answers that folds case
  await symlink('A1.json', join(folder, 'a1.json')).catch(() => undefined);
  assert.equal(await bookingFiles(folder, { onDamaged }).read('a1'), undefined);
  assert.deepEqual(reports, []);
});

test('records: a file that the system withholds is damaged, or fails the read', async (t) => {
  const { folder, put, reports, onDamaged } = await place(t);
  await put('A1.json', encodeBookingRecord(booking('A1')));
  await unlink(join(folder, 'A1.json'));
  await symlink('A1.json', join(folder, 'A1.json'));
  assert.equal(await bookingFiles(folder, { onDamaged }).read('A1'), undefined);
  assert.deepEqual(reports, ['A1.json: ELOOP']);
  await assert.rejects(bookingFiles(folder, { onSystemError: 'throw' }).read('A1'), { code: 'ELOOP' });
});

test('records: a large exam is read up to its attributes, or as a whole where its series are many', async (t) => {
  const { folder, put, reports, onDamaged } = await place(t);
  const attributes = {
    '00400340': { vr: 'SQ', Value: Array.from({ length: 20_000 }, (_, i) => `1.2.${i}`) },
  };
  const description = 'a ,"attributes":{ in a text';
  const one = { seriesInstanceUid: '1.9', description, images: 3, others: 1 };
  const many = Array.from({ length: 800 }, () => ({ ...one, description: 'ü'.repeat(64) }));
  const exams = [exam('1.1', { attributes, series: [one] }), exam('1.2', { attributes, series: many })];
  for (const each of exams) await put(`${each.sopInstanceUid}.json`, encodeExamRecord(each));
  const summaries = exams.map(({ attributes: _, ...summary }) => summary);
  assert.deepEqual(await allOf(examFiles(folder, { onDamaged })), summaries);
  assert.deepEqual(reports, []);
});

test('acceptance: what a person accepted counts once, for that calendar alone', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-accept-'));
  t.after(() => rm(folder, { recursive: true }));
  await acceptRemovals(folder, 'prisma');
  assert.equal(await takeAcceptance(folder, 'skyra'), false);
  assert.equal(await takeAcceptance(folder, 'prisma'), true);
  assert.equal(await takeAcceptance(folder, 'prisma'), false);
});

test('watch: what came, went or was replaced, and nothing else', async (t) => {
  const { folder, put, reports, onDamaged } = await place(t);
  const watch = new RecordWatch(examFiles(folder, { onDamaged }), ({ state }) => state, { replaced: true });
  const none = { changed: false, read: [] };
  assert.deepEqual(await watch.look(), none);
  await put('1.1.json', encodeExamRecord(exam('1.1', { state: 'IN PROGRESS' })));
  await put('1.2.json', '{');
  assert.deepEqual(await watch.look(), { changed: true, read: ['IN PROGRESS'] });
  assert.deepEqual(await watch.look(), none);
  await put('1.1.json', encodeExamRecord(exam('1.1')));
  assert.deepEqual(await watch.look(), { changed: true, read: ['COMPLETED'] });
  assert.deepEqual([watch.values(), watch.size], [['COMPLETED'], 2]);
  await unlink(join(folder, '1.1.json'));
  assert.deepEqual(await watch.look(), { changed: true, read: [] });
  assert.deepEqual(watch.values(), []);
  assert.deepEqual(reports, ['1.2.json: not JSON: SyntaxError'], 'once');
  await put('1.1.json', encodeExamRecord(exam('1.1')));
  await watch.look();
  await rename(folder, `${folder}-away`);
  assert.deepEqual(await watch.look(), none);
  assert.deepEqual(watch.values(), ['COMPLETED'], 'a volume that drops out takes nothing away');
  await rename(`${folder}-away`, folder);
});

test('watch: records that never change are read once; a damaged one is read when it is whole', async (t) => {
  const { folder, put, reports, onDamaged } = await place(t);
  const watch = new RecordWatch(bookingFiles(folder, { onDamaged }), ({ labels }) => labels.subject, {
    replaced: false,
  });
  await put('A1.json', encodeBookingRecord(booking('A1')));
  await put('A2.json', '');
  assert.deepEqual((await watch.look()).read, ['s1']);
  const other = { labels: { project: 'p', subject: 's2', session: '1' } };
  await put('A1.json', encodeBookingRecord(booking('A1', other)));
  await put('A2.json', encodeBookingRecord(booking('A2', other)));
  assert.deepEqual((await watch.look()).read, ['s2']);
  assert.deepEqual([watch.values(), reports.length], [['s1', 's2'], 1]);
});

test('watch: two looks at once both see a folder that nobody changed for long', async (t) => {
  const { folder, put } = await place(t);
  for (const key of ['A1', 'A2']) await put(`${key}.json`, encodeBookingRecord(booking(key)));
  await utimes(folder, 1_700_000_000, 1_700_000_000);
  const watch = new RecordWatch(bookingFiles(folder), () => 1, { replaced: false });
  const [first, second] = await Promise.all([
    watch.look().then(() => watch.size),
    watch.look().then(() => watch.size),
  ]);
  assert.deepEqual([first, second], [2, 2]);
});

const asRoot = process.getuid?.() === 0;
test('watch: a file that the system withholds is read again', { skip: asRoot }, async (t) => {
  const { folder, put, reports, onDamaged } = await place(t);
  await put('1.1.json', encodeExamRecord(exam('1.1')));
  await put('1.2.json', encodeExamRecord(exam('1.2')));
  const text = await readFile(join(folder, '1.2.json'), 'utf8');
  // a link leads to a file whose volume is away, and stat() finds it all the same
  const withheld = join(folder, '..', 'withheld');
  await writeFile(withheld, text);
  await unlink(join(folder, '1.2.json'));
  await symlink(withheld, join(folder, '1.2.json'));
  await chmod(withheld, 0);
  await utimes(folder, 1_700_000_000, 1_700_000_000);
  const watch = new RecordWatch(examFiles(folder, { onDamaged }), ({ sopInstanceUid }) => sopInstanceUid, {
    replaced: true,
  });
  await watch.look();
  await watch.look();
  assert.deepEqual([watch.values(), reports], [['1.1'], ['1.2.json: EACCES']]);
  await chmod(withheld, 0o600);
  assert.deepEqual((await watch.look()).read, ['1.2']);
});

test('watch: a look that fails loses no record, and gives none twice', async (t) => {
  const { folder, put } = await place(t);
  await put('A1.json', encodeBookingRecord(booking('A1')));
  await put('A2.json', encodeBookingRecord(booking('A2')));
  await symlink(folder, join(folder, 'A3.json'));
  const given: string[] = [];
  const keep = ({ accessionNumber }: BookingRecord): string => {
    given.push(accessionNumber);
    return accessionNumber;
  };
  const files = bookingFiles(folder, { onSystemError: 'throw' });
  const watch = new RecordWatch(files, keep, { replaced: false });
  await assert.rejects(watch.look(), { code: 'EISDIR' });
  await unlink(join(folder, 'A3.json'));
  assert.deepEqual(await watch.look(), { changed: true, read: ['A1', 'A2'] });
  assert.deepEqual(given, ['A1', 'A2']);
});
