/** What is read although it is not as it should be, since it can mean one thing only. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DicomDecodeError,
  decodeDataSet,
  items,
  text,
  texts,
  transferSyntaxes,
  type DataSet,
  type DecodeOptions,
} from './index.ts';

const header = (tag: number, vr: string, length: number): Buffer => {
  const bytes = Buffer.alloc(vr === 'SQ' ? 12 : 8);
  bytes.writeUInt16LE(tag >>> 16, 0);
  bytes.writeUInt16LE(tag & 0xffff, 2);
  bytes.write(vr, 4, 'latin1');
  if (vr === 'SQ') bytes.writeUInt32LE(length, 8);
  else bytes.writeUInt16LE(length, 6);
  return bytes;
};
const element = (tag: number, vr: string, value: string | Buffer): Buffer => {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'latin1') : value;
  return Buffer.concat([header(tag, vr, bytes.length), bytes]);
};
const sequence = (...contents: Buffer[]): Buffer => {
  const list = contents.map((content) => {
    const item = Buffer.from([0xfe, 0xff, 0x00, 0xe0, content.length, 0, 0, 0]);
    return Buffer.concat([item, content]);
  });
  return element(0x00400100, 'SQ', Buffer.concat(list));
};
const read = (options: DecodeOptions, ...parts: Buffer[]): DataSet =>
  decodeDataSet(Buffer.concat(parts), transferSyntaxes.explicitVRLittleEndian, options);
const codeOf = (options: DecodeOptions, ...parts: Buffer[]): string => {
  try {
    read(options, ...parts);
    return 'read';
  } catch (error) {
    assert.ok(error instanceof DicomDecodeError);
    return error.code;
  }
};

const accession = element(0x00080050, 'SH', 'A1');
const modality = element(0x00080060, 'CS', 'MR');
const name = element(0x00100010, 'PN', 'Doe ');

test('decode: zeros at the end of an item are padding where zeros at the end of all are', () => {
  for (const count of [1, 4, 8, 9]) {
    const padded = Buffer.concat([modality, Buffer.alloc(count)]);
    const [step] = items(
      read({ zeroPadding: true }, sequence(padded), name),
      'ScheduledProcedureStepSequence',
    );
    assert.ok(step);
    assert.deepEqual([step.size, text(step, 'Modality')], [1, 'MR'], String(count));
  }
  assert.notEqual(codeOf({}, sequence(Buffer.concat([modality, Buffer.alloc(4)]))), 'read');
});

test('decode: a group length that comes twice says nothing', () => {
  const length = (value: number): Buffer => element(0x00080000, 'UL', Buffer.from([value, 0, 0, 0]));
  assert.equal(text(read({}, length(9), length(8), accession), 'AccessionNumber'), 'A1');
});

test('decode: an element that comes twice with one value is read, with two it is not', () => {
  assert.equal(text(read({}, accession, accession, name), 'AccessionNumber'), 'A1');
  const twice = read({}, sequence(modality), sequence(modality));
  assert.equal(items(twice, 'ScheduledProcedureStepSequence').length, 1);
  assert.equal(
    text(read({}, element(0x00080050, 'SH', 'A1'), element(0x00080050, 'SH', 'A1  ')), 'AccessionNumber'),
    'A1',
  );
  const others = [
    [accession, element(0x00080050, 'SH', 'B1')],
    [accession, element(0x00080050, 'SH', '')],
    [sequence(modality), sequence(element(0x00080060, 'CS', 'CT'))],
    [sequence(modality), sequence()],
    [sequence(modality), sequence(modality, modality)],
    [element(0x001021c0, 'US', Buffer.from([1, 0])), element(0x001021c0, 'US', Buffer.from([2, 0]))],
  ];
  for (const parts of others) assert.equal(codeOf({}, ...parts), 'DUPLICATE');
});

test('decode: the character set may stand behind text of ASCII only', () => {
  const set = element(0x00080005, 'CS', 'ISO_IR 100');
  const umlaut = element(0x00100020, 'LO', 'M\xfc');
  assert.equal(text(read({}, accession, name, set, umlaut), 'PatientID'), 'Mü');
  assert.equal(text(read({}, sequence(name), set, umlaut), 'PatientID'), 'Mü');
  const assumed = { assumed: ['ISO_IR 100'] };
  assert.equal(codeOf(assumed, umlaut, set), 'ORDER');
  assert.equal(codeOf(assumed, sequence(umlaut), set), 'ORDER');
});

test('decode: zeros behind the last element are padding where they may be', () => {
  for (const count of [1, 2, 3, 4, 6, 8, 16, 100]) {
    const zeros = Buffer.alloc(count);
    assert.equal(read({ zeroPadding: true }, accession, name, zeros).size, 2, `${count} bytes`);
    assert.equal(read({ zeroPadding: true }, zeros).size, 0, `only ${count} bytes`);
    assert.notEqual(codeOf({}, accession, zeros), 'read');
  }
  assert.equal(codeOf({ zeroPadding: true }, accession, Buffer.alloc(4), name), 'BAD_VR');
  assert.equal(codeOf({ zeroPadding: true }, accession, Buffer.from([0, 0, 0, 1])), 'TRUNCATED');
});

test('decode: text that its set does not define is read in the first assumed set that does', () => {
  const umlaut = element(0x00100020, 'LO', 'M\xfcller');
  const utf8 = element(0x00100020, 'LO', Buffer.from('Müller ', 'utf8'));
  const options = { assumed: ['ISO_IR 192', 'ISO_IR 100'] };
  assert.equal(text(read(options, umlaut), 'PatientID'), 'Müller');
  assert.equal(text(read(options, utf8), 'PatientID'), 'Müller');
  assert.equal(text(read(options, sequence(umlaut), name), 'PatientName'), 'Doe');
  const declared = (term: string): string | undefined =>
    text(read(options, element(0x00080005, 'CS', term), umlaut), 'PatientID');
  assert.equal(declared('ISO_IR 192'), 'Müller');
  assert.equal(declared('NOBODY IR 7 '), 'Müller');
  assert.equal(declared('ISO_IR 144'), 'Mќller', 'what is declared and defined counts');
  assert.equal(codeOf({ assumed: ['ISO_IR 192'] }, umlaut), 'BAD_TEXT');
  const replaced = read({ assumed: ['ISO_IR 192'], undecodable: 'replace' }, umlaut);
  assert.deepEqual(texts(replaced, 'PatientID'), ['M\ufffdller']);
});
