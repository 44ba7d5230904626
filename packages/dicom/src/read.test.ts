import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { toJsonModel } from './dicom-json.ts';
import { encodePart10 } from './encode.ts';
import { fragments, readFile, type FileRead } from './read.ts';
import { transferSyntaxes } from './uids.ts';
import { dataSet, text } from './values.ts';

const IMAGE = dataSet({
  PatientName: 'Doe^Jane=&=x',
  PatientWeight: '70.50',
  Rows: 2,
  ReferencedStudySequence: [{ StudyID: 'a' }],
});

const file = (transferSyntax: string): Buffer =>
  Buffer.from(
    encodePart10(IMAGE, {
      transferSyntax,
      sopClassUid: '1.2.840.10008.5.1.4.1.1.7',
      sopInstanceUid: '2.25.1',
    }),
  );

function read(bytes: Uint8Array, fileSize = bytes.length): FileRead & { kind: 'read' } {
  const found = readFile(bytes, { fileSize });
  assert.equal(found.kind, 'read', JSON.stringify(found));
  return found;
}

const EXPLICIT = transferSyntaxes.explicitVRLittleEndian;
const PIXELS = Buffer.from('e07f10004f57000004000000', 'hex');
const hex = (text_: string): Buffer => Buffer.from(text_.replaceAll(' ', ''), 'hex');

test('read: all before the pixels, in each encoding, and where the pixels are', () => {
  for (const syntax of [
    EXPLICIT,
    transferSyntaxes.implicitVRLittleEndian,
    transferSyntaxes.explicitVRBigEndian,
  ]) {
    const found = read(file(syntax));
    assert.equal(text(found.dataSet, 'PatientName'), 'Doe^Jane=&=x');
    assert.deepEqual([found.pixels, found.problems, found.deflated], [undefined, [], false]);
  }
  const whole = Buffer.concat([file(EXPLICIT), PIXELS, Buffer.alloc(4)]);
  const { pixels } = read(whole.subarray(0, -2), whole.length);
  assert.deepEqual(
    [pixels?.tag, pixels?.vr, pixels?.length, pixels?.offset],
    [0x7fe00010, 'OW', 4, whole.length - 4],
  );
});

test('read: a head that is too short says how much more it takes', () => {
  const whole = file(EXPLICIT);
  for (const length of [100, 200, whole.length - 3]) {
    const found = readFile(whole.subarray(0, length), { fileSize: whole.length });
    assert.ok(
      found.kind === 'needMore' && found.atLeast > length && found.atLeast <= whole.length,
      String(length),
    );
  }
});

test('read: a deflated file, whole and cut', () => {
  const plain = file(EXPLICIT);
  const start = read(plain).header.dataSetOffset;
  const meta = plain.subarray(0, start);
  const uid = Buffer.from(transferSyntaxes.deflatedExplicitVRLittleEndian, 'latin1');
  const at = meta.indexOf(Buffer.from(`${EXPLICIT}\0`, 'latin1'));
  const longer = Buffer.concat([meta.subarray(0, at), uid, meta.subarray(at + EXPLICIT.length + 1)]);
  longer.writeUInt16LE(uid.length, at - 2);
  longer.writeUInt32LE(longer.readUInt32LE(140) + uid.length - EXPLICIT.length - 1, 140);
  const pixels = Buffer.concat([PIXELS, Buffer.alloc(4)]);
  const deflated = Buffer.concat([longer, deflateRawSync(Buffer.concat([plain.subarray(start), pixels]))]);
  const found = read(deflated);
  assert.ok(found.deflated);
  assert.equal(text(found.dataSet, 'PatientName'), 'Doe^Jane=&=x');
  assert.equal(found.pixels?.length, 4);
  assert.equal(
    readFile(deflated.subarray(0, longer.length + 4), { fileSize: deflated.length }).kind,
    'needMore',
  );
});

test('read: what is broken hides nothing that stands before it, and what can be stepped over nothing behind it', () => {
  const start = read(file(EXPLICIT)).header.dataSetOffset;
  const meta = file(EXPLICIT).subarray(0, start);
  const bytes = Buffer.concat([
    meta,
    hex('0800 6000 4353 0200 4d52'), // Modality
    hex('0800 6000 4353 0200 4354'), // once more, another one
    hex('1000 2000 4c4f 0200 e461'), // a character that the default repertoire lacks
    hex('2800 1000 5553 0300 010203'), // Rows of three bytes
    hex('2800 1100 5553 0200 0500'),
    hex('2800 3000 3f3f 0200 0500'), // no value representation
  ]);
  const { dataSet: found, problems } = read(bytes);
  assert.deepEqual(
    [...found.keys()].map((tag) => tag.toString(16)),
    ['80060', '100020', '280010', '280011'],
  );
  assert.deepEqual([text(found, 'Modality'), text(found, 'PatientID')], ['MR', '\ufffda']);
  assert.deepEqual(
    problems.map(({ code }) => code),
    ['DUPLICATE', 'BAD_LENGTH', 'BAD_VR'],
  );
});

test('read: what is no DICOM is refused, and sequences without end are bounded', () => {
  const refused = readFile(Buffer.from('just a text, nothing else'.repeat(20)), { fileSize: 500 });
  assert.ok(refused.kind === 'refused' && refused.error.code === 'NOT_PART10');
  const start = read(file(EXPLICIT)).header.dataSetOffset;
  const deep = Buffer.alloc(40_000, hex('0800 4011 5351 0000 ffffffff feff00e0 ffffffff'));
  const { problems } = read(Buffer.concat([file(EXPLICIT).subarray(0, start), deep]));
  assert.deepEqual(
    problems.map(({ code }) => code),
    ['TOO_DEEP'],
  );
});

test('read: fragments of compressed pixels, behind their offset table', () => {
  const bytes = hex(
    '00 feff00e0 04000000 00000000 feff00e0 02000000 ffd8 feff00e0 02000000 ffd9 feffdde0 00000000',
  );
  const found = fragments(bytes, 1);
  assert.deepEqual(
    found.fragments.map((one) => [one.at, Buffer.from(one.bytes).toString('hex')]),
    [
      [0, 'ffd8'],
      [10, 'ffd9'],
    ],
  );
  assert.equal(found.table.length, 4);
  assert.throws(() => fragments(hex('00000000 00000000'), 0), { code: 'BAD_STRUCTURE' });
});

test('DICOM JSON for other programs: numbers are numbers, empty groups of names are left out (PS3.18 F.2)', () => {
  const model = toJsonModel(
    new Map([
      ...IMAGE,
      ...dataSet({ SpecificCharacterSet: 'ISO_IR 100', SeriesNumber: '7', PatientComments: null }),
      [0x00080000, { vr: 'UL', kind: 'binary', bytes: Buffer.from([1, 0, 0, 0]) }],
      [0x00280009, { vr: 'AT', kind: 'binary', bytes: Buffer.from('18006310', 'hex') }],
      [0x00211001, { vr: 'UN', kind: 'binary', bytes: Buffer.from('ab') }],
    ]),
  );
  assert.deepEqual(model, {
    '00080005': { vr: 'CS', Value: ['ISO_IR 192'] },
    '00081110': { vr: 'SQ', Value: [{ '00200010': { vr: 'SH', Value: ['a'] } }] },
    '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Doe^Jane', Ideographic: '&', Phonetic: 'x' }] },
    '00101030': { vr: 'DS', Value: [70.5] },
    '00104000': { vr: 'LT' },
    '00200011': { vr: 'IS', Value: [7] },
    '00211001': { vr: 'UN', InlineBinary: 'YWI=' },
    '00280009': { vr: 'AT', Value: ['00181063'] },
    '00280010': { vr: 'US', Value: [2] },
  });
});
