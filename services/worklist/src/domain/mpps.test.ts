/** The state machine of PS3.4 F.7.2, and table F.7.2-1 row by row. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataSet, items, keywordOf, tagOf, text, type Attributes, type DataSet } from '@scanflow/dicom';
import { examBegins, examEnds, examSeries } from '@scanflow/testkit';
import { createStep as create, setStep, type MppsOutcome, type MppsStep } from './mpps.ts';

const createStep = (given: DataSet): MppsOutcome => create(given, 'strict');
const begun = (): MppsStep => step(createStep(dataSet(examBegins())));
const set = (from: MppsStep, attributes: Attributes): MppsOutcome =>
  setStep(from, dataSet(attributes), 'strict');
function step(outcome: MppsOutcome): MppsStep {
  assert.ok(outcome.ok, outcome.ok ? '' : outcome.refusal.comment);
  return outcome.step;
}
interface Refused {
  status: number;
  comment: string;
  names: (string | undefined)[];
  attributes: DataSet | undefined;
  errorId: number | undefined;
}
function refusal(outcome: MppsOutcome): Refused {
  assert.ok(!outcome.ok, 'it was accepted');
  const { status, comment, attributeIdentifiers = [], attributes, errorId } = outcome.refusal;
  assert.ok(comment.length <= 64, comment);
  return { status, comment, names: attributeIdentifiers.map(keywordOf), attributes, errorId };
}
const without = (attributes: Attributes, keyword: string): Attributes => ({
  ...attributes,
  [keyword]: undefined,
});
const only = (list: Attributes['x']): Attributes => (Array.isArray(list) ? (list[0] as Attributes) : {});

const link = only(examBegins()['ScheduledStepAttributesSequence']);
const reference = { ReferencedSOPClassUID: '1.2', ReferencedSOPInstanceUID: '1.3' };

const TYPE_1 = `ScheduledStepAttributesSequence PerformedProcedureStepID PerformedStationAETitle
  PerformedProcedureStepStartDate PerformedProcedureStepStartTime PerformedProcedureStepStatus Modality`.split(
  /\s+/,
);
const TYPE_2 =
  `PatientName PatientID PatientBirthDate PatientSex ReferencedPatientSequence PerformedStationName
  PerformedLocation PerformedProcedureStepDescription PerformedProcedureTypeDescription ProcedureCodeSequence
  PerformedProcedureStepEndDate PerformedProcedureStepEndTime StudyID PerformedProtocolCodeSequence
  PerformedSeriesSequence`.split(/\s+/);
const LINK_TYPE_1 = ['StudyInstanceUID'];
const LINK_TYPE_2 =
  `ReferencedStudySequence AccessionNumber RequestedProcedureID RequestedProcedureDescription
  ScheduledProcedureStepID ScheduledProcedureStepDescription ScheduledProtocolCodeSequence`.split(/\s+/);
const SERIES_TYPE_1 = ['ProtocolName', 'SeriesInstanceUID'];
const SERIES_TYPE_2 =
  `PerformingPhysicianName OperatorsName SeriesDescription RetrieveAETitle ReferencedImageSequence
  ReferencedNonImageCompositeSOPInstanceSequence`.split(/\s+/);

for (const keyword of [...TYPE_1, ...TYPE_2])
  test(`N-CREATE: without ${keyword} is 0120 and names it`, () => {
    const told = refusal(createStep(dataSet(without(examBegins(), keyword))));
    assert.deepEqual([told.status, told.names], [0x0120, [keyword]]);
    assert.match(told.comment, new RegExp(keyword));
  });
for (const keyword of TYPE_1)
  test(`N-CREATE: an empty ${keyword} is 0121 and names it`, () => {
    const empty = keyword.endsWith('Sequence') ? [] : null;
    const told = refusal(createStep(dataSet({ ...examBegins(), [keyword]: empty })));
    assert.deepEqual([told.status, told.names], [0x0121, [keyword]]);
    assert.ok(told.attributes?.has(tagOf(keyword)), 'it is sent back');
  });
for (const keyword of TYPE_2)
  test(`N-CREATE: an empty ${keyword} is accepted`, () => {
    const empty = keyword.endsWith('Sequence') ? [] : null;
    assert.equal(step(createStep(dataSet({ ...examBegins(), [keyword]: empty }))).state, 'IN PROGRESS');
  });
for (const keyword of [...LINK_TYPE_1, ...LINK_TYPE_2])
  test(`N-CREATE: a scheduled step without ${keyword} is 0120 and names it`, () => {
    const links = [link, without(link, keyword)];
    const told = refusal(createStep(dataSet({ ...examBegins(), ScheduledStepAttributesSequence: links })));
    assert.deepEqual([told.status, told.names], [0x0120, [keyword]]);
  });
for (const keyword of LINK_TYPE_1)
  test(`N-CREATE: a scheduled step with an empty ${keyword} is 0121`, () => {
    const links = [{ ...link, [keyword]: null }];
    const told = refusal(createStep(dataSet({ ...examBegins(), ScheduledStepAttributesSequence: links })));
    assert.deepEqual([told.status, told.names], [0x0121, [keyword]]);
  });
for (const keyword of ['ReferencedSOPClassUID', 'ReferencedSOPInstanceUID'])
  test(`N-CREATE: a reference without ${keyword} is 0120, to a patient and to a study`, () => {
    const bad = without(reference, keyword);
    const patient = { ...examBegins(), ReferencedPatientSequence: [bad] };
    const study = {
      ...examBegins(),
      ScheduledStepAttributesSequence: [{ ...link, ReferencedStudySequence: [bad] }],
    };
    for (const message of [patient, study])
      assert.deepEqual(refusal(createStep(dataSet(message))).names, [keyword]);
  });
for (const keyword of [...SERIES_TYPE_1, ...SERIES_TYPE_2])
  test(`N-CREATE, N-SET: a series without ${keyword} is refused, at any time`, () => {
    const list = { PerformedSeriesSequence: [examSeries(1), without(examSeries(1), keyword)] };
    assert.deepEqual(refusal(createStep(dataSet({ ...examBegins(), ...list }))).status, 0x0120);
    const told = refusal(set(begun(), list));
    assert.deepEqual([told.status, told.names], [0x0121, [keyword]]);
  });
for (const keyword of SERIES_TYPE_1)
  test(`N-SET: a series with an empty ${keyword} is 0121`, () => {
    const list = { PerformedSeriesSequence: [{ ...examSeries(1), [keyword]: null }] };
    assert.deepEqual(refusal(set(begun(), list)).names, [keyword]);
  });
for (const sequence of ['ReferencedImageSequence', 'ReferencedNonImageCompositeSOPInstanceSequence'])
  test(`N-SET: a reference without its UIDs in ${sequence} is 0121`, () => {
    const list = { PerformedSeriesSequence: [{ ...examSeries(1), [sequence]: [{}] }] };
    assert.deepEqual(refusal(set(begun(), list)).names, [
      'ReferencedSOPClassUID',
      'ReferencedSOPInstanceUID',
    ]);
  });

test('N-CREATE: many missing are all in the list; the comment tells how many it leaves out', () => {
  const told = refusal(createStep(dataSet({ Modality: 'MR' })));
  assert.equal(told.names.length, TYPE_1.length + TYPE_2.length - 1);
  assert.match(told.comment, /^Missing: ScheduledStepAttributesSequence.* \+\d+$/);
});

for (const status of ['COMPLETED', 'DISCONTINUED', 'STARTED', 'in progress'])
  test(`N-CREATE: status ${status} is 0106 with the attribute`, () => {
    const told = refusal(createStep(dataSet({ ...examBegins(), PerformedProcedureStepStatus: status })));
    assert.equal(told.status, 0x0106);
    assert.equal(told.attributes && text(told.attributes, 'PerformedProcedureStepStatus'), status);
  });

for (const state of ['COMPLETED', 'DISCONTINUED'] as const) {
  test(`N-SET: IN PROGRESS to ${state}`, () => {
    const ended = step(set(begun(), examEnds(state)));
    assert.equal(ended.state, state);
    assert.equal(text(ended.attributes, 'PatientName'), 'Müller^Jörg', 'what was not set stays');
    assert.equal(items(ended.attributes, 'PerformedSeriesSequence').length, 1);
  });
  for (const [what, next] of Object.entries({
    nothing: {},
    'IN PROGRESS': { PerformedProcedureStepStatus: 'IN PROGRESS' },
    COMPLETED: examEnds('COMPLETED'),
    DISCONTINUED: examEnds('DISCONTINUED'),
  }))
    test(`N-SET: ${state} stays, whatever is sent: ${what}`, () => {
      const told = refusal(set(step(set(begun(), examEnds(state))), next));
      assert.deepEqual([told.status, told.errorId], [0x0110, 0xa710]);
      assert.equal(told.comment, 'Performed Procedure Step Object may no longer be updated');
    });
  for (const keyword of [
    'PerformedProcedureStepEndDate',
    'PerformedProcedureStepEndTime',
    'PerformedSeriesSequence',
  ])
    test(`N-SET: ${state} without ${keyword} is 0121 and names it`, () => {
      const told = refusal(set(begun(), without(examEnds(state), keyword)));
      assert.deepEqual([told.status, told.names], [0x0121, [keyword]]);
    });
  test(`N-SET: ${state} with what was set before`, () => {
    const { PerformedProcedureStepStatus: _, ...rest } = examEnds(state);
    const prepared = step(set(begun(), rest));
    assert.equal(prepared.state, 'IN PROGRESS');
    assert.equal(step(set(prepared, { PerformedProcedureStepStatus: state })).state, state);
  });
}

test('N-SET: a status that is none is 0106', () => {
  assert.equal(refusal(set(begun(), { PerformedProcedureStepStatus: 'DONE' })).status, 0x0106);
  assert.equal(refusal(set(begun(), { PerformedProcedureStepStatus: null })).status, 0x0106);
});

test('N-SET: a sequence is replaced as a whole, and a value may be emptied', () => {
  const two = step(set(begun(), { PerformedSeriesSequence: [examSeries(1, '1.1'), examSeries(1, '1.2')] }));
  const one = step(
    set(two, { PerformedSeriesSequence: [examSeries(1, '1.3')], PerformedProcedureStepDescription: null }),
  );
  const uids = items(one.attributes, 'PerformedSeriesSequence').map((item) =>
    text(item, 'SeriesInstanceUID'),
  );
  assert.deepEqual(uids, ['1.3']);
});

const OTHER: Attributes = {
  ...Object.fromEntries(Object.keys(examBegins()).map((keyword) => [keyword, 'X'])),
  ScheduledStepAttributesSequence: [{ ...link, AccessionNumber: 'OTHER' }],
  ReferencedPatientSequence: [reference],
  IssuerOfPatientIDQualifiersSequence: [{}],
  OtherPatientIDsSequence: [{}],
  IssuerOfAdmissionIDSequence: [{}],
  IssuerOfServiceEpisodeIDSequence: [{}],
};
for (const keyword of `ScheduledStepAttributesSequence PatientName PatientID IssuerOfPatientID
  IssuerOfPatientIDQualifiersSequence OtherPatientIDsSequence PatientBirthDate PatientSex ReferencedPatientSequence
  AdmissionID IssuerOfAdmissionIDSequence ServiceEpisodeID IssuerOfServiceEpisodeIDSequence ServiceEpisodeDescription
  PerformedProcedureStepID PerformedStationAETitle PerformedStationName PerformedLocation
  PerformedProcedureStepStartDate PerformedProcedureStepStartTime Modality StudyID`.split(/\s+/)) {
  test(`N-SET: ${keyword} may not change`, () => {
    const told = refusal(set(begun(), { [keyword]: OTHER[keyword] ?? 'X' }));
    assert.equal(told.status, 0x0106);
    assert.match(told.comment, new RegExp(keyword));
    assert.ok(told.attributes?.has(tagOf(keyword)));
  });
}

test('N-SET: scanners that send all of the step again do no harm', () => {
  const all = { ...examBegins(), ...examEnds('COMPLETED') };
  assert.equal(step(set(begun(), all)).state, 'COMPLETED');
});

test('N-SET: a refusal changes nothing', () => {
  const before = begun();
  const copy = new Map(before.attributes);
  refusal(set(before, { ...examEnds('COMPLETED'), PatientID: 'X' }));
  assert.deepEqual([before.state, new Map(before.attributes)], ['IN PROGRESS', copy]);
});
