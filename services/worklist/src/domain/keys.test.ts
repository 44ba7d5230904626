import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataSet, formatTag, type DataSet } from '@scanflow/dicom';
import { extraKeys, holds, valuedKeys } from './keys.ts';

const extra = (identifier: DataSet) =>
  extraKeys(identifier).map(({ tag, level }) => `${level} ${formatTag(tag)}`);

test('extra keys: none in a usual query', () => {
  const identifier = dataSet({
    SpecificCharacterSet: 'ISO_IR 100',
    PatientName: null,
    StudyInstanceUID: null,
    PregnancyStatus: null,
    RequestedProcedureCodeSequence: [{ CodeValue: null }],
    ScheduledProcedureStepSequence: [{ Modality: 'MR', ScheduledProtocolCodeSequence: [] }],
  });
  assert.deepEqual(extra(identifier), []);
});

test('extra keys: group lengths are no keys', () => {
  const identifier: DataSet = new Map([[0x00080000, { vr: 'UL', kind: 'binary', bytes: new Uint8Array(4) }]]);
  assert.deepEqual(extra(identifier), []);
});

test('extra keys: one that belongs to the step is extra at the root, and the reverse', () => {
  const identifier = dataSet({ Modality: null, ScheduledProcedureStepSequence: [{ PatientName: null }] });
  assert.deepEqual(extra(identifier), ['root (0008,0060)', 'step (0010,0010)']);
});

test('extra keys: an item that holds one makes it supported', () => {
  const identifier = dataSet({
    DeviceSerialNumber: null,
    ScheduledProcedureStepSequence: [{ BodyPartExamined: null }],
  });
  const keys = extraKeys(identifier);
  const held = dataSet({
    DeviceSerialNumber: 'x',
    ScheduledProcedureStepSequence: [{ BodyPartExamined: 'HEAD' }],
  });
  const other = dataSet({
    BodyPartExamined: 'x',
    ScheduledProcedureStepSequence: [{ DeviceSerialNumber: 'x' }],
  });
  assert.equal(keys.length, 2);
  assert.deepEqual(
    keys.map((key) => [holds(held, key), holds(other, key)]),
    [
      [true, false],
      [true, false],
    ],
  );
});

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
