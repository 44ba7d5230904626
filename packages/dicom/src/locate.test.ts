import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { encodeDataSet, encodePart10 } from './encode.ts';
import { readFileHeader } from './locate.ts';
import { readPart10Header } from './part10.ts';
import { transferSyntaxes } from './uids.ts';
import { dataSet } from './values.ts';

const { explicitVRLittleEndian, explicitVRBigEndian, implicitVRLittleEndian } = transferSyntaxes;
const CLASS = '1.2.840.10008.5.1.4.1.1.4';
const INSTANCE = '1.2.826.1';
const ATTRIBUTES = dataSet({
  SOPClassUID: CLASS,
  SOPInstanceUID: INSTANCE,
  PatientID: 'x',
  PatientComments: 'of some length, so that a preamble would have room '.repeat(4).trim(),
  Rows: 2,
  Columns: 2,
});

const bare = (transferSyntax: string): Buffer => Buffer.from(encodeDataSet(ATTRIBUTES, transferSyntax));

/** Pixel data behind an explicit little endian data set. */
function pixels(length: number, value: Uint8Array): Buffer {
  const header = Buffer.from([0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x57, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32LE(length, 8);
  return Buffer.concat([bare(explicitVRLittleEndian), header, value]);
}

/** From ever longer heads, as one who reads a file does. */
function fromHeads(file: Buffer): ReturnType<typeof readFileHeader> {
  for (let length = 1; ;) {
    const found = readFileHeader(file.subarray(0, length), file.length);
    if (!('needMore' in found)) return found;
    assert.ok(found.atLeast > length && found.atLeast <= file.length, `${found.atLeast} after ${length}`);
    length = found.atLeast;
  }
}

test('file header: of a data set without file meta information, in each encoding', () => {
  for (const transferSyntax of [explicitVRLittleEndian, explicitVRBigEndian, implicitVRLittleEndian]) {
    const found = fromHeads(bare(transferSyntax));
    assert.ok(!('needMore' in found));
    const { sopClassUid, sopInstanceUid, dataSetOffset } = found;
    assert.deepEqual(
      [found.transferSyntax, sopClassUid, sopInstanceUid, dataSetOffset],
      [transferSyntax, CLASS, INSTANCE, 0],
    );
  }
});

test('file header: native pixels are of the data set’s syntax, of compressed ones nothing is assumed', () => {
  const native = fromHeads(pixels(8, new Uint8Array(8)));
  assert.ok(!('needMore' in native) && native.transferSyntax === explicitVRLittleEndian);
  const fragments = Buffer.from([0xfe, 0xff, 0, 0xe0, 0, 0, 0, 0, 0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]);
  assert.throws(() => fromHeads(pixels(0xffffffff, fragments)), { code: 'TRANSFER_SYNTAX' });
});

test('file header: pixels behind more than can be held', () => {
  const header = Buffer.from([0x00, 0x54, 0x10, 0x10, 0x4f, 0x57, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32LE(100_000_000, 8);
  const head = Buffer.concat([bare(explicitVRLittleEndian), header]);
  assert.throws(() => readFileHeader(head, head.length + 100_000_000 + 20), { code: 'TRANSFER_SYNTAX' });
});

const OPTIONS = {
  characterSet: 'ISO_IR 6',
  sopClassUid: '1.2.840.10008.5.1.4.1.1.2',
  sopInstanceUid: '1.2.826.2',
};

function namesOf(file: Uint8Array): [string, string] {
  const found = fromHeads(Buffer.from(file));
  assert.ok(!('needMore' in found));
  return [found.sopClassUid, found.sopInstanceUid];
}

test('file header: the data set’s UIDs are named, whatever the file meta information says, in each encoding', () => {
  const { deflatedExplicitVRLittleEndian } = transferSyntaxes;
  const syntaxes = [
    explicitVRLittleEndian,
    implicitVRLittleEndian,
    explicitVRBigEndian,
    deflatedExplicitVRLittleEndian,
  ];
  for (const transferSyntax of syntaxes) {
    const deflated = transferSyntax === deflatedExplicitVRLittleEndian;
    const written = encodePart10(ATTRIBUTES, {
      ...OPTIONS,
      transferSyntax: deflated ? explicitVRLittleEndian : transferSyntax,
    });
    const file = deflated ? deflate(written) : written;
    assert.deepEqual(namesOf(file), [CLASS, INSTANCE], transferSyntax);
    const meta = readPart10Header(file);
    assert.ok(!('needMore' in meta) && meta.sopInstanceUid === OPTIONS.sopInstanceUid);
  }
});

/** The same with its data set deflated. */
function deflate(file: Uint8Array): Buffer {
  const header = readPart10Header(file);
  assert.ok(!('needMore' in header));
  const uid = (element: number, value: string): Buffer => {
    const text = Buffer.from(value.length % 2 === 0 ? value : `${value}\0`);
    return Buffer.concat([Buffer.from([2, 0, element, 0, 0x55, 0x49, text.length, 0]), text]);
  };
  return Buffer.concat([
    Buffer.from('DICM'),
    uid(2, header.sopClassUid),
    uid(3, header.sopInstanceUid),
    uid(0x10, transferSyntaxes.deflatedExplicitVRLittleEndian),
    deflateRawSync(file.subarray(header.dataSetOffset)),
  ]);
}

test('file header: a UID that the data set lacks is the file meta information’s', () => {
  const options = { ...OPTIONS, transferSyntax: explicitVRLittleEndian };
  const without = (keyword: string): Uint8Array =>
    encodePart10(
      dataSet({ SOPClassUID: CLASS, SOPInstanceUID: INSTANCE, [keyword]: null, PatientID: 'x' }),
      options,
    );
  assert.deepEqual(namesOf(without('SOPInstanceUID')), [CLASS, OPTIONS.sopInstanceUid]);
  assert.deepEqual(namesOf(without('SOPClassUID')), [OPTIONS.sopClassUid, INSTANCE]);
  const none = encodePart10(dataSet({ PatientID: 'x' }), options);
  assert.deepEqual(namesOf(none), [OPTIONS.sopClassUid, OPTIONS.sopInstanceUid]);
  const gap = encodePart10(ATTRIBUTES, { ...options, sopInstanceUid: '' });
  assert.deepEqual(namesOf(gap), [CLASS, INSTANCE]);
});

test('file header: padding is no part of a UID; a wrong or private one is named as it stands', () => {
  const options = { ...OPTIONS, transferSyntax: explicitVRLittleEndian };
  for (const [written, named] of [
    ['1.2.3.4\0\0\0', '1.2.3.4'],
    ['1.2.3.4   ', '1.2.3.4'],
    ['1.2.03.4', '1.2.03.4'],
    ['1.2.826.0.1.3680043.2.1143.7', '1.2.826.0.1.3680043.2.1143.7'],
    ['Image-17', 'Image-17'],
    ['1.2.3\\1.2.4', OPTIONS.sopInstanceUid],
    ['1.2.3\u0001', OPTIONS.sopInstanceUid],
  ] as const) {
    const value = Buffer.from(written.length % 2 === 0 ? written : `${written}\0`, 'latin1');
    const element = Buffer.concat([Buffer.from([8, 0, 0x18, 0, 0x55, 0x49, value.length, 0]), value]);
    const file = Buffer.concat([encodePart10(new Map(), options), element]);
    assert.equal(namesOf(file)[1], named, JSON.stringify(written));
  }
});

test('file header: what is no data set for certain is none', () => {
  assert.throws(() => readFileHeader(Buffer.alloc(400), 400), { code: 'NOT_PART10' });
  assert.throws(() => readFileHeader(Buffer.from('a text of somebody’s, long enough'.repeat(9))), {
    code: 'NOT_PART10',
  });
});
