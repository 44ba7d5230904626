import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { decodeDataSet, items, readPart10Header, text, type DataSet } from '@scanflow/dicom';
import { freePort, makeCalendar, run, startProgram, until, type Program } from '@scanflow/testkit';
import { soon, startCal2wl, temporaryFolder, type Cal2wl } from './cal2wl-support.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let cal2wl: Cal2wl;
let scp: Program;
let port: number;

before(async () => {
  folder = await temporaryFolder();
  const file = join(folder.path, 'prisma.ics');
  await writeFile(
    file,
    makeCalendar([
      soon('001', 2, { summary: '3010000.01 sub-001 ses-mri01', organizer: 'Zoë Ångström' }),
      soon('002', 4),
      soon('003', 30, {
        summary: 'Één kop koffie',
        description: 'Project: 3010042.03\nSubject: sub-003\nSession: ses-b',
      }),
      soon('004', 50, { summary: 'not a booking' }),
    ]),
  );
  cal2wl = await startCal2wl(join(folder.path, 'data'), `{ file: ${file}, scanner: prisma }`);
  await cal2wl.pass();
  port = await freePort();
  // -csk: by default it leaves out in which character set its answers are
  scp = await startProgram('wlmscpfs', [
    '-s',
    '-csk',
    '-dfp',
    join(folder.path, 'data', 'worklist'),
    String(port),
  ]);
  await until(
    async () => (await run('echoscu', ['-aec', 'SCANFLOW', '127.0.0.1', String(port)])).code === 0,
    {
      what: 'wlmscpfs to listen',
      timeoutMs: 60_000,
    },
  );
});

after(async () => {
  await scp.stop('SIGKILL');
  await cal2wl.program.stop();
  await folder.remove();
});

/** What findscu is answered, as data sets in the order of their accession numbers. */
async function query(...keys: string[]): Promise<DataSet[]> {
  const out = await mkdtemp(join(folder.path, 'answers-'));
  const args = ['-W', '-X', '-od', out, '-aec', 'SCANFLOW', '-aet', 'PRISMA', '127.0.0.1', String(port)];
  const asked = [
    'AccessionNumber',
    'PatientName',
    'PatientID',
    'StudyInstanceUID',
    'RequestedProcedureID',
    'RequestedProcedureDescription',
    'RequestingPhysician',
    ...keys,
  ];
  const { code, stderr } = await run('findscu', [...args, ...asked.flatMap((key) => ['-k', key])]);
  assert.equal(code, 0, stderr);
  const answers = await Promise.all(
    (await readdir(out)).map(async (name) => decode(await readFile(join(out, name)))),
  );
  return answers.sort((a, b) => (accession(a) < accession(b) ? -1 : 1));
}

function decode(bytes: Uint8Array): DataSet {
  const header = readPart10Header(bytes);
  assert.ok(!('needMore' in header));
  return decodeDataSet(bytes.subarray(header.dataSetOffset), header.transferSyntax);
}

const accession = (answer: DataSet): string => text(answer, 'AccessionNumber') ?? '';
const STEP = 'ScheduledProcedureStepSequence[0]';
const STEP_KEYS = [
  'ScheduledProcedureStepStartDate',
  'ScheduledProcedureStepStartTime',
  'Modality',
  'ScheduledStationAETitle',
  'ScheduledProcedureStepID',
  'ScheduledProcedureStepLocation',
].map((key) => `${STEP}.${key}`);

test('wlmscpfs: serves every published booking with its attributes', async () => {
  const records = await cal2wl.records();
  assert.equal(records.length, 3);
  const answers = await query(...STEP_KEYS);
  assert.deepEqual(
    answers.map((answer) => {
      const [step] = items(answer, 'ScheduledProcedureStepSequence');
      assert.ok(step);
      return [
        accession(answer),
        text(answer, 'StudyInstanceUID'),
        text(answer, 'PatientID'),
        text(answer, 'PatientName'),
        text(answer, 'RequestedProcedureID'),
        text(answer, 'RequestedProcedureDescription'),
        text(answer, 'RequestingPhysician') ?? '',
        text(step, 'ScheduledStationAETitle'),
        text(step, 'Modality'),
        text(step, 'ScheduledProcedureStepLocation'),
        `${text(step, 'ScheduledProcedureStepStartDate') ?? ''}T${text(step, 'ScheduledProcedureStepStartTime') ?? ''}`,
      ];
    }),
    records.map(
      ({ accessionNumber, studyInstanceUid, patientId, patientName, labels, title, operator, start }) => [
        accessionNumber,
        studyInstanceUid,
        patientId,
        patientName,
        labels.session,
        title,
        operator ?? '',
        'PRISMA',
        'MR',
        'MR1',
        localTime(start),
      ],
    ),
  );
});

const localTime = (start: string): string =>
  Temporal.Instant.from(start)
    .toZonedDateTimeISO('Europe/Amsterdam')
    .toPlainDateTime()
    .toString({ smallestUnit: 'second' })
    .replaceAll(/[-:]/g, '');

test('wlmscpfs: narrows by patient, station and date', async () => {
  const [record] = (await cal2wl.records()).filter(({ labels }) => labels.subject === 'sub-003');
  assert.ok(record);
  const only = [record.accessionNumber];
  assert.deepEqual((await query('PatientID=3010042.03_sub-003')).map(accession), only);
  const day = localTime(record.start).slice(0, 8);
  const sameDay = (await cal2wl.records()).filter(({ start }) => localTime(start).startsWith(day));
  assert.deepEqual(
    (await query(`${STEP}.ScheduledProcedureStepStartDate=${day}`)).map(accession),
    sameDay.map(({ accessionNumber }) => accessionNumber),
  );
  assert.deepEqual(await query(`${STEP}.ScheduledStationAETitle=SKYRA`), []);
});
