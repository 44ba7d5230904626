import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { defined } from '@scanflow/failure/defined';
import { dataSet, encodePart10, sopClasses, text, transferSyntaxes } from '@scanflow/dicom';
import type { Snapshot } from '../domain/snapshot.ts';
import { readFolder } from './folder.ts';

async function scratch(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'worklist-folder-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function wl(accession: string, uid = `2.25.${accession.charCodeAt(0)}${accession.length}`): Uint8Array {
  const item = dataSet({
    AccessionNumber: accession,
    PatientName: 'P',
    PatientID: 'P',
    StudyInstanceUID: uid,
    RequestedProcedureID: 'ses-mri01',
    ScheduledProcedureStepSequence: [
      {
        Modality: 'MR',
        ScheduledStationAETitle: 'PRISMA',
        ScheduledProcedureStepStartDate: '20261122',
        ScheduledProcedureStepStartTime: '093000',
        ScheduledProcedureStepID: 'S1',
      },
    ],
  });
  return encodePart10(item, {
    transferSyntax: transferSyntaxes.explicitVRLittleEndian,
    characterSet: 'ISO_IR 192',
    sopClassUid: sopClasses.modalityWorklistFind,
    sopInstanceUid: uid,
  });
}

const accessions = (snapshot: Snapshot): string[] =>
  snapshot.schedule.entries.map(({ accessionNumber }) => accessionNumber).sort();
const codes = (snapshot: Snapshot): string[] =>
  snapshot.problems.map(({ file, code, served }) => `${file} ${code}${served ? ' served' : ''}`).sort();

/** Long enough ago that a broken file is no longer taken for half-written. */
async function writeOld(path: string, bytes: Uint8Array | string, secondsAgo = 60): Promise<void> {
  await writeFile(path, bytes);
  const then = Temporal.Now.instant().epochMilliseconds / 1000 - secondsAgo;
  await utimes(path, then, then);
}

test('folder: reads its .wl files and nothing else', async (t) => {
  const folder = await scratch(t);
  await writeFile(join(folder, 'a.wl'), wl('A'));
  await writeFile(join(folder, 'b.wl'), wl('B'));
  await writeFile(join(folder, '.c.wl'), wl('C'));
  await writeFile(join(folder, '.d.wl.1.tmp'), wl('D'));
  await writeFile(join(folder, 'e.dump'), 'text');
  await writeFile(join(folder, 'lockfile'), '');
  const snapshot = await readFolder({ folder });
  assert.deepEqual(accessions(snapshot), ['A', 'B']);
  assert.deepEqual(codes(snapshot), []);
  assert.equal(snapshot.folder, 'present');
});

test('folder: one that does not exist is an empty worklist, and says so', async (t) => {
  const snapshot = await readFolder({ folder: join(await scratch(t), 'none') });
  assert.deepEqual(accessions(snapshot), []);
  assert.equal(snapshot.folder, 'missing');
});

test('folder: one that vanishes keeps the last worklist until it is back', async (t) => {
  const root = await scratch(t);
  const folder = join(root, 'share');
  await mkdir(folder);
  await writeFile(join(folder, 'a.wl'), wl('A'));
  const before = await readFolder({ folder });
  await rename(folder, join(root, 'away'));
  const gone = await readFolder({ folder }, before);
  assert.deepEqual(accessions(gone), ['A']);
  assert.equal(gone.folder, 'failed');
  assert.match(gone.failure ?? '', /ENOENT/);
  await rename(join(root, 'away'), folder);
  const back = await readFolder({ folder }, gone);
  assert.equal(back.folder, 'present');
  assert.equal(back.failure, undefined);
  assert.equal(back.opened, 0);
});

test('folder: opens only what changed', async (t) => {
  const folder = await scratch(t);
  for (const name of ['A', 'B', 'C']) await writeFile(join(folder, `${name}.wl`), wl(name));
  const first = await readFolder({ folder });
  assert.equal(first.opened, 3);
  const second = await readFolder({ folder }, first);
  assert.equal(second.opened, 0);
  await writeFile(join(folder, '.new'), wl('X', '2.25.99'));
  await rename(join(folder, '.new'), join(folder, 'B.wl'));
  await rm(join(folder, 'C.wl'));
  const third = await readFolder({ folder }, second);
  assert.equal(third.opened, 1);
  assert.deepEqual(accessions(third), ['A', 'X']);
  assert.deepEqual(accessions(second), ['A', 'B', 'C'], 'what was handed out before stays as it was');
});

test('folder: what is broken is reported by file and costs no other', async (t) => {
  const folder = await scratch(t);
  const whole = wl('H');
  await writeOld(join(folder, 'empty.wl'), '');
  await writeOld(join(folder, 'garbage.wl'), 'x'.repeat(2000));
  await writeOld(join(folder, 'half.wl'), whole.subarray(0, whole.length - 20));
  await writeOld(join(folder, 'large.wl'), new Uint8Array(3000));
  await writeFile(join(folder, 'good.wl'), wl('A'));
  await mkdir(join(folder, 'folder.wl'));
  await symlink('/nowhere/at/all', join(folder, 'dangling.wl'));
  await symlink('loop.wl', join(folder, 'loop.wl'));
  await promisify(execFile)('mkfifo', [join(folder, 'pipe.wl')]);
  const unscheduled = encodePart10(dataSet({ PatientID: 'P' }), {
    transferSyntax: transferSyntaxes.implicitVRLittleEndian,
    characterSet: 'ISO_IR 6',
    sopClassUid: sopClasses.modalityWorklistFind,
    sopInstanceUid: '2.25.1',
  });
  await writeOld(join(folder, 'unscheduled.wl'), unscheduled);
  const snapshot = await readFolder({ folder, maxFileSize: 2999 });
  assert.deepEqual(accessions(snapshot), ['A']);
  assert.deepEqual(codes(snapshot), [
    'empty.wl BROKEN',
    'folder.wl NOT_A_FILE',
    'garbage.wl BROKEN',
    'half.wl BROKEN',
    'large.wl TOO_LARGE',
    'loop.wl UNREADABLE',
    'pipe.wl NOT_A_FILE',
    'unscheduled.wl NOT_A_WORKLIST_ITEM',
  ]);
});

test('folder: a file in the middle of being written keeps its last good content and is read again', async (t) => {
  const folder = await scratch(t);
  const path = join(folder, 'a.wl');
  await writeFile(path, wl('A'));
  const good = await readFolder({ folder });
  await writeOld(path, wl('B').subarray(0, 200), 0);
  const half = await readFolder({ folder }, good);
  assert.deepEqual(accessions(half), ['A']);
  assert.deepEqual(codes(half), []);
  assert.equal(half.files.get('a.wl')?.unsettled, true);
  await writeFile(path, wl('B'));
  const whole = await readFolder({ folder }, half);
  assert.deepEqual(accessions(whole), ['B']);
  assert.equal(whole.files.get('a.wl')?.unsettled, false);
});

test('folder: a file that stays half-written is reported and no longer served', async (t) => {
  const folder = await scratch(t);
  await writeFile(join(folder, 'a.wl'), wl('A'));
  const good = await readFolder({ folder });
  await writeFile(join(folder, 'a.wl'), wl('B').subarray(0, 200));
  const half = await readFolder({ folder }, good);
  await utimes(join(folder, 'a.wl'), 1_700_000_000, 1_700_000_000);
  const stale = await readFolder({ folder }, half);
  assert.deepEqual(accessions(stale), []);
  assert.deepEqual(codes(stale), ['a.wl BROKEN']);
});

test('folder: of two files with the same step the newer is served and the other reported', async (t) => {
  const folder = await scratch(t);
  await writeOld(join(folder, 'a.wl'), wl('NEW', '2.25.5'), 10);
  await writeOld(join(folder, 'b.wl'), wl('OLD', '2.25.5'), 60);
  const snapshot = await readFolder({ folder });
  assert.deepEqual(accessions(snapshot), ['NEW']);
  assert.deepEqual(codes(snapshot), ['b.wl DUPLICATE']);
  await rm(join(folder, 'a.wl'));
  assert.deepEqual(accessions(await readFolder({ folder }, snapshot)), ['OLD']);
});

test('folder: an item that consoles would drop is served and reported by attribute, without its values', async (t) => {
  const folder = await scratch(t);
  const item = dataSet({
    PatientName: 'Secret',
    ScheduledProcedureStepSequence: [{ Modality: 'MR', ScheduledProcedureStepStartDate: '2026' }],
  });
  const bytes = encodePart10(item, {
    transferSyntax: transferSyntaxes.explicitVRLittleEndian,
    characterSet: 'ISO_IR 192',
    sopClassUid: sopClasses.modalityWorklistFind,
    sopInstanceUid: '2.25.1',
  });
  await writeOld(join(folder, 'a.wl'), bytes);
  const snapshot = await readFolder({ folder });
  assert.equal(snapshot.schedule.entries.length, 1);
  assert.deepEqual(codes(snapshot), ['a.wl INCOMPLETE served', 'a.wl MALFORMED served']);
  const message = snapshot.problems.map((problem) => problem.message).join('; ');
  for (const attribute of ['PatientID', 'StudyInstanceUID', 'ScheduledStationAETitle', 'StartDate (YYYYMMDD'])
    assert.ok(message.includes(attribute), message);
  assert.ok(!message.includes('Secret'));
});

/** A file whose name is bytes of our own, and whose (0008,0005) says nothing, or what it likes. */
function named(name: Uint8Array, declared = ''): Uint8Array {
  const plain = Buffer.from(wl('A'));
  const at = plain.indexOf(Buffer.from('PN\u0002\u0000P ', 'latin1'));
  assert.ok(at > 0);
  const length = Buffer.from([name.length + (name.length % 2), 0]);
  const padded = name.length % 2 === 1 ? Buffer.concat([name, Buffer.from(' ')]) : name;
  const whole = Buffer.concat([plain.subarray(0, at + 2), length, padded, plain.subarray(at + 6)]);
  // ISO_IR 192 as it is written by wl(), under an explicit VR
  const set = Buffer.from('ISO_IR 192', 'latin1');
  const setAt = whole.indexOf(set);
  return Buffer.concat([
    whole.subarray(0, setAt),
    Buffer.from(declared.padEnd(10, ' '), 'latin1'),
    whole.subarray(setAt + 10),
  ]);
}

const nameOf = (snapshot: Snapshot): string | undefined => {
  const [entry] = snapshot.schedule.entries;
  return entry && text(entry.item, 'PatientName');
};
const LATIN1 = Buffer.from('M\u00fcller^J\u00f6rg', 'latin1');
const UTF8 = Buffer.from('Müller^Jörg', 'utf8');
const assumptions: [string, Uint8Array, string, readonly string[] | undefined, string][] = [
  ['Latin-1 without a declaration', LATIN1, '', undefined, 'Müller^Jörg'],
  ['UTF-8 without a declaration', UTF8, '', undefined, 'Müller^Jörg'],
  ['Latin-1 that says UTF-8', LATIN1, 'ISO_IR 192', undefined, 'Müller^Jörg'],
  ['Latin-1 in a set that nobody knows', LATIN1, 'KOI8-R', undefined, 'Müller^Jörg'],
  ['Greek, as configured', Buffer.from([0xc4, 0xdd]), '', ['ISO_IR 126'], 'Δέ'],
  ['what no assumed set defines', LATIN1, '', ['ISO_IR 192'], 'M\ufffdller^J\ufffdrg'],
];
for (const [what, bytes, declared, assumed, expected] of assumptions)
  test(`folder: ${what} is served under an assumption, and reported`, async (t) => {
    const folder = await scratch(t);
    await writeOld(join(folder, 'a.wl'), named(bytes, declared));
    const snapshot = await readFolder({ folder, ...defined({ assumed }) });
    assert.equal(nameOf(snapshot), expected);
    assert.deepEqual(codes(snapshot), ['a.wl TEXT_ASSUMED served']);
    const message = snapshot.problems[0]?.message ?? '';
    assert.match(message, /\(0010,0010\).*worklist\.assumedCharacterSet/);
    assert.ok(!message.includes('ller'));
  });

test('folder: a misspelt character set is read, and is no problem', async (t) => {
  const folder = await scratch(t);
  await writeOld(join(folder, 'a.wl'), named(LATIN1, 'iso-ir 100'));
  const snapshot = await readFolder({ folder });
  assert.deepEqual([nameOf(snapshot), codes(snapshot)], ['Müller^Jörg', []]);
});
