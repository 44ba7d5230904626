/** Texts outside ASCII, from the calendar over the worklist file to the bytes that a scanner is answered. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { decodeDataSet, readPart10Header, text } from '@scanflow/dicom';
import { freePort, makeCalendar, run, startProgram, until, type Program } from '@scanflow/testkit';
import { soon, startCal2wlWith, temporaryFolder, type Cal2wl } from './cal2wl-support.ts';

/** How `é č ħ И 山` stands in each character set, a character for a byte. */
const SETS: readonly [set: string, bytes: string, person: string][] = [
  ['ISO_IR 6', 'e c h I _', 'Zoe Novak'],
  ['ISO_IR 100', '\u00e9 c h I _', 'Zo\u00eb Nov\u00e1k'],
  ['ISO_IR 101', '\u00e9 \u00e8 h I _', 'Zo\u00eb Nov\u00e1k'],
  ['ISO_IR 109', '\u00e9 c \u00b1 I _', 'Zo\u00eb Nov\u00e1k'],
  ['ISO_IR 144', 'e c h \u00b8 _', 'Zoe Novak'],
  ['ISO_IR 192', Buffer.from('é č ħ И 山').toString('latin1'), Buffer.from('Zoë Novák').toString('latin1')],
];
const aet = (set: string): string => `S${set.replace('ISO_IR ', '')}`;

const folder = await temporaryFolder();
const data = join(folder.path, 'data');
const port = await freePort();
let cal2wl: Cal2wl;
let worklist: Program;

before(async () => {
  await mkdir(data, { recursive: true });
  for (const [set] of SETS)
    await writeFile(
      join(data, `${aet(set)}.ics`),
      makeCalendar([
        soon('001', 2, {
          summary: '3010000.01 sub-001 ses-mri01 \u00e9 č ħ И 山 end',
          organizer: 'Zoë Novák',
        }),
        soon('002', 4, { summary: `3010000.01 sub-002 ses-mri01 ${'ß\u00e9'.repeat(60)}` }),
      ]),
    );
  const each = (line: (set: string) => string): string[] => SETS.map(([set]) => line(set));
  cal2wl = await startCal2wlWith(data, [
    'scanners:',
    ...each((set) => `  ${aet(set).toLowerCase()}: { aet: ${aet(set)}, modality: MR, characterSet: ${set} }`),
    'calendars:',
    ...each(
      (set) => `  ${aet(set).toLowerCase()}: { file: ${aet(set)}.ics, scanner: ${aet(set).toLowerCase()} }`,
    ),
    `worklist: { bind: 127.0.0.1, port: ${port}, view: own }`,
    'bookings: { every: 1s }',
  ]);
  await cal2wl.pass();
  const config = join(data, 'worklist.yaml');
  const text = await readFile(join(data, 'scanflow.yaml'), 'utf8');
  await writeFile(config, text.replace(/^http:.*$/m, `http: { ports: { worklist: ${await freePort()} } }`));
  worklist = await startProgram(process.execPath, ['services/worklist/src/main.ts', '--config', config]);
  await until(async () => (await query('S6')).length === 2, { what: 'two items', timeoutMs: 60_000 });
});

after(async () => {
  await worklist.stop();
  await cal2wl.program.stop();
  await folder.remove();
});

/** The answers to a scanner, as files, by patient. */
async function query(callingAet: string): Promise<Buffer[]> {
  const out = join(folder.path, `${callingAet}-${Temporal.Now.instant().epochNanoseconds}`);
  await mkdir(out);
  const keys = ['PatientID', 'RequestedProcedureDescription', 'RequestingPhysician', 'SpecificCharacterSet'];
  const station = `ScheduledProcedureStepSequence[0].ScheduledStationAETitle=${callingAet}`;
  await run('findscu', [
    ...['-W', '-X', '-od', out, '-aec', 'SCANFLOW', '-aet', callingAet, '127.0.0.1', String(port)],
    ...[...keys, station].flatMap((key) => ['-k', key]),
  ]);
  const files = await Promise.all((await readdir(out)).sort().map((name) => readFile(join(out, name))));
  return files.sort((a, b) => (patient(a) < patient(b) ? -1 : 1));
}

function attribute(
  bytes: Buffer,
  keyword: 'PatientID' | 'RequestedProcedureDescription' | 'SpecificCharacterSet',
): string {
  const header = readPart10Header(bytes);
  assert.ok(!('needMore' in header));
  return text(decodeDataSet(bytes.subarray(header.dataSetOffset), header.transferSyntax), keyword) ?? '';
}
const patient = (bytes: Buffer): string => attribute(bytes, 'PatientID');

for (const [set, bytes, person] of SETS)
  test(`${set}: what a scanner is answered, byte by byte`, async () => {
    const [first] = await query(aet(set));
    assert.ok(first);
    const raw = first.toString('latin1');
    assert.ok(raw.includes(`ses-mri01 ${bytes} end`), `the title in ${set}`);
    assert.ok(raw.includes(person), `the person in ${set}`);
    const declared = attribute(first, 'SpecificCharacterSet');
    assert.ok(declared === set || (set === 'ISO_IR 6' && declared === ''), declared);
  });

test('lengths: a title of more than 64 characters is cut between characters, in every set', async () => {
  for (const [set] of SETS) {
    const [, second] = await query(aet(set));
    assert.ok(second);
    const title = attribute(second, 'RequestedProcedureDescription');
    assert.ok(Array.from(title).length <= 64 && Array.from(title).length >= 63, `${title.length} in ${set}`);
    assert.match(title, /^3010000\.01 sub-002 ses-mri01 (?:(?:ß|ss)(?:é|e))+(?:ß|s{1,2})?$/u);
    assert.ok(!title.includes('\ufffd') && !title.includes('?'), title);
  }
});

test('warnings: what a scanner cannot show is told, and only there', async () => {
  for (const { scanner, warnings = [], ...view } of (await cal2wl.bookings()).bookings) {
    const isLong = (view as { subject?: string }).subject === 'sub-002';
    assert.equal(warnings.includes('TEXT_SHORTENED'), isLong, String(scanner));
    const fits = scanner === 's192' || (isLong && scanner !== 's6' && scanner !== 's144');
    assert.equal(warnings.includes('TEXT_REPLACED'), !fits, `${String(scanner)} ${String(isLong)}`);
  }
});
