import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodePart10 } from './encode.ts';
import { fileLayout, readPart10Header, type NeedsMore, type Part10Header } from './part10.ts';
import { transferSyntaxes } from './uids.ts';
import { dataSet, text } from './values.ts';

const file = encodePart10(dataSet({ PatientName: 'A^B' }), {
  transferSyntax: transferSyntaxes.explicitVRLittleEndian,
  sopClassUid: '1.2.840.10008.5.1.4.1.1.7',
  sopInstanceUid: '2.25.1',
});
const dataSetOffset = Buffer.from(file).indexOf(Buffer.from([0x10, 0, 0x10, 0, 0x50, 0x4e]));
const read = (head: Uint8Array, size?: number): Part10Header => {
  const header = readPart10Header(head, size);
  assert.ok(!('needMore' in header), 'needs no more');
  return header;
};

test('part 10: what the file meta information says', () => {
  const header = read(file);
  assert.equal(header.transferSyntax, '1.2.840.10008.1.2.1');
  assert.equal(header.sopClassUid, '1.2.840.10008.5.1.4.1.1.7');
  assert.equal(header.sopInstanceUid, '2.25.1');
  assert.equal(header.dataSetOffset, dataSetOffset);
  assert.equal(text(header.meta, 'ImplementationVersionName'), 'SCANFLOW_010');
});

test('part 10: from any head, by asking for a little more each time', () => {
  let length = 0;
  let header: Part10Header | NeedsMore = readPart10Header(file.subarray(0, length));
  while ('needMore' in header) {
    assert.ok(header.atLeast > length && header.atLeast <= file.length);
    length = header.atLeast;
    header = readPart10Header(file.subarray(0, length));
  }
  assert.deepEqual(header, read(file));
});

test('part 10: a group length that is missing or wrong does no harm', () => {
  const bytes = Buffer.from(file);
  const without = Buffer.concat([bytes.subarray(0, 132), bytes.subarray(144)]);
  assert.equal(read(without).dataSetOffset, dataSetOffset - 12);
  for (const length of [0, 5, 1000, 0xffffffff]) {
    bytes.writeUInt32LE(length, 140);
    assert.equal(read(bytes).dataSetOffset, dataSetOffset, `group length ${length}`);
  }
});

test('part 10: a data set that starts like group 0002 is told from it by the group length', () => {
  const bytes = Buffer.concat([file.subarray(0, dataSetOffset), Buffer.from([2, 0, 0x77, 0x77, 1, 2, 3, 4])]);
  assert.equal(read(bytes).dataSetOffset, dataSetOffset);
});

test('part 10: a file that is none is NOT_PART10', () => {
  const bytes = Buffer.from(file);
  const noSyntax = Buffer.concat([bytes.subarray(0, 132), bytes.subarray(dataSetOffset)]);
  for (const wrong of [bytes.subarray(100), bytes.subarray(dataSetOffset), Buffer.alloc(500), noSyntax])
    assert.throws(() => readPart10Header(wrong, wrong.length), { code: 'NOT_PART10' });
  assert.throws(() => readPart10Header(Buffer.from('DICM'), 4), { code: 'NOT_PART10' });
});

test('part 10: the preamble may be missing, and DICM with it', () => {
  assert.equal(read(file.subarray(128)).dataSetOffset, dataSetOffset - 128);
  assert.equal(read(file.subarray(132)).dataSetOffset, dataSetOffset - 132);
  const uncounted = Buffer.from(file.subarray(144));
  assert.equal(read(uncounted).dataSetOffset, dataSetOffset - 144);
  assert.equal(read(uncounted).transferSyntax, read(file).transferSyntax);
});

test('part 10: lengths that lie are refused', () => {
  const bytes = Buffer.concat([
    file.subarray(0, 132),
    Buffer.from([2, 0, 1, 0, 0x4f, 0x42, 0, 0, 0xff, 0xff, 0xff, 0xff]),
  ]);
  assert.throws(() => readPart10Header(bytes), { code: 'BAD_LENGTH' });
  bytes.writeUInt32LE(5000, 140);
  assert.throws(() => readPart10Header(bytes, bytes.length), { code: 'TRUNCATED' });
});

test('part 10: the layout of transfer syntaxes', () => {
  const explicit = { explicit: true, bigEndian: false };
  const uid = '1.2.840.10008.1.2';
  assert.deepEqual(fileLayout(uid), { explicit: false, bigEndian: false });
  assert.deepEqual(fileLayout(`${uid}.2`), { explicit: true, bigEndian: true });
  for (const suffix of ['1', '1.98', '4.50', '4.90', '4.201', '5', '8.1'])
    assert.deepEqual(fileLayout(`${uid}.${suffix}`), explicit, suffix);
  for (const suffix of ['1.99', '4.95', '4.205'])
    assert.equal(fileLayout(`${uid}.${suffix}`), 'deflated', suffix);
  assert.equal(fileLayout('1.2.840.113619.5.2'), undefined);
});
