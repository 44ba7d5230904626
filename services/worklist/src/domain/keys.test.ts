import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataSet, type DataSet } from '@scanflow/dicom';
import { shownValues, valuedKeys } from './keys.ts';

test('valued keys: names the keys that had a value, never the values', () => {
  const identifier = dataSet({
    PatientName: 'Secret*',
    PatientID: null,
    PregnancyStatus: 4,
    ScheduledProcedureStepSequence: [
      { Modality: 'MR', ScheduledStationAETitle: '', ScheduledProtocolCodeSequence: [{ CodeValue: 'x' }] },
    ],
  });
  assert.deepEqual(valuedKeys(identifier).sort(), [
    'PatientName',
    'PregnancyStatus',
    'ScheduledProcedureStepSequence.Modality',
    'ScheduledProcedureStepSequence.ScheduledProtocolCodeSequence.CodeValue',
  ]);
});

test('valued keys: a private key has its tag', () => {
  const identifier: DataSet = new Map([[0x00211010, { vr: 'LO', kind: 'text', values: ['x'] }]]);
  assert.deepEqual(valuedKeys(identifier), ['(0021,1010)']);
});

test('shown values: stations, days, times and modality; nothing of a person or an exam', () => {
  const identifier = dataSet({
    SpecificCharacterSet: 'ISO_IR 100',
    PatientName: 'Secret*',
    PatientID: 'Secret',
    PatientBirthDate: '19800229',
    AccessionNumber: 'Secret',
    StudyInstanceUID: '1.2',
    RequestedProcedureDescription: 'Secret',
    StudyDate: null,
    ScheduledProcedureStepSequence: [
      {
        Modality: 'MR',
        ScheduledStationAETitle: ['PRISMA', 'SKYRA'],
        ScheduledProcedureStepStartDate: '20261122-',
        ScheduledPerformingPhysicianName: 'Secret',
        ScheduledStationName: 'x'.repeat(100),
      },
    ],
  });
  const step = 'ScheduledProcedureStepSequence';
  assert.deepEqual(shownValues(identifier), {
    SpecificCharacterSet: 'ISO_IR 100',
    [`${step}.Modality`]: 'MR',
    [`${step}.ScheduledStationAETitle`]: 'PRISMA\\SKYRA',
    [`${step}.ScheduledStationName`]: `${'x'.repeat(64)}…`,
    [`${step}.ScheduledProcedureStepStartDate`]: '20261122-',
  });
});

test('shown values: what was typed into a date or a time shows only where it is written as one', () => {
  const shown = (value: string): string | undefined =>
    shownValues(dataSet({ ScheduledProcedureStepSequence: [{ ScheduledProcedureStepStartDate: value }] }))[
      'ScheduledProcedureStepSequence.ScheduledProcedureStepStartDate'
    ];
  for (const value of ['20261122', '20261122-20261123', '-', '2026.11.22', '2026-11-22', '22:11'])
    assert.equal(shown(value), value);
  for (const value of ['ID-4711-SECRET', 'Doe^Jo', '20261122A']) assert.equal(shown(value), undefined);
});
