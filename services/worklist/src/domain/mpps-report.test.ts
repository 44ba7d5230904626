import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataSet, type Attributes } from '@scanflow/dicom';
import { examBegins, examEnds, examSeries, SERIES_UID } from '@scanflow/testkit';
import { encodeExamRecord, parseExamRecord, type ExamRecord, type ExamState } from '@scanflow/booking';
import { fillIn, knownScanners, recordOf, instantOf } from './mpps-report.ts';

const scanners = knownScanners({ prisma: { aet: 'PRISMA', modality: 'MR', sends: ['PRISMA_MPPS'] } });
const filled = (station: string | null, modality: string | null, callingAet: string) => {
  const attributes = { ...examBegins(), PerformedStationAETitle: station, Modality: modality };
  const { attributes: _, ...summary } = recordOf({
    sopInstanceUid: '2.25.7',
    step: { state: 'IN PROGRESS', attributes: dataSet(attributes) },
    callingAet,
    created: '2026-11-22T08:31:13Z',
    updated: '2026-11-22T08:31:13Z',
    timezone: 'Europe/Amsterdam',
    items: [],
    onlySeen: true,
  });
  const { stationAet, modality: known, missing } = fillIn(summary, scanners);
  return [stationAet, known, missing];
};

test('exam: what the scanner does not say of itself comes from its configuration', () => {
  assert.deepEqual(filled(null, null, 'PRISMA_MPPS'), [
    'PRISMA',
    'MR',
    ['PerformedStationAETitle', 'Modality'],
  ]);
  assert.deepEqual(filled('PRISMA', null, 'GATEWAY'), ['PRISMA', 'MR', ['Modality']]);
});

test('exam: what the scanner says stays, and of strangers nothing is known', () => {
  assert.deepEqual(filled('OTHER', 'CT', 'PRISMA'), ['OTHER', 'CT', undefined]);
  assert.deepEqual(filled(null, null, 'GATEWAY'), ['', '', ['PerformedStationAETitle', 'Modality']]);
});

const record = (more: Attributes = {}, state: ExamState = 'IN PROGRESS'): ExamRecord =>
  recordOf({
    sopInstanceUid: '2.25.7',
    step: { state, attributes: dataSet({ ...examBegins(), ...more }) },
    callingAet: 'GATEWAY',
    created: '2026-11-22T08:31:13Z',
    updated: '2026-11-22T08:31:13Z',
    timezone: 'Europe/Amsterdam',
    items: [],
    onlySeen: true,
  });

test('record: times are instants in the zone of the facility, or of the scanner where it tells its own', () => {
  assert.equal(record().started, '2026-11-22T08:31:12Z');
  assert.equal(record().ended, undefined);
  assert.equal(record(examEnds('COMPLETED')).ended, '2026-11-22T09:15:00Z');
  assert.equal(record({ TimezoneOffsetFromUTC: '-0500' }).started, '2026-11-22T14:31:12Z');
});

test('record: a time that is none is absent', () => {
  for (const [date, time] of [
    ['20260231', '0900'],
    ['2026-11-22', '0900'],
    ['20261122', ''],
    ['20261122', '9:00'],
    ['20261122', '2500'],
  ] as const)
    assert.equal(instantOf(date, time, 'Europe/Amsterdam'), undefined, `${date} ${time}`);
  assert.equal(instantOf('20261122', '09', '+02:00'), '2026-11-22T07:00:00Z');
  assert.equal(instantOf('2026.11.22', '09:00:12', '+02:00'), '2026-11-22T07:00:12Z', 'of older equipment');
});

test('record: images are counted per series, each once', () => {
  const others = [{ ReferencedSOPClassUID: '1.2', ReferencedSOPInstanceUID: '1.9' }];
  const twice = { ...examSeries(3), ReferencedNonImageCompositeSOPInstanceSequence: others };
  const list = [examSeries(3), twice, examSeries(5, '1.7')];
  const { series } = record({ PerformedSeriesSequence: list });
  assert.deepEqual(
    series.map(({ seriesInstanceUid, images, others: more }) => [seriesInstanceUid, images, more]),
    [
      [SERIES_UID, 3, 1],
      ['1.7', 5, 0],
    ],
  );
});

test('record: a reference without a UID is no image', () => {
  const [series] = record({
    PerformedSeriesSequence: [
      { ...examSeries(2), ReferencedImageSequence: [{}, { ReferencedSOPInstanceUID: null }] },
    ],
  }).series;
  assert.equal(series?.images, 0);
});

test('record: links have the study of the images first, then those that were requested', () => {
  const [link] = record().links;
  assert.deepEqual(link, {
    accessionNumber: 'A1',
    scheduledStepId: 'A1',
    requestedProcedureId: 'ses-mri01',
    studyInstanceUids: ['2.25.16689'],
  });
  const step = {
    StudyInstanceUID: '1.1',
    ReferencedStudySequence: [{ ReferencedSOPInstanceUID: '1.2' }, { ReferencedSOPInstanceUID: '1.1' }],
  };
  const grouped = record({ ScheduledStepAttributesSequence: [step] });
  assert.deepEqual(grouped.links[0]?.studyInstanceUids, ['1.1', '1.2']);
});

test('record: accession number and study that stand beside the sequence, not in it, link the exam', () => {
  const beside = { AccessionNumber: 'A1', StudyInstanceUID: '2.25.7' };
  const link = {
    accessionNumber: 'A1',
    scheduledStepId: '',
    requestedProcedureId: '',
    studyInstanceUids: ['2.25.7'],
  };
  for (const sequence of [[], [{ AccessionNumber: null, StudyInstanceUID: null }]])
    assert.deepEqual(record({ ...beside, ScheduledStepAttributesSequence: sequence }).links, [link]);
  assert.equal(record({ AccessionNumber: 'B1' }).links[0]?.accessionNumber, 'A1', 'the sequence counts');
  assert.deepEqual(record({ ScheduledStepAttributesSequence: [] }).links, []);
});

test('record: the wrong item of the worklist is told by its code', () => {
  const reason = (CodeValue: string): Attributes => ({
    PerformedProcedureStepDiscontinuationReasonCodeSequence: [
      { CodeValue, CodingSchemeDesignator: 'DCM', CodeMeaning: 'x' },
    ],
  });
  assert.equal(record(reason('110514'), 'DISCONTINUED').wrongItem, true);
  assert.equal(record(reason('110514'), 'COMPLETED').wrongItem, false);
  assert.equal(record(reason('110513'), 'DISCONTINUED').wrongItem, false);
});

test('record: is what the booking package reads', () => {
  const made = record(examEnds('COMPLETED'), 'COMPLETED');
  assert.deepEqual(parseExamRecord(encodeExamRecord(made)), { ok: true, record: made });
});
