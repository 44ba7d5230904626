import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataSet, text, type Attributes } from '@scanflow/dicom';
import { accessPolicy, type AccessSettings } from './access.ts';
import { answers, refusal } from './answer.ts';
import { buildSchedule, entriesOf } from './schedule.ts';

const item = (accession: string, station: string | string[], more: Attributes = {}) =>
  entriesOf(
    `${accession}.wl`,
    dataSet({
      AccessionNumber: accession,
      StudyInstanceUID: `2.25.${accession.charCodeAt(0)}`,
      PatientName: `Name${accession}`,
      ScheduledProcedureStepSequence: [
        {
          Modality: 'MR',
          ScheduledStationAETitle: station,
          ScheduledProcedureStepStartDate: '20261122',
          ScheduledProcedureStepID: accession,
        },
      ],
      ...more,
    }),
  );
const schedule = buildSchedule([
  ...item('A', 'PRISMA'),
  ...item('B', 'SKYRA'),
  ...item('C', ['PRISMA', 'SKYRA']),
  ...item('D', 'PRISMA', { DeviceSerialNumber: '42' }),
]);
const scanners = [{ aet: 'PRISMA', characterSet: 'ISO_IR 100' }];

function ask(query: Attributes, settings: Partial<AccessSettings> = {}, callingAet = 'PRISMA') {
  const policy = accessPolicy({ aet: 'SCANFLOW', allow: 'any', view: 'all', scanners, ...settings });
  const identifier = dataSet({ AccessionNumber: null, ...query });
  return [...answers(schedule, { identifier, callingAet }, policy)].filter((answer) => answer !== undefined);
}
const accessions = (...args: Parameters<typeof ask>): string[] =>
  ask(...args).map((answer) => text(answer.identifier, 'AccessionNumber') ?? '');
const station = (value: string | string[]): Attributes => ({
  ScheduledProcedureStepSequence: [{ ScheduledStationAETitle: value }],
});

const cases: [string, string[], Attributes, Partial<AccessSettings>?, string?][] = [
  ['an empty identifier gives everything, in order', ['A', 'B', 'C', 'D'], {}],
  ['one station', ['B', 'C'], station('SKYRA')],
  ['a station that has nothing', [], station('TRIO')],
  ['a station by wildcard', ['A', 'C', 'D'], station('PRIS*')],
  ['any station by wildcard', ['A', 'B', 'C', 'D'], station('*')],
  ['an accession number', ['C'], { AccessionNumber: 'C' }],
  ['own view: only the caller’s station', ['A', 'C', 'D'], {}, { view: 'own' }],
  ['own view: another station it shares items with', ['C'], station('SKYRA'), { view: 'own' }],
  ['own view: its own station', ['A', 'C', 'D'], station('PRISMA'), { view: 'own' }],
  ['own view: a caller that is no station sees nothing', [], {}, { view: 'own' }, 'VIEWER'],
  ['own view: a wildcard does not widen it', ['A', 'C', 'D'], station('*'), { view: 'own' }],
];
for (const [name, expected, query, settings, calling] of cases)
  test(`answers: ${name}`, () => assert.deepEqual(accessions(query, settings, calling), expected));

test('answers: FF01 where a key outside of the model has a value, whatever the item has', () => {
  const statuses = (query: Attributes) => ask(query).map(({ status }) => status.toString(16));
  assert.deepEqual(statuses({ DeviceSerialNumber: '42' }), ['ff01', 'ff01', 'ff01', 'ff01']);
  assert.deepEqual(statuses({ DeviceSerialNumber: '43' }), ['ff01', 'ff01', 'ff01', 'ff01']);
  assert.deepEqual(statuses({ DeviceSerialNumber: null }), ['ff00', 'ff00', 'ff00', 'ff00']);
});

test('refusal: names the key that is no date', () => {
  const step = { ScheduledProcedureStepStartDate: 'tomorrow' };
  assert.deepEqual(refusal(dataSet({ ScheduledProcedureStepSequence: [step] })), {
    status: 0xa900,
    offendingElement: 0x00400002,
    comment: 'Invalid ScheduledProcedureStepStartDate',
  });
  assert.equal(refusal(dataSet({ PatientName: null })), undefined);
});

test('refusal: more characters than every item is compared with are C000, a long list of UIDs is none of them', () => {
  const many = { PatientID: Array.from({ length: 3_000 }, () => 'a*') };
  const refused = { status: 0xc000, offendingElement: 0x00100020, comment: 'Too many values PatientID' };
  assert.deepEqual(refusal(dataSet(many)), refused);
  assert.deepEqual(refusal(dataSet({ ScheduledProcedureStepSequence: [many] })), refused);
  const uids = Array.from({ length: 2_000 }, (_, index) => `2.25.${index}`);
  assert.equal(refusal(dataSet({ StudyInstanceUID: uids, PatientName: 'x'.repeat(64) })), undefined);
  assert.deepEqual(accessions({ StudyInstanceUID: [...uids, '2.25.65'] }), ['A', 'B', 'C', 'D']);
});

test('answers: names are matched whatever their case', () => {
  assert.deepEqual(accessions({ PatientName: 'namea' }), ['A']);
});

test('answers: in the character set of the scanner, or else of the query', () => {
  const sets = (query: Attributes, calling: string) =>
    new Set(ask(query, {}, calling).map(({ characterSet }) => characterSet));
  assert.deepEqual(sets({ SpecificCharacterSet: 'ISO_IR 192' }, 'PRISMA'), new Set(['ISO_IR 100']));
  assert.deepEqual(sets({ SpecificCharacterSet: 'ISO_IR 101' }, 'VIEWER'), new Set(['ISO_IR 101']));
});

test('answers: are made one at a time', () => {
  const policy = accessPolicy({ aet: 'SCANFLOW', allow: 'any', view: 'all', scanners });
  const iterator = answers(schedule, { identifier: dataSet({}), callingAet: 'PRISMA' }, policy);
  assert.equal(iterator.next().done, false);
  assert.equal(iterator.return().done, true);
});
