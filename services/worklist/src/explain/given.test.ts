import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataSet } from '@scanflow/dicom';
import { givenQuery } from './given.ts';

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

test('given query: what is no keyword is told', () => {
  const given = givenQuery(['Modlity=MR']);
  assert.ok(!given.ok);
  assert.match(given.reason, /^Modlity is no keyword/);
});
