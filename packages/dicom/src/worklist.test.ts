import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decodeDataSet,
  element,
  encodeDataSet,
  items,
  text,
  transferSyntaxes,
  worklistItem,
  type DataSet,
  type WorklistInput,
} from './index.ts';

const input: WorklistInput = {
  accessionNumber: '0123456789ABCDEF',
  studyInstanceUid: '2.25.232903626792356601117187032160059121040',
  patientId: '3010000.01_sub-001',
  patientName: '3010000.01_sub-001',
  requestedProcedureId: 'ses-mri01',
  description: 'Resting state',
  requestingPhysician: 'Jürgen Müller',
  scheduledProcedureStepId: '0123456789ABCDEF',
  stationAet: 'PRISMA',
  stationName: 'PRISMA',
  location: 'MR1',
  modality: 'MR',
  start: Temporal.ZonedDateTime.from('2026-10-25T02:30:00+01:00[Europe/Amsterdam]'),
};
const stepOf = (item: DataSet): DataSet => items(item, 'ScheduledProcedureStepSequence')[0] ?? new Map();

test('worklist item: types 1 and 2 of table K.6-1', () => {
  const item = worklistItem(input);
  const one = ['PatientName', 'PatientID', 'StudyInstanceUID', 'RequestedProcedureID', 'AccessionNumber'];
  for (const keyword of one) assert.ok(text(item, keyword), keyword);
  const two = [
    ...['ReferencedStudySequence', 'RequestedProcedurePriority', 'PatientTransportArrangements'],
    ...['RequestingPhysician', 'ReferringPhysicianName', 'AdmissionID', 'CurrentPatientLocation'],
    ...['ReferencedPatientSequence', 'PatientBirthDate', 'PatientSex', 'PatientWeight', 'PatientState'],
    ...['ConfidentialityConstraintOnPatientDataDescription', 'PregnancyStatus', 'MedicalAlerts', 'Allergies'],
    'SpecialNeeds',
  ];
  for (const keyword of two) assert.ok(element(item, keyword), keyword);
  const step = stepOf(item);
  const stepOne = [
    ...['ScheduledStationAETitle', 'ScheduledProcedureStepStartDate', 'ScheduledProcedureStepStartTime'],
    ...['Modality', 'ScheduledProcedureStepDescription', 'ScheduledProcedureStepID'],
  ];
  for (const keyword of stepOne) assert.ok(text(step, keyword), keyword);
  for (const keyword of [
    'ScheduledPerformingPhysicianName',
    'ScheduledStationName',
    'ScheduledProcedureStepLocation',
  ])
    assert.ok(element(step, keyword), keyword);
});

test('worklist item: the start is local time in the facility', () => {
  const step = stepOf(worklistItem(input));
  assert.equal(text(step, 'ScheduledProcedureStepStartDate'), '20261025');
  assert.equal(text(step, 'ScheduledProcedureStepStartTime'), '023000');
});

test('worklist item: a name template without ^ is the family name as it stands', () => {
  assert.equal(text(worklistItem(input), 'PatientName'), '3010000.01_sub-001');
});

test('worklist item: hostile and long texts fit', () => {
  const item = worklistItem({
    ...input,
    patientName: 'Müller\\^\n=x'.repeat(30),
    description: `../../x $(x)\r\n${'ß'.repeat(255)}`,
    requestedProcedureId: 'ses-with-a-name-too-long',
    characterSet: 'ISO_IR 6',
  });
  assert.equal(text(item, 'RequestedProcedureID'), 'ses-with-a-name-');
  assert.equal(text(item, 'RequestedProcedureDescription')?.length, 64);
  const bytes = encodeDataSet(item, transferSyntaxes.explicitVRLittleEndian, 'ISO_IR 6');
  assert.deepEqual(decodeDataSet(bytes, transferSyntaxes.explicitVRLittleEndian), item);
});

test('worklist item: what a booking leaves out does not make it invalid', () => {
  const item = worklistItem({ ...input, description: ' ', requestedProcedureId: '' });
  assert.equal(text(item, 'RequestedProcedureID'), input.accessionNumber);
  assert.equal(text(item, 'RequestedProcedureDescription'), input.accessionNumber);
});
