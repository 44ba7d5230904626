/** Keys that cannot be matched: they select nothing away (PS3.4 K.2.2.1.1.2). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  dataSet,
  invalidKeys,
  keywordOf,
  matches,
  tagOf,
  unsupportedKeys,
  worklistItem,
  type Attributes,
  type DataSet,
} from './index.ts';

const item = (): DataSet =>
  worklistItem({
    accessionNumber: 'A1',
    studyInstanceUid: '2.25.1',
    patientId: '3010000.01_sub-001',
    patientName: 'Doe^Jo',
    requestedProcedureId: 'ses-mri01',
    description: 'Memory task',
    scheduledProcedureStepId: 'S1',
    stationAet: 'PRISMA',
    stationName: 'PRISMA',
    modality: 'MR',
    start: Temporal.ZonedDateTime.from('2026-07-06T09:30:00[Europe/Amsterdam]'),
  });
const step = (attributes: Attributes): DataSet => dataSet({ ScheduledProcedureStepSequence: [attributes] });
const asks = (attributes: Attributes): boolean => matches(dataSet(attributes), item());
const asksStep = (attributes: Attributes): boolean => matches(step(attributes), item());

const blanks = (): DataSet =>
  new Map([[tagOf('PregnancyStatus'), { vr: 'US', kind: 'binary', bytes: Buffer.from('  ') }]]);
for (const [what, identifier, names] of [
  ['a number in binary', dataSet({ PregnancyStatus: 0 }), ['PregnancyStatus']],
  ['two blanks for a number', blanks(), ['PregnancyStatus']],
  ['a modality outside the step', dataSet({ Modality: 'CT' }), ['Modality']],
  ['a station outside the step', dataSet({ ScheduledStationAETitle: 'CT1' }), ['ScheduledStationAETitle']],
  [
    'a day outside the step that is none',
    dataSet({ ScheduledProcedureStepStartDate: 'tomorrow' }),
    ['ScheduledProcedureStepStartDate'],
  ],
  ['a patient in the step', step({ PatientID: 'x', Modality: 'MR' }), ['PatientID']],
  ['a code outside a sequence', dataSet({ CodeValue: 'x' }), ['CodeValue']],
  [
    'a modality in a code, where the item has no such code',
    dataSet({ RequestedProcedureCodeSequence: [{ Modality: 'CT' }] }),
    ['Modality'],
  ],
  [
    'an attribute that nobody knows, in a code',
    dataSet({ RequestedProcedureCodeSequence: [{ ContextIdentifier: '9300' }] }),
    ['ContextIdentifier'],
  ],
] as const)
  test(`keys: what cannot be matched selects nothing away (K.2.2.1.1.2): ${what}`, () => {
    assert.deepEqual(invalidKeys(identifier), []);
    assert.ok(matches(identifier, item()));
    assert.deepEqual(unsupportedKeys(identifier, item()).map(keywordOf), names);
    // as files of others may hold it, at a place where it does not belong
    assert.ok(matches(identifier, new Map([...item(), ...dataSet({ Modality: 'MR', CodeValue: 'y' })])));
  });

test('keys: what can be matched still selects beside what cannot', () => {
  assert.ok(!asks({ PregnancyStatus: 0, PatientID: 'other' }));
  assert.ok(!asksStep({ PatientID: 'x', Modality: 'CT' }));
  assert.ok(!asks({ RequestedProcedureCodeSequence: [{ Modality: 'CT', CodeValue: 'x' }] }));
});

test('a lone - is a range without an end on either side: it selects nothing', () => {
  for (const lone of ['-', ' - ']) {
    for (const keyword of ['ScheduledProcedureStepStartDate', 'ScheduledProcedureStepStartTime']) {
      assert.deepEqual(invalidKeys(step({ [keyword]: lone })), []);
      assert.ok(asksStep({ [keyword]: lone }));
    }
    assert.ok(asks({ PatientBirthDate: lone }), 'of an unknown day too');
  }
  const other = { ScheduledProcedureStepStartDate: '-', ScheduledProcedureStepStartTime: '100000-' };
  assert.ok(!asksStep(other), 'the time still counts');
  for (const odd of ['--', '- -', '20260706--'])
    assert.equal(invalidKeys(step({ ScheduledProcedureStepStartDate: odd })).length, 1, odd);
});
