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
  type Element,
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

function written(keyword: string, vr: string, value: string): DataSet {
  const key: Element =
    vr === 'UN' ? { vr, kind: 'binary', bytes: Buffer.from(value) } : { vr, kind: 'text', values: [value] };
  return new Map([[tagOf(keyword), key]]);
}

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
  ['a number as text', written('PregnancyStatus', 'IS', '0'), ['PregnancyStatus']],
  ['a sequence as text', written('ReferencedStudySequence', 'LO', 'x'), ['ReferencedStudySequence']],
  ['text as a number', written('AccessionNumber', 'UN', 'A2'), ['AccessionNumber']],
  ['a weight of 0', dataSet({ PatientWeight: '0' }), ['PatientWeight']],
  ['a weight of 0.0', dataSet({ PatientSize: '0.00' }), ['PatientSize']],
  ['a weight in words', dataSet({ PatientWeight: 'none' }), ['PatientWeight']],
  ['a day that is none, of a series', dataSet({ SeriesDate: 'tomorrow' }), ['SeriesDate']],
  ['a level of query and retrieval', dataSet({ QueryRetrieveLevel: 'STUDY' }), ['QueryRetrieveLevel']],
  [
    'the end of the step',
    step({ ScheduledProcedureStepEndDate: '20200101' }),
    ['ScheduledProcedureStepEndDate'],
  ],
  [
    'steps in the step',
    step({ ScheduledProcedureStepSequence: [{ Modality: 'CT' }] }),
    ['ScheduledProcedureStepSequence'],
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

test('keys: an attribute outside of the model selects nothing away, also where the item has another value', () => {
  const held = new Map([...item(), ...dataSet({ DeviceSerialNumber: '42', SeriesDate: '20260101' })]);
  for (const key of [{ DeviceSerialNumber: '43' }, { SeriesDate: '20260102' }]) {
    assert.ok(matches(dataSet(key), held));
    assert.equal(unsupportedKeys(dataSet(key), held).length, 1);
  }
});

test('keys: an attribute of the model is matched by its own VR, whichever one the query wrote', () => {
  const inStep = (key: DataSet): boolean =>
    matches(
      new Map([[tagOf('ScheduledProcedureStepSequence'), { vr: 'SQ', kind: 'sequence', items: [key] }]]),
      item(),
    );
  assert.ok(inStep(written('ScheduledProcedureStepStartDate', 'LO', '20260705-20260707')));
  assert.ok(!inStep(written('ScheduledProcedureStepStartDate', 'LO', '20260707-')));
  assert.ok(inStep(written('ScheduledProcedureStepStartTime', 'SH', '0900-1000')));
  assert.ok(matches(written('PatientName', 'LO', 'Doe^Jo^^'), item()));
});

test('keys: a code in lower case is the code', () => {
  assert.ok(asksStep({ Modality: 'mr' }));
  assert.ok(!asksStep({ Modality: 'ct' }));
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
