import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DataSet } from './dataset.ts';
import { fromDicomJson, toDicomJson } from './dicom-json.ts';
import { dataSet } from './values.ts';

const rich: DataSet = new Map([
  ...dataSet({
    PatientName: ['Müller^Jörg', 'Yamada^Tarou=山田^太郎=やまだ^たろう', 'A==B'],
    PatientBirthDate: null,
    SeriesNumber: 3,
    RepetitionTime: '2300.00',
    Rows: 512,
    PregnancyStatus: null,
    ImageComments: 'one \\ text',
    PerformedSeriesSequence: [],
    ScheduledStepAttributesSequence: [{ AccessionNumber: 'A1', ReferencedStudySequence: [{}] }],
  }),
  [0x00291010, { vr: 'OB', kind: 'binary', bytes: Uint8Array.of(1, 2, 255) }],
]);

test('dicom json: what is written is read, through text', () => {
  const text = JSON.stringify(toDicomJson(rich));
  const back = fromDicomJson(JSON.parse(text) as Record<string, unknown>);
  assert.deepEqual(new Map([...back].sort(([a], [b]) => a - b)), rich);
});

test('dicom json: is as PS3.18 F.2 shows it', () => {
  assert.deepEqual(toDicomJson(dataSet({ PatientName: 'A^B=C', StudyID: null, Modality: 'MR' })), {
    '00080060': { vr: 'CS', Value: ['MR'] },
    '00100010': { vr: 'PN', Value: [{ Alphabetic: 'A^B', Ideographic: 'C' }] },
    '00200010': { vr: 'SH' },
  });
});

for (const [what, json] of Object.entries({
  'a key that is no tag': { patient: { vr: 'LO' } },
  'an attribute without VR': { '00100020': { Value: ['x'] } },
  'a number as text': { '00100020': { vr: 'LO', Value: [1] } },
  'an item that is none': { '00400270': { vr: 'SQ', Value: ['x'] } },
  'a value that is no list': { '00100020': { vr: 'LO', Value: 'x' } },
  'a name that is a text': { '00100010': { vr: 'PN', Value: ['x'] } },
}))
  test(`dicom json: ${what} throws`, () => {
    assert.throws(() => fromDicomJson(json), TypeError);
  });
