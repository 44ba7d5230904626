import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataSet, type DataSet } from '@scanflow/dicom';
import { valuedKeys } from './keys.ts';

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
