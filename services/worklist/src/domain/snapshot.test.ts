import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataSet, type Attributes } from '@scanflow/dicom';
import { malformedIn, missingIn } from './snapshot.ts';
import { entriesOf } from './schedule.ts';

const STEP: Attributes = {
  Modality: 'MR',
  ScheduledStationAETitle: 'PRISMA',
  ScheduledProcedureStepStartDate: '20261122',
  ScheduledProcedureStepStartTime: '093000',
  ScheduledProcedureStepID: 'S1',
};
const ROOT: Attributes = {
  AccessionNumber: 'A1',
  PatientName: 'Doe^Jane',
  PatientID: 'P',
  StudyInstanceUID: '1.2.3',
  RequestedProcedureID: 'ses-mri01',
};
const item = (root: Attributes, step: Attributes) =>
  dataSet({ ...ROOT, ...root, ScheduledProcedureStepSequence: [{ ...STEP, ...step }] });

test('flaws: a good item has none', () => {
  const good = item({ PatientBirthDate: '20000229', PatientWeight: '70.5', PatientSex: null }, {});
  assert.deepEqual([missingIn(good, entriesOf('a.wl', good)), malformedIn(good)], [[], []]);
});

test('flaws: what is empty or absent of the return keys of type 1', () => {
  for (const keyword of ['PatientName', 'PatientID', 'StudyInstanceUID', 'RequestedProcedureID']) {
    const one = item({ [keyword]: null }, {});
    assert.deepEqual(missingIn(one, entriesOf('a.wl', one)), [keyword]);
  }
  for (const keyword of Object.keys(STEP)) {
    const one = item({}, { [keyword]: undefined });
    assert.deepEqual(missingIn(one, entriesOf('a.wl', one)), [keyword]);
  }
});

const malformed: [keyword: string, value: string, root?: true][] = [
  ['StudyInstanceUID', '1.2.study-3', true],
  ['StudyInstanceUID', '1.02.3', true],
  ['StudyInstanceUID', '1..2', true],
  ['StudyInstanceUID', `1.${'2'.repeat(63)}`, true],
  ['AccessionNumber', 'A'.repeat(17), true],
  ['PatientID', 'P'.repeat(65), true],
  ['PatientName', `Doe=${'x'.repeat(65)}`, true],
  ['PatientBirthDate', '29.02.2000', true],
  ['PatientSex', 'female', true],
  ['PatientWeight', '70 kg', true],
  ['ScheduledStationAETitle', 'A'.repeat(20)],
  ['ScheduledStationAETitle', 'PRÏSMA'],
  ['ScheduledProcedureStepStartDate', '20260230'],
  ['ScheduledProcedureStepStartDate', '2026-11-28'],
  ['ScheduledProcedureStepStartDate', '20261301'],
  ['ScheduledProcedureStepStartDate', '20270229'],
  ['ScheduledProcedureStepStartDate', '2026'],
  ['ScheduledProcedureStepStartTime', '250000'],
  ['ScheduledProcedureStepStartTime', '09:30'],
  ['ScheduledProcedureStepStartTime', '9'],
  ['Modality', 'mr'],
];
for (const [keyword, value, isRoot] of malformed)
  test(`flaws: ${keyword} ${value}`, () => {
    const found = malformedIn(
      isRoot === true ? item({ [keyword]: value }, {}) : item({}, { [keyword]: value }),
    );
    const [only = '', ...others] = found;
    assert.deepEqual(others, []);
    assert.ok(only.startsWith(`${keyword} (`), only);
    assert.ok(!only.includes(value), 'no value is told');
  });
