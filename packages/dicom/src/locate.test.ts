import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataSet } from './build.ts';
import { encodeDataSet } from './encode.ts';
import { encodePart10 } from './encode-part10.ts';
import { readFileHeader } from './locate.ts';
import { readPart10Header } from './part10.ts';
import { transferSyntaxes } from './uids.ts';

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

test('file header: UIDs that the file meta information leaves out are the data set’s; those it has count', () => {
  const options = { transferSyntax: explicitVRLittleEndian, characterSet: 'ISO_IR 6' } as const;
  const whole = { ...options, sopClassUid: CLASS, sopInstanceUid: '1.2.826.2' };
  const complete = encodePart10(ATTRIBUTES, whole);
  assert.deepEqual(readFileHeader(complete), readPart10Header(complete));
  const gap = encodePart10(ATTRIBUTES, { ...whole, sopInstanceUid: '' });
  const found = fromHeads(Buffer.from(gap));
  assert.ok(!('needMore' in found));
  assert.deepEqual([found.sopClassUid, found.sopInstanceUid], [CLASS, INSTANCE]);
});

test('file header: what is no data set for certain is none', () => {
  assert.throws(() => readFileHeader(Buffer.alloc(400), 400), { code: 'NOT_PART10' });
  assert.throws(() => readFileHeader(Buffer.from('a text of somebody’s, long enough'.repeat(9))), {
    code: 'NOT_PART10',
  });
});
