import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { readAttributes, readUid, type AttributesResult } from './attributes.ts';
import type { DataSet } from './dataset.ts';
import { encodePart10 } from './encode.ts';
import { readFileHeader } from './locate.ts';
import { readPart10Header } from './part10.ts';
import { transferSyntaxes } from './uids.ts';
import { dataSet, items, makeElement, number, text } from './values.ts';

const body: DataSet = new Map([
  ...dataSet({
    PatientName: 'Müller^Jürgen',
    PatientID: '3015000.01_sub-001',
    SeriesNumber: 7,
    Rows: 300,
    RequestAttributesSequence: [{ ScheduledProcedureStepID: 'S1' }],
  }),
  [0x00090010, makeElement('LO', 'VENDOR')],
  [0x00091001, makeElement('OB', new Uint8Array(100_000))],
  [0x7fe00010, makeElement('OW', new Uint8Array(180_000))],
]);
const file = (transferSyntax: string, characterSet = 'ISO_IR 100'): Uint8Array =>
  encodePart10(body, {
    transferSyntax,
    characterSet,
    sopClassUid: '1.2.840.10008.5.1.4.1.1.7',
    sopInstanceUid: '2.25.1',
  });
const attributes = (result: AttributesResult): Extract<AttributesResult, { kind: 'attributes' }> => {
  assert.ok(result.kind === 'attributes', JSON.stringify(result));
  return result;
};
const { explicitVRLittleEndian, implicitVRLittleEndian, explicitVRBigEndian } = transferSyntaxes;

test('attributes: read in three syntaxes and in the file’s character set', () => {
  const keywords = ['PatientName', 'SeriesNumber', 'Rows', 'RequestAttributesSequence', 'StudyDate'];
  for (const syntax of [explicitVRLittleEndian, implicitVRLittleEndian, explicitVRBigEndian]) {
    for (const characterSet of ['ISO_IR 100', 'ISO_IR 192']) {
      const {
        dataSet: read,
        header,
        unreadable,
      } = attributes(readAttributes(file(syntax, characterSet), keywords, { complete: true }));
      assert.equal(text(read, 'PatientName'), 'Müller^Jürgen');
      assert.equal(number(read, 'SeriesNumber'), 7);
      assert.equal(number(read, 'Rows'), 300);
      const [request] = items(read, 'RequestAttributesSequence');
      assert.equal(request && text(request, 'ScheduledProcedureStepID'), 'S1');
      assert.equal(text(read, 'SpecificCharacterSet'), characterSet);
      assert.equal(read.size, 5);
      assert.deepEqual([header.transferSyntax, unreadable], [syntax, []]);
    }
  }
});

test('attributes: a head that ends early asks for more, up to the last attribute and never for the pixels', () => {
  const whole = file(explicitVRLittleEndian);
  let length = 1;
  let result = readAttributes(whole.subarray(0, length), ['PatientID', 'Rows'], { complete: false });
  while (result.kind === 'needMore') {
    assert.ok(result.atLeast > length);
    length = result.atLeast;
    result = readAttributes(whole.subarray(0, length), ['PatientID', 'Rows'], { complete: false });
  }
  assert.equal(number(attributes(result).dataSet, 'Rows'), 300);
  assert.ok(length < 102_000, `${length} bytes`);
});

test('attributes: bytes that the character set does not define do not lose the value', () => {
  const bytes = Buffer.from(file(explicitVRLittleEndian));
  bytes.write('ISO_IR 6  ', bytes.indexOf('ISO_IR 100'), 'latin1');
  const { dataSet: read } = attributes(readAttributes(bytes, ['PatientName'], { complete: true }));
  assert.equal(text(read, 'PatientName'), 'M\ufffdller^J\ufffdrgen');
});

test('attributes: a file that declares no character set is read in the one given', () => {
  const plain = Buffer.from(file(explicitVRLittleEndian));
  const at = plain.indexOf(Buffer.from([8, 0, 5, 0, 0x43, 0x53]));
  const bytes = Buffer.concat([plain.subarray(0, at), plain.subarray(at + 18)]);
  const options = { complete: true, defaultCharacterSet: 'ISO_IR 100' };
  const { dataSet: read } = attributes(readAttributes(bytes, ['PatientName'], options));
  assert.equal(text(read, 'PatientName'), 'Müller^Jürgen');
});

test('attributes: one broken value, or one that is too long, is named and the others are read', () => {
  const start = file(explicitVRLittleEndian).subarray(0, 132);
  const syntax = Buffer.concat([
    Buffer.from([2, 0, 0x10, 0, 0x55, 0x49, 20, 0]),
    Buffer.from('1.2.840.10008.1.2.1\0'),
  ]);
  const long = Buffer.alloc(12 + 70_000);
  long.set([0x10, 0, 0, 0x40, 0x55, 0x54, 0, 0, 0x70, 0x11, 1, 0]);
  const broken = Buffer.from([0x28, 0, 0x10, 0, 0x55, 0x53, 3, 0, 1, 2, 3]);
  const series = Buffer.from([0x20, 0, 0x11, 0, 0x49, 0x53, 2, 0, 0x37, 0x20]);
  const bytes = Buffer.concat([start, syntax, long, series, broken]);
  const keywords = ['PatientComments', 'SeriesNumber', 'Rows'];
  const { dataSet: read, unreadable } = attributes(readAttributes(bytes, keywords, { complete: true }));
  assert.equal(number(read, 'SeriesNumber'), 7);
  assert.deepEqual(unreadable, [0x00104000, 0x00280010]);
});

test('attributes: what cannot be read is refused with a code', () => {
  const code = (bytes: Uint8Array, keywords = ['Rows']): string => {
    const result = readAttributes(bytes, keywords, { complete: true });
    return result.kind === 'refused' ? result.code : result.kind;
  };
  const whole = file(explicitVRLittleEndian);
  assert.equal(code(Buffer.from('text')), 'DICOM_NOT_PART10');
  assert.equal(code(whole.subarray(0, 50_000)), 'DICOM_TRUNCATED');
  assert.equal(code(whole.subarray(0, whole.length - 1)), 'attributes');
  const named = (uid: string): Buffer =>
    Buffer.from(Buffer.from(whole).toString('latin1').replace('1.2.840.10008.1.2.1\0', uid), 'latin1');
  assert.equal(code(named('1.2.840.10008.9.9.9\0')), 'DICOM_SYNTAX_UNKNOWN');
  assert.equal(code(named('1.2.840.10008.1.2\0\0\0')), 'DICOM_UNDECODABLE');
  const syntax = Buffer.from([2, 0, 0x10, 0, 0x55, 0x49, 22, 0, ...Buffer.from('1.2.840.10008.1.2.1.99')]);
  const deflated = (stream: Uint8Array): Uint8Array =>
    Buffer.concat([whole.subarray(0, 132), syntax, stream]);
  assert.equal(code(deflated(new Uint8Array())), 'DICOM_TRUNCATED');
  assert.equal(code(deflated(new Uint8Array([7, 7, 7]))), 'DICOM_UNDECODABLE');
  assert.throws(() => readAttributes(whole, ['PixelData'], { complete: true }));
  assert.throws(() => readAttributes(whole, ['NoSuchKeyword'], { complete: true }));
});

test('attributes: of a deflated data set, from its head and from all of it', () => {
  const whole = Buffer.from(file(explicitVRLittleEndian));
  const header = readPart10Header(whole);
  assert.ok(!('needMore' in header));
  const uid = Buffer.from('1.2.840.10008.1.2.1.99');
  const syntax = Buffer.from([2, 0, 0x10, 0, 0x55, 0x49, uid.length, 0, ...uid]);
  const stream = deflateRawSync(whole.subarray(header.dataSetOffset));
  const deflated = Buffer.concat([whole.subarray(0, 132), syntax, stream]);
  for (const length of [deflated.length, deflated.length - 20]) {
    const options = { complete: length === deflated.length, fileSize: deflated.length };
    const { dataSet: read } = attributes(readAttributes(deflated.subarray(0, length), ['Rows'], options));
    assert.equal(
      number(read, 'Rows'),
      number(attributes(readAttributes(whole, ['Rows'], { complete: true })).dataSet, 'Rows'),
    );
  }
});

test('readUid: gives what readAttributes gives, padded or not, in each syntax', () => {
  const SERIES_UID = 0x0020000e;
  for (const uid of ['1.2.3', '1.2.34'])
    for (const transferSyntax of [explicitVRLittleEndian, implicitVRLittleEndian, explicitVRBigEndian]) {
      const bytes = encodePart10(new Map([...body, ...dataSet({ SeriesInstanceUID: uid })]), {
        transferSyntax,
        sopClassUid: '1.2.840.10008.5.1.4.1.1.7',
        sopInstanceUid: '2.25.1',
      });
      const header = readFileHeader(bytes, bytes.length);
      assert.ok(!('needMore' in header));
      const options = { complete: true, header };
      assert.equal(readUid(bytes, SERIES_UID, options), uid);
      const { dataSet: read } = attributes(readAttributes(bytes, [SERIES_UID], options));
      assert.equal(text(read, SERIES_UID), uid);
    }
});

test('readUid: what is not there, or not there yet, is undefined and no error', () => {
  const SERIES_UID = 0x0020000e;
  const bytes = file(explicitVRLittleEndian);
  const header = readFileHeader(bytes, bytes.length);
  assert.ok(!('needMore' in header));
  assert.equal(readUid(bytes, SERIES_UID, { complete: true, header }), undefined);
  const cut = bytes.subarray(0, header.dataSetOffset + 20);
  assert.equal(readUid(cut, SERIES_UID, { complete: false, fileSize: bytes.length, header }), undefined);
});
