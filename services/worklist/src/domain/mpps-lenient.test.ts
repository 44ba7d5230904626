/** Exam reports as real scanners send them: what lacks attributes of table F.7.2-1 is taken, and what is missing is known. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataSet, text, type Attributes } from '@scanflow/dicom';
import { examBegins, examEnds, examSeries } from '@scanflow/testkit';
import { createStep, missingOf, setStep, type MppsOutcome, type MppsStep } from './mpps.ts';

const create = (attributes: Attributes): MppsOutcome => createStep(dataSet(attributes), 'lenient');
const set = (from: MppsStep, attributes: Attributes): MppsOutcome =>
  setStep(from, dataSet(attributes), 'lenient');
function taken(outcome: MppsOutcome): MppsStep {
  assert.ok(outcome.ok, outcome.ok ? '' : outcome.refusal.comment);
  return outcome.step;
}
const status = (outcome: MppsOutcome): number => (outcome.ok ? 0 : outcome.refusal.status);
const without = (attributes: Attributes, keyword: string): Attributes => ({
  ...attributes,
  [keyword]: undefined,
});
const empty = (keyword: string): Attributes => ({ [keyword]: keyword.endsWith('Sequence') ? [] : null });

const begins = Object.keys(examBegins()).filter(
  (keyword) => !['SpecificCharacterSet', 'PerformedProcedureStepStatus'].includes(keyword),
);
for (const keyword of begins)
  test(`N-CREATE: taken without ${keyword}, and it is known to be missing`, () => {
    assert.deepEqual(missingOf(taken(create(without(examBegins(), keyword)))), [keyword]);
    taken(create({ ...examBegins(), ...empty(keyword) }));
  });
for (const keyword of Object.keys(examSeries(1)))
  test(`N-SET: an exam ends although its series lacks ${keyword}`, () => {
    const series = without(examSeries(1), keyword);
    const ended = taken(
      set(taken(create(examBegins())), { ...examEnds('COMPLETED'), PerformedSeriesSequence: [series] }),
    );
    assert.deepEqual([ended.state, missingOf(ended)], ['COMPLETED', [`PerformedSeriesSequence.${keyword}`]]);
  });
for (const keyword of Object.keys(without(examEnds('COMPLETED'), 'PerformedProcedureStepStatus')))
  test(`N-SET: an exam ends without ${keyword}`, () => {
    const ended = taken(set(taken(create(examBegins())), without(examEnds('DISCONTINUED'), keyword)));
    if (keyword !== 'PerformedProcedureStepStatus') assert.deepEqual(missingOf(ended), [keyword]);
  });

test('N-CREATE, N-SET: nothing but a status is taken, and a complete report misses nothing', () => {
  const begun = taken(create({ PerformedProcedureStepStatus: 'IN PROGRESS' }));
  assert.equal(taken(set(begun, { PerformedProcedureStepStatus: 'COMPLETED' })).state, 'COMPLETED');
  assert.deepEqual(missingOf(taken(set(taken(create(examBegins())), examEnds('COMPLETED')))), []);
});

test('N-CREATE, N-SET: what cannot be used is refused', () => {
  assert.equal(status(create(without(examBegins(), 'PerformedProcedureStepStatus'))), 0x0120);
  assert.equal(status(create({ ...examBegins(), PerformedProcedureStepStatus: null })), 0x0121);
  assert.equal(status(create({ ...examBegins(), PerformedProcedureStepStatus: 'DONE' })), 0x0106);
  const ended = taken(set(taken(create(examBegins())), examEnds('COMPLETED')));
  assert.equal(status(set(ended, examEnds('COMPLETED'))), 0x0110);
});

for (const [keyword, other] of [
  ['PerformedProcedureStepStartDate', '20261121'],
  ['PerformedProcedureStepStartTime', '070000'],
  ['PerformedProcedureStepID', 'PPS2'],
  ['PerformedLocation', 'MR2'],
  ['StudyID', 'ses-mri02'],
] as const)
  test(`N-SET: another ${keyword} does not keep an exam open; the first one stays`, () => {
    const begun = taken(create({ ...examBegins(), PerformedLocation: 'MR1' }));
    const ended = taken(set(begun, { ...examEnds('COMPLETED'), [keyword]: other }));
    assert.equal(ended.state, 'COMPLETED');
    assert.equal(text(ended.attributes, keyword), text(begun.attributes, keyword));
    const strictly = asTaken(createStep(dataSet(examBegins()), 'strict')).step;
    assert.equal(status(setStep(strictly, dataSet({ [keyword]: other }), 'strict')), 0x0106);
  });

for (const written of ['in progress', 'In Progress', 'IN_PROGRESS', 'INPROGRESS', ' IN PROGRESS '])
  test(`N-CREATE: status ${written} can mean one thing only`, () => {
    const begun = taken(create({ ...examBegins(), PerformedProcedureStepStatus: written }));
    assert.equal(begun.state, 'IN PROGRESS');
    assert.equal(taken(set(begun, { PerformedProcedureStepStatus: 'Completed' })).state, 'COMPLETED');
    assert.equal(taken(set(begun, { PerformedProcedureStepStatus: 'discontinued' })).state, 'DISCONTINUED');
  });

test('N-CREATE: an exam that is reported once, when it is over, is taken, and may not change then', () => {
  const over = taken(create({ ...examBegins(), ...examEnds('COMPLETED') }));
  assert.deepEqual([over.state, missingOf(over)], ['COMPLETED', []]);
  assert.equal(status(set(over, examEnds('DISCONTINUED'))), 0x0110);
});

test('N-SET: an empty status says nothing', () => {
  const begun = taken(create(examBegins()));
  const more = { PerformedProcedureStepStatus: null, PerformedSeriesSequence: [examSeries(1)] };
  const after = taken(set(begun, more));
  assert.deepEqual([after.state, missingOf(after)], ['IN PROGRESS', []]);
});

for (const [keyword, first, again] of [
  ['PatientName', 'M\u00fcller^J', 'Mu\u0308ller^J'],
  ['StudyID', 'caf\u00e9', 'cafe\u0301'],
  ['PatientName', 'Doe^Jo', 'Doe^Jo^^'],
  ['PatientName', 'Doe^Jo^^^', 'Doe^Jo=='],
  ['PerformedProcedureStepStartTime', '093000', '093000.000000'],
  ['PerformedProcedureStepStartTime', '0930', '09:30:00'],
  ['PerformedProcedureStepStartDate', '20260115', '2026.01.15'],
  ['PatientID', 'x', ' x '],
] as const)
  for (const strictness of ['lenient', 'strict'] as const)
    test(`N-SET: the same value in another form is no change (${strictness}): ${keyword} ${first}, ${again}`, () => {
      const { step } = asTaken(createStep(dataSet({ ...examBegins(), [keyword]: first }), strictness));
      const after = taken(setStep(step, dataSet({ [keyword]: again }), strictness));
      assert.equal(text(after.attributes, keyword), text(step.attributes, keyword), 'the first form stays');
    });
function asTaken(outcome: MppsOutcome): { step: MppsStep } {
  return { step: taken(outcome) };
}

test('N-SET: a scheduled step that is sent again with less or other blanks is no change', () => {
  const [link] = examBegins()['ScheduledStepAttributesSequence'] as Attributes[];
  const { ReferencedStudySequence: _, ...less } = link ?? {};
  const again = { ScheduledStepAttributesSequence: [{ ...less, RequestedProcedureID: 'ses-mri01 ' }] };
  taken(set(taken(create(examBegins())), again));
});

test('N-SET: what was not there may come later; another value for what was there is 0106', () => {
  const begun = taken(create({ ...without(examBegins(), 'PatientName'), Modality: null }));
  const after = taken(set(begun, { Modality: 'MR', PatientName: 'Doe^Jo', PatientID: null }));
  assert.deepEqual(
    ['Modality', 'PatientName', 'PatientID'].map((keyword) => text(after.attributes, keyword)),
    ['MR', 'Doe^Jo', '3010000.01_sub-A1'],
  );
  for (const other of [{ PatientID: 'y' }, { PatientName: 'Doe^Jane' }, { Modality: 'CT' }])
    assert.equal(status(set(after, other)), 0x0106, JSON.stringify(other));
});
