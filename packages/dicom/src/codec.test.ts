import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  dataSet,
  decodeDataSet,
  DicomDecodeError,
  element,
  encodeDataSet,
  encodePart10,
  items,
  makeElement,
  number,
  text,
  texts,
  transferSyntaxes,
  type DataSet,
  type DecodeOptions,
  type Element,
  type Tag,
} from './index.ts';

const { implicitVRLittleEndian: implicit, explicitVRLittleEndian: explicit } = transferSyntaxes;
const { explicitVRBigEndian: bigEndian } = transferSyntaxes;

const sample = dataSet({
  PatientName: 'Müller^Jürgen=山田^太郎',
  Rows: 512,
  SeriesNumber: 3,
  SliceThickness: 1.5,
  ImageType: 'ORIGINAL\\PRIMARY',
  ImagePositionPatient: [-1.5, 0, 1 / 3],
  PregnancyStatus: null,
  StudyInstanceUID: '1.2.3',
  FrameIncrementPointer: 0x00181063,
  DiffusionBValue: 1000.5,
  SmallestImagePixelValue: -2,
  ReferencedStudySequence: [],
  ScheduledProcedureStepSequence: [
    {},
    { Modality: 'MR', ScheduledProtocolCodeSequence: [{ CodeValue: 'x' }] },
  ],
});

for (const [name, syntax] of Object.entries({ implicit, explicit, bigEndian })) {
  test(`codec: ${name} gives back what was written`, () => {
    const bytes = encodeDataSet(sample, syntax, 'ISO_IR 192');
    const decoded = decodeDataSet(bytes, syntax);
    assert.equal(text(decoded, 'SpecificCharacterSet'), 'ISO_IR 192');
    assert.equal(text(decoded, 'PatientName'), 'Müller^Jürgen=山田^太郎');
    assert.equal(number(decoded, 'Rows'), 512);
    assert.equal(number(decoded, 'SeriesNumber'), 3);
    assert.equal(number(decoded, 'DiffusionBValue'), 1000.5);
    assert.deepEqual(texts(decoded, 'ImageType'), ['ORIGINAL', 'PRIMARY']);
    assert.deepEqual(texts(decoded, 'ImagePositionPatient'), ['-1.5', '0', '0.33333333333333']);
    assert.deepEqual(element(decoded, 'PregnancyStatus'), {
      vr: 'US',
      kind: 'binary',
      bytes: new Uint8Array(0),
    });
    assert.deepEqual(element(decoded, 'FrameIncrementPointer'), element(sample, 'FrameIncrementPointer'));
    assert.equal(items(decoded, 'ReferencedStudySequence').length, 0);
    const [empty, full] = items(decoded, 'ScheduledProcedureStepSequence');
    assert.equal(empty?.size, 0);
    assert.equal(text(items(full!, 'ScheduledProtocolCodeSequence')[0]!, 'CodeValue'), 'x');
    assert.deepEqual(encodeDataSet(decoded, syntax, 'ISO_IR 192'), bytes);
  });
}

/** Bytes of hexadecimal text, spaces ignored. */
const hex = (digits: string): Buffer => Buffer.from(digits.replaceAll(' ', ''), 'hex');
const failure = (bytes: Uint8Array, syntax: string, options?: DecodeOptions): DicomDecodeError => {
  try {
    decodeDataSet(bytes, syntax, options);
  } catch (error) {
    if (error instanceof DicomDecodeError) return error;
    throw error;
  }
  throw new Error('It was decoded.');
};

test('codec: undefined lengths, nested, in implicit and explicit VR', () => {
  const nested =
    '40000001 ffffffff feff00e0 ffffffff 08006000 02000000 4d52 ' +
    '40000800 ffffffff feff00e0 00000000 feffdde0 00000000 feff0de0 00000000 feffdde0 00000000';
  const [step] = items(decodeDataSet(hex(nested), implicit), 'ScheduledProcedureStepSequence');
  assert.equal(text(step!, 'Modality'), 'MR');
  assert.equal(items(step!, 'ScheduledProtocolCodeSequence').length, 1);
  const withVr =
    '40000001 5351 0000 ffffffff feff00e0 ffffffff 08006000 4353 0200 4d52 feff0de0 00000000 feffdde0 00000000';
  assert.equal(text(items(decodeDataSet(hex(withVr), explicit), 0x00400100)[0]!, 'Modality'), 'MR');
});

test('codec: UN of undefined length is a sequence in implicit VR (PS3.5 6.2.2)', () => {
  const bytes = hex('09001010 554e 0000 ffffffff feff00e0 0a000000 08006000 02000000 4d52 feffdde0 00000000');
  assert.equal(text(items(decodeDataSet(bytes, explicit), 0x00091010)[0]!, 'Modality'), 'MR');
});

test('codec: private elements and group lengths are read; only private ones are written', () => {
  const bytes = hex(
    '08000000 04000000 0a000000 08006000 02000000 4d52 09001000 04000000 41434d45 09001010 02000000 0102',
  );
  const decoded = decodeDataSet(bytes, implicit);
  assert.deepEqual([...decoded.keys()], [0x00080000, 0x00080060, 0x00090010, 0x00091010]);
  assert.equal(decoded.get(0x00090010)?.vr, 'LO');
  assert.equal(decoded.get(0x00091010)?.vr, 'UN');
  assert.deepEqual(Buffer.from(encodeDataSet(decoded, implicit)), bytes.subarray(12));
});

test('codec: the group lengths of commands and file meta information are computed', () => {
  const command = dataSet({
    CommandGroupLength: 0,
    CommandField: 0x8030,
    MessageIDBeingRespondedTo: 1,
    Status: 0,
  });
  const bytes = encodeDataSet(command, implicit);
  assert.equal(number(decodeDataSet(bytes, implicit), 'CommandGroupLength'), bytes.length - 12);
});

test('codec: "US or SS" follows Pixel Representation', () => {
  const signed = new Map([...dataSet({ PixelRepresentation: 1, SmallestImagePixelValue: -5 })]);
  assert.equal(
    number(decodeDataSet(encodeDataSet(signed, implicit), implicit), 'SmallestImagePixelValue'),
    -5,
  );
  const unsigned = dataSet({ PixelRepresentation: 0, SmallestImagePixelValue: 65000 });
  assert.equal(
    number(decodeDataSet(encodeDataSet(unsigned, implicit), implicit), 'SmallestImagePixelValue'),
    65000,
  );
});

test('codec: padding goes, values stay as they are', () => {
  const written = new Map<Tag, Element>([
    [0x00100020, makeElement('LO', ['  a b ', ' c'])],
    [0x00101030, makeElement('DS', ' 70.0')],
    [0x00104000, makeElement('LT', '  x ')],
    [0x0020000d, makeElement('UI', '1.2.345')],
    [0x00200010, makeElement('SH', '   ')],
    [0x00080020, makeElement('DA', '1678.03.04')],
  ]);
  const decoded = decodeDataSet(encodeDataSet(written, explicit), explicit);
  assert.deepEqual(texts(decoded, 'PatientID'), ['a b', 'c']);
  assert.deepEqual(texts(decoded, 'PatientWeight'), ['70.0']);
  assert.deepEqual(texts(decoded, 'PatientComments'), ['  x']);
  assert.deepEqual(texts(decoded, 'StudyInstanceUID'), ['1.2.345']);
  assert.deepEqual(texts(decoded, 'StudyID'), []);
  assert.deepEqual(texts(decoded, 'StudyDate'), ['1678.03.04']);
});

test('codec: a value too long for 16 bits of length is written as UN', () => {
  const long = dataSet({ ContourData: Array.from({ length: 20_000 }, (_, index) => index) });
  const unknown = element(decodeDataSet(encodeDataSet(long, explicit), explicit), 'ContourData');
  assert.equal(unknown?.vr, 'UN');
  assert.equal(texts(decodeDataSet(encodeDataSet(long, implicit), implicit), 'ContourData').length, 20_000);
});

test('codec: what cannot be decoded is an error with code and offset', () => {
  const cases: readonly [string, string, string, number, DecodeOptions?][] = [
    ['0800600043530400 4d52', explicit, 'TRUNCATED', 8],
    ['080060004353', explicit, 'TRUNCATED', 0],
    ['08006000 04000000 4d52', implicit, 'TRUNCATED', 8],
    ['080060005a5a0200 4d52', explicit, 'BAD_VR', 4],
    ['28001000 555303000000 00', explicit, 'BAD_LENGTH', 0],
    ['08006000 ffffffff', implicit, 'BAD_LENGTH', 0],
    ['e07f1000 4f42 0000 ffffffff', explicit, 'ENCAPSULATED', 0],
    ['feff00e0 00000000', implicit, 'BAD_STRUCTURE', 0],
    ['40000001 08000000 08006000 00000000', implicit, 'BAD_STRUCTURE', 8],
    ['40000001 ffffffff feff00e0 00000000', implicit, 'TRUNCATED', 16],
    ['40000001 ffffffff feffdde0 02000000', implicit, 'BAD_LENGTH', 8],
    ['40000001 0a000000 feff00e0 04000000 0000', implicit, 'TRUNCATED', 16],
    ['08006000 00000000 08006000 02000000 4d52', implicit, 'DUPLICATE', 8],
    ['10001000 02000000 41fc 08000500 00000000', implicit, 'BAD_TEXT', 8],
    [
      '10001000 02000000 41fc 08000500 00000000',
      implicit,
      'ORDER',
      10,
      { defaultCharacterSet: 'ISO_IR 100' },
    ],
    ['08006000 00000000 00000000', implicit, 'TRUNCATED', 8],
    ['08006000 00000000 00000001', implicit, 'TRUNCATED', 8, { zeroPadding: true }],
    ['08006000 00000000 08007000 00000000', implicit, 'TOO_MANY', 8, { maxElements: 1 }],
  ];
  for (const [bytes, syntax, code, offset, options] of cases) {
    const error = failure(hex(bytes), syntax, options);
    assert.deepEqual([error.code, error.offset], [code, offset], bytes);
  }
  assert.equal(failure(hex(''), '1.2.3').code, 'TRANSFER_SYNTAX');
  assert.equal(failure(hex(''), transferSyntaxes.deflatedExplicitVRLittleEndian).code, 'TRANSFER_SYNTAX');
});

test('codec: nesting, elements and values are bounded, and soon refused', () => {
  const open = Buffer.alloc(1_600_000, hex('40000001 ffffffff feff00e0 ffffffff'));
  const items = Buffer.concat([hex('40000001 ffffffff'), Buffer.alloc(8_000_000, hex('feff00e0 00000000'))]);
  const values = Buffer.concat([hex('10001000 5543 0000 80969800'), Buffer.alloc(10_000_000, 0x5c)]);
  const started = performance.now();
  assert.equal(failure(open, implicit).code, 'TOO_DEEP');
  assert.equal(failure(items, implicit).code, 'TOO_MANY');
  assert.equal(failure(values, explicit).code, 'TOO_MANY');
  assert.ok(performance.now() - started < 5000, 'unbounded, each takes longer than that');
});

test('codec: a head is read up to a tag', () => {
  const bytes = encodeDataSet(dataSet({ Modality: 'MR', Rows: 4, PixelData: new Uint8Array(100) }), explicit);
  const head = bytes.subarray(0, bytes.length - 90);
  assert.equal(failure(head, explicit).code, 'TRUNCATED');
  assert.equal(number(decodeDataSet(head, explicit, { before: 0x7fe00010 }), 'Rows'), 4);
});

test('build: what an attribute cannot hold is refused', () => {
  assert.throws(() => dataSet({ NoSuchKeyword: 'x' }), /NoSuchKeyword/);
  assert.throws(() => dataSet({ Rows: 65_536 }), RangeError);
  assert.throws(() => dataSet({ Rows: 1.5 }), RangeError);
  assert.throws(() => dataSet({ Rows: '1' }), RangeError);
  assert.throws(() => dataSet({ PixelData: 'x' }), RangeError);
  assert.throws(() => dataSet({ EncapsulatedDocument: 'x' }), TypeError);
  assert.throws(() => dataSet({ ReferencedStudySequence: 'x' }), TypeError);
  assert.throws(() => dataSet({ SeriesNumber: Number.NaN }), TypeError);
  assert.equal(dataSet({ PatientName: undefined }).size, 0);
});

test('Part 10: preamble, file meta information and data set', () => {
  const body: DataSet = dataSet({ PatientName: 'Müller' });
  const bytes = encodePart10(body, {
    transferSyntax: bigEndian,
    characterSet: 'ISO_IR 100',
    sopClassUid: '1.2',
    sopInstanceUid: '1.2.3',
    extraMeta: dataSet({ SourceApplicationEntityTitle: 'SCANFLOW' }),
  });
  assert.equal(Buffer.from(bytes.subarray(128, 132)).toString('latin1'), 'DICM');
  const meta = decodeDataSet(bytes.subarray(132), explicit, { before: 0x00030000 });
  assert.equal(text(meta, 'TransferSyntaxUID'), bigEndian);
  assert.equal(text(meta, 'SourceApplicationEntityTitle'), 'SCANFLOW');
  const start = 132 + 12 + number(meta, 'FileMetaInformationGroupLength')!;
  assert.equal(text(decodeDataSet(bytes.subarray(start), bigEndian), 'PatientName'), 'Müller');
});
