import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  dataSet,
  decodeDataSet,
  encodeDataSet,
  items,
  number,
  text,
  texts,
  transferSyntaxes,
} from './index.ts';

const { implicitVRLittleEndian, explicitVRLittleEndian, explicitVRBigEndian } = transferSyntaxes;
const three = { implicitVRLittleEndian, explicitVRLittleEndian, explicitVRBigEndian };

const sample = dataSet({
  PatientName: 'Müller^Jürgen=山田^太郎',
  Rows: 512,
  SeriesNumber: 3,
  SliceThickness: 1.5,
  ImageType: ['ORIGINAL', 'PRIMARY'],
  PregnancyStatus: null,
  StudyInstanceUID: '1.2.3',
  ReferencedStudySequence: [],
  ScheduledProcedureStepSequence: [
    {},
    { Modality: 'MR', ScheduledProtocolCodeSequence: [{ CodeValue: 'x' }] },
  ],
});

for (const [name, syntax] of Object.entries(three)) {
  test(`codec: ${name} gives back what was written`, () => {
    const bytes = encodeDataSet(sample, syntax, 'ISO_IR 192');
    const decoded = decodeDataSet(bytes, syntax);
    assert.equal(text(decoded, 'SpecificCharacterSet'), 'ISO_IR 192');
    assert.equal(text(decoded, 'PatientName'), 'Müller^Jürgen=山田^太郎');
    assert.equal(number(decoded, 'Rows'), 512);
    assert.equal(number(decoded, 'SeriesNumber'), 3);
    assert.deepEqual(texts(decoded, 'ImageType'), ['ORIGINAL', 'PRIMARY']);
    assert.equal(number(decoded, 'PregnancyStatus'), undefined);
    assert.equal(items(decoded, 'ReferencedStudySequence').length, 0);
    const [empty, full] = items(decoded, 'ScheduledProcedureStepSequence');
    assert.equal(empty?.size, 0);
    assert.equal(text(items(full!, 'ScheduledProtocolCodeSequence')[0]!, 'CodeValue'), 'x');
    assert.deepEqual(encodeDataSet(decoded, syntax, 'ISO_IR 192'), bytes);
  });
}
