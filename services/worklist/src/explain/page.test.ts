import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataSet } from '@scanflow/dicom';
import { givenQuery } from './page.ts';

test('given query: keys as findscu takes them', () => {
  const given = givenQuery([
    'PatientName=Doe*',
    'ScheduledProcedureStepSequence[0].Modality=MR',
    'ScheduledProcedureStepSequence.ScheduledStationAETitle=PRISMA\\SKYRA',
    '(0010,0020)',
    '0008,0050=A=1',
    'PregnancyStatus=4',
    'ReferencedStudySequence',
  ]);
  assert.ok(given.ok);
  const expected = dataSet({
    PatientName: 'Doe*',
    PatientID: null,
    AccessionNumber: 'A=1',
    PregnancyStatus: 4,
    ReferencedStudySequence: [],
    ScheduledProcedureStepSequence: [{ Modality: 'MR', ScheduledStationAETitle: ['PRISMA', 'SKYRA'] }],
  });
  assert.deepEqual(new Map([...given.identifier].sort(([one], [other]) => one - other)), expected);
});

for (const [key, reason] of [
  ['Modlity=MR', /^Modlity is no keyword/],
  ['=MR', /is no keyword/],
  ['ScheduledProcedureStepSequence=MR', /is a sequence: name a key in it/],
  ['PatientName.Modality=CT', /^PatientName is no sequence/],
  ['PregnancyStatus=none', /^PregnancyStatus takes a number$/],
] as const)
  test(`given query: what is no key is told: ${key}`, () => {
    const given = givenQuery([key]);
    assert.ok(!given.ok);
    assert.match(given.reason, reason);
  });

test('given query: a tag by its eight digits, in a sequence too', () => {
  const given = givenQuery(['00400100.00080060=CT', '00080050']);
  assert.ok(given.ok);
  const expected = { ScheduledProcedureStepSequence: [{ Modality: 'CT' }], AccessionNumber: null };
  assert.deepEqual(given.identifier, dataSet(expected));
});
