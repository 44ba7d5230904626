/** The worklist service as a scanner sees it: DCMTK's echoscu and findscu against the running process. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { dataSet, items, text, type DataSet } from '@scanflow/dicom';
import { dcmtk } from '@scanflow/testkit';
import * as worklist from './worklist-support.ts';

const { accessions, echo, encoded, find, IDENTITY, item, scratch, startService, step, wholeFile } = worklist;
const at = (local: string) => ({ start: Temporal.ZonedDateTime.from(`${local}[Europe/Amsterdam]`) });
const codes = dataSet({
  RequestedProcedureCodeSequence: [{ CodeValue: 'T-1', CodingSchemeDesignator: 'L', CodeMeaning: 'Task' }],
});
const GREEK = 'Μνήμη 2';

const day: DataSet[] = [
  item('A1', at('2026-11-21T09:30')),
  item('B1', { ...at('2026-11-22T08:00'), patientName: 'Müller^Jörg', description: 'Größe' }),
  item('C1', { ...at('2026-11-22T14:00'), stationAet: 'SKYRA' }),
  item('D1', { ...at('2026-11-23T11:15'), stationAet: 'CT1', modality: 'CT', patientName: 'Doe^Jane' }),
  new Map([...item('E1', at('2026-11-24T10:00')), ...codes]),
  item('F1', { ...at('2026-11-25T10:00'), patientName: 'Παπαδοπούλου', description: GREEK }),
];

const suite = wholeFile();
const data = await scratch(suite);
const folder = await worklist.worklistFolder(data);
for (const one of day)
  await writeFile(join(folder, `${text(one, 'AccessionNumber') ?? ''}.wl`), encoded(one));
const service = await startService(suite, { data });
const all = ['A1', 'B1', 'C1', 'D1', 'E1', 'F1'];

const cases: [string, string[], string[]][] = [
  ['universal: no value at all', [], all],
  ['universal: an empty sequence', ['ScheduledProcedureStepSequence'], all],
  ['universal: a sequence with an empty item', ['ScheduledProcedureStepSequence[0]'], all],
  ['single value: station', [step('ScheduledStationAETitle=SKYRA')], ['C1']],
  ['single value: modality', [step('Modality=CT')], ['D1']],
  ['single value: accession number', ['AccessionNumber=E1'], ['E1']],
  ['single value: a station without items', [step('ScheduledStationAETitle=TRIO')], []],
  ['single value: an item’s unknown value matches no key', ['PatientSex=F'], []],
  ['list of UID: two studies', ['StudyInstanceUID=2.25.16689\\2.25.17201'], ['A1', 'C1']],
  ['wildcard: *', ['PatientName=Doe*'], ['D1']],
  ['wildcard: ? is a character', ['PatientName=M?ller*'], ['B1']],
  ['wildcard: names whatever their case', ['PatientName=dOE^*'], ['D1']],
  ['wildcard: station', [step('ScheduledStationAETitle=PRIS*')], ['A1', 'B1', 'E1', 'F1']],
  ['range: one day', [step('ScheduledProcedureStepStartDate=20261122')], ['B1', 'C1']],
  ['range: between', [step('ScheduledProcedureStepStartDate=20261122-20261123')], ['B1', 'C1', 'D1']],
  ['range: from', [step('ScheduledProcedureStepStartDate=20261124-')], ['E1', 'F1']],
  ['range: to', [step('ScheduledProcedureStepStartDate=-20261121')], ['A1']],
  ['range: times of day', [step('ScheduledProcedureStepStartTime=0800-1000')], ['A1', 'B1', 'E1', 'F1']],
  [
    'range: date and time as one period',
    [
      step('ScheduledProcedureStepStartDate=20261122-20261123'),
      step('ScheduledProcedureStepStartTime=100000-110000'),
    ],
    ['C1'],
  ],
  [
    'nested: station and day together',
    [step('ScheduledStationAETitle=PRISMA'), step('ScheduledProcedureStepStartDate=20261122')],
    ['B1'],
  ],
  ['nested: a code two levels down', ['RequestedProcedureCodeSequence[0].CodeValue=T-1'], ['E1']],
];
for (const [name, keys, expected] of cases)
  for (const [syntax, flag] of [
    ['implicit', '-xi'],
    ['explicit', '-xe'],
  ] as const)
    test(`findscu, ${syntax} VR, ${name}`, async (t) => {
      const asked = IDENTITY.filter((key) => !keys.some((other) => other.startsWith(`${key}=`)));
      const found = await find(t, service.port, [...asked, ...keys], { extra: [flag] });
      assert.equal(found.code, 0, found.output);
      assert.deepEqual(accessions(found), expected);
      assert.deepEqual(found.statuses, [...expected.map(() => 'ff00'), '0000']);
    });

test('findscu, explicit VR big endian: is served too', async (t) => {
  const found = await find(t, service.port, [...IDENTITY, step('Modality=CT')], { extra: ['-xb'] });
  assert.deepEqual(accessions(found), ['D1']);
});

test('findscu: answers hold what was asked for, the unknown with zero length, and nothing else', async (t) => {
  const keys = ['AccessionNumber=D1', 'PatientBirthDate', 'PregnancyStatus', 'BodyPartExamined'];
  const found = await find(t, service.port, [...keys, step('Modality'), 'RequestedProcedureCodeSequence']);
  const [answer] = found.answers;
  assert.ok(answer);
  const tags = [...answer.keys()].map((tag) => tag.toString(16).padStart(8, '0')).sort();
  // not (0032,1064) Requested Procedure Code Sequence: type 1C, and this item has none
  assert.deepEqual(tags, ['00080005', '00080050', '00100030', '001021c0', '00180015', '00400100']);
  assert.equal(text(answer, 'PatientBirthDate'), undefined);
  assert.deepEqual(
    items(answer, 'ScheduledProcedureStepSequence').map((one) => [one.size, text(one, 'Modality')]),
    [[1, 'CT']],
  );
});

test('findscu: a key with a value that no item can be matched with is told by FF01', async (t) => {
  const found = await find(t, service.port, ['AccessionNumber=A1', 'DeviceSerialNumber=42']);
  assert.deepEqual(found.statuses, ['ff01', '0000']);
});

test('findscu: a date that is none fails with A900 and is no universal query', async (t) => {
  const found = await find(t, service.port, [...IDENTITY, step('ScheduledProcedureStepStartDate=tomorrow')]);
  assert.deepEqual(found.statuses, ['a900']);
  assert.deepEqual(found.answers, []);
  assert.match(found.output, /ScheduledProcedureStepStartDate/);
});

test('findscu: a cancelled query ends with FE00', async (t) => {
  const found = await find(t, service.port, IDENTITY, { extra: ['--cancel', '1'] });
  // six answers may all be on their way before the C-CANCEL arrives
  const last = found.statuses.at(-1) ?? '';
  assert.ok(last === 'fe00' || (last === '0000' && found.answers.length === all.length), found.output);
});

test('character set: a scanner of Latin 1 gets bytes of ISO_IR 100, and Greek in Latin letters', async (t) => {
  const keys = ['AccessionNumber', 'PatientName', 'RequestedProcedureDescription'];
  const found = await find(t, service.port, keys, { callingAet: 'PRISMA' });
  const file = (accession: string): string =>
    found.files[found.answers.findIndex((answer) => text(answer, 'AccessionNumber') === accession)] ?? '';
  const bytes = await readFile(file('B1'));
  assert.ok(bytes.includes(Buffer.from('Müller^Jörg', 'latin1')), 'the name in ISO 8859-1');
  assert.ok(!bytes.includes(Buffer.from('Müller^Jörg', 'utf8')));
  const dump = await dcmtk('dcmdump', ['+P', '0008,0005', '+P', '0010,0010', '+P', '0032,1060', file('F1')]);
  assert.match(dump.stdout, /\(0008,0005\) CS \[ISO_IR 100\]/);
  const texts = [...dump.stdout.matchAll(/(?:PN|LO) \[([^\]]*)\]/g)].map(([, value]) => value ?? '');
  assert.equal(texts.length, 2);
  for (const value of texts) assert.match(value, /^[A-Za-z0-9 ]+$/);
});

test('character set: a scanner of UTF-8 gets everything as it was booked', async (t) => {
  const keys = ['AccessionNumber=F1', 'RequestedProcedureDescription'];
  const found = await find(t, service.port, keys, { callingAet: 'SKYRA' });
  const bytes = await readFile(found.files[0] ?? '');
  assert.ok(bytes.includes(Buffer.from(GREEK, 'utf8')));
  assert.ok(bytes.includes(Buffer.from('ISO_IR 192')));
});

test('character set: a scanner of the default repertoire gets ASCII and no declaration', async (t) => {
  const found = await find(t, service.port, ['AccessionNumber=B1', 'PatientName'], { callingAet: 'MEG' });
  assert.equal(text(found.answers[0] ?? new Map(), 'PatientName'), 'Muller^Jorg');
  assert.equal(found.answers[0]?.has(0x00080005), false);
});

test('character set: a name in the query’s own character set is matched', async (t) => {
  const keys = ['SpecificCharacterSet=ISO_IR 192', 'AccessionNumber', 'PatientName=Müller*'];
  assert.deepEqual(accessions(await find(t, service.port, keys)), ['B1']);
});

test('access: a configured scanner may verify', async () => {
  const { code, stdout, stderr } = await echo(service.port);
  assert.equal(code, 0, stdout + stderr);
});

test('access: an unknown calling AE title is rejected with reason 3', async (t) => {
  const { code, stderr } = await echo(service.port, { callingAet: 'STRANGER' });
  assert.notEqual(code, 0);
  assert.match(stderr, /Rejected Permanent, Source: Service User/);
  assert.match(stderr, /Calling AE Title Not Recognized/);
  const found = await find(t, service.port, IDENTITY, { callingAet: 'STRANGER' });
  assert.deepEqual(found.answers, []);
});

test('access: an unknown called AE title is rejected with reason 7', async (t) => {
  for (const calledAet of ['OTHER', '../SCANFLOW', 'scanflow']) {
    const found = await find(t, service.port, IDENTITY, { calledAet });
    assert.match(found.output, /Called AE Title Not Recognized/);
    assert.deepEqual(found.answers, []);
  }
});

test('access: view own shows a station its own items only', async (t) => {
  const own = await startService(t, { data, worklist: ['view: own'] });
  assert.deepEqual(accessions(await find(t, own.port, IDENTITY, { callingAet: 'SKYRA' })), ['C1']);
  const keys = [...IDENTITY, step('ScheduledStationAETitle=PRISMA')];
  assert.deepEqual(accessions(await find(t, own.port, keys, { callingAet: 'SKYRA' })), []);
});

test('access: allow any admits strangers, with UTF-8', async (t) => {
  const open = await startService(t, { data, worklist: ['allow: any'] });
  const found = await find(t, open.port, ['AccessionNumber=F1', 'PatientName'], { callingAet: 'STRANGER' });
  assert.equal(text(found.answers[0] ?? new Map(), 'PatientName'), 'Παπαδοπούλου');
});

test('pages: health, worklist by scanner and day, queries and metrics', async (t) => {
  const quiet = await startService(t, { data });
  await find(t, quiet.port, ['AccessionNumber', 'PatientName=Doe*'], { callingAet: 'PRISMA' });
  await echo(quiet.port, { callingAet: 'STRANGER' });
  assert.partialDeepStrictEqual(await quiet.get('/healthz'), {
    status: 'ok',
    items: 6,
    folderState: 'present',
  });
  const list = async (query: string): Promise<string[]> => {
    const page = (await quiet.get(`/api/worklist${query}`)) as { items: { accessionNumber: string }[] };
    return page.items.map(({ accessionNumber }) => accessionNumber);
  };
  assert.deepEqual(await list(''), all);
  assert.deepEqual(await list('?scanner=prisma'), ['A1', 'B1', 'E1', 'F1']);
  assert.deepEqual(await list('?scanner=PRISMA&day=2026-11-22'), ['B1']);
  const page = await quiet.get('/api/queries');
  assert.partialDeepStrictEqual(page, {
    queries: [
      {
        callingAet: 'PRISMA',
        keys: ['PatientName'],
        answers: 1,
        characterSet: 'ISO_IR 100',
        outcome: 'complete',
      },
    ],
  });
  assert.ok(!JSON.stringify(page).includes('Doe'));
  const metrics = await quiet.page('/metrics');
  for (const line of [
    'scanflow_worklist_associations_total 1',
    'scanflow_worklist_rejections_total{reason="1/1/3"} 1',
    'scanflow_worklist_queries_total{outcome="complete"} 1',
    'scanflow_worklist_answers_total 1',
    'scanflow_worklist_items 6',
  ])
    assert.ok(metrics.split('\n').includes(line), `${line} in\n${metrics}`);
});

test('log: a line per association and query, and no patient attribute', () => {
  const lines = service.program
    .output()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string; callingAet?: string; answers?: number; ms?: number });
  const query = lines.find(({ event }) => event === 'worklist.query');
  assert.equal(query?.callingAet, 'SKYRA');
  assert.equal(typeof query.answers, 'number');
  assert.equal(typeof query.ms, 'number');
  assert.ok(lines.some(({ event }) => event === 'association.rejected'));
  for (const patient of ['Müller', 'Doe', 'sub-', 'ses-mri01', 'Memory task', 'Größe', GREEK])
    assert.ok(!service.program.output().includes(patient), patient);
});
