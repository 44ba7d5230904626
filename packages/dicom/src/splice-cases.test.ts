import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { readAttributes } from './attributes.ts';
import type { DataSet, Element } from './dataset.ts';
import { encodePart10 } from './encode.ts';
import type { PrivateTag } from './splice-tag.ts';
import { applyEdits, planSplice, removeSplice, type SplicePlan } from './splice.ts';
import { transferSyntaxes } from './uids.ts';
import { dataSet, makeElement } from './values.ts';

const TAG: PrivateTag = { group: 0x0021, creator: 'SCANFLOW', element: 0x10, vr: 'LO', value: 'DICOM send' };
const EXPLICIT = transferSyntaxes.explicitVRLittleEndian;
const IMPLICIT = transferSyntaxes.implicitVRLittleEndian;
const uids = { sopClassUid: '1.2.840.10008.5.1.4.1.1.7', sopInstanceUid: '2.25.1' };

const file = (body: DataSet, transferSyntax: string = EXPLICIT): Uint8Array =>
  encodePart10(body, { transferSyntax, ...uids });
const withPrivate = (...elements: [tag: number, text: string][]): DataSet =>
  new Map<number, Element>([
    ...dataSet({ PatientName: 'A^B', Rows: 2 }),
    ...elements.map(([tag, text]): [number, Element] => [tag, makeElement('LO', text)]),
  ]);
/** The file up to the start of its data set, for data sets that no encoder would write. */
const head = (transferSyntax: string = EXPLICIT): Buffer => {
  const bytes = file(new Map(), transferSyntax);
  return Buffer.from(bytes);
};
const plan = (bytes: Uint8Array, tag: PrivateTag = TAG): SplicePlan => planSplice(bytes, tag, true);
const refusal = (bytes: Uint8Array): string => {
  const result = plan(bytes);
  return result.kind === 'refused' ? result.code : result.kind;
};
const inserted = (bytes: Uint8Array): string => {
  const result = plan(bytes);
  assert.equal(result.kind, 'splice');
  return result.edits.map(({ insert }) => Buffer.from(insert).toString('latin1')).join('|');
};

test('splice: a block that another creator has reserved is stepped over', () => {
  const text = inserted(file(withPrivate([0x00210010, 'SIEMENS MR SDS 01'], [0x00211001, 'x'])));
  assert.equal(text, '!\0\x11\0LO\x08\0SCANFLOW|!\0\x10\x11LO\x0a\0DICOM send');
});

test('splice: our own block is used again, and its creator is not written twice', () => {
  const text = inserted(
    file(withPrivate([0x00210010, 'OTHER'], [0x00210011, 'SCANFLOW'], [0x00211120, 'x'])),
  );
  assert.equal(text, '!\0\x10\x11LO\x0a\0DICOM send');
});

test('splice: a block with elements and no creator is not claimed', () => {
  assert.ok(inserted(file(withPrivate([0x00211001, 'orphan']))).startsWith('!\0\x11\0LO'));
});

test('splice: an element of ours, in whichever of two blocks, is left as it is', () => {
  const two = withPrivate([0x00210010, 'SCANFLOW'], [0x00210012, 'SCANFLOW'], [0x00211210, 'another value']);
  assert.equal(plan(file(two)).kind, 'already');
  assert.equal(plan(file(withPrivate([0x00210012, 'OTHER'], [0x00211210, 'x']))).kind, 'splice');
});

test('splice: 240 reserved blocks are TAG_NO_FREE_BLOCK', () => {
  const creators = Array.from({ length: 240 }, (_, index): [number, string] => [
    0x00210010 + index,
    `V${index}`,
  ]);
  assert.equal(refusal(file(withPrivate(...creators))), 'TAG_NO_FREE_BLOCK');
  assert.ok(inserted(file(withPrivate(...creators.slice(0, 239)))).startsWith('!\0\xff\0LO'));
});

test('splice: unknown and missing transfer syntaxes and other files are refused', () => {
  const withSyntax = (uid: string): Buffer =>
    Buffer.from(head().toString('latin1').replace(`${EXPLICIT}\0`, uid.padEnd(20, '\0')), 'latin1');
  assert.equal(refusal(withSyntax('1.2.840.10008.1.9.77')), 'TAG_SYNTAX_UNKNOWN');
  assert.equal(refusal(withSyntax('')), 'TAG_NOT_PART10');
  assert.equal(refusal(Buffer.from('{"not": "DICOM"}')), 'TAG_NOT_PART10');
  assert.equal(refusal(new Uint8Array()), 'TAG_NOT_PART10');
  assert.equal(refusal(new Uint8Array(100_000)), 'TAG_NOT_PART10');
});

test('splice: a deflated data set that is broken, cut short or endless is refused', () => {
  const deflated = (stream: Uint8Array): Buffer =>
    Buffer.concat([head().subarray(0, 132), uiMeta('1.2.840.10008.1.2.1.99'), stream]);
  const body = file(dataSet({ PatientName: 'A^B', PixelData: new Uint8Array(1e6).fill(7) })).subarray(
    head().length,
  );
  assert.equal(refusal(deflated(Buffer.from([7, 7, 7]))), 'TAG_UNDECODABLE');
  assert.equal(refusal(deflated(new Uint8Array())), 'TAG_TRUNCATED');
  assert.equal(refusal(deflated(deflateRawSync(body.subarray(0, 9)))), 'TAG_TRUNCATED');
  assert.equal(refusal(deflated(deflateRawSync(body))), 'splice');
  // the tag's place lies behind 100 MB that 100 kB inflate to: nobody holds that
  const long = Buffer.from([9, 0, 1, 0x10, 0x4f, 0x42, 0, 0, 0, 0xe1, 0xf5, 0x05]);
  const bomb = deflateRawSync(Buffer.concat([long, Buffer.alloc(100_000_000)]));
  assert.ok(bomb.length < 200_000);
  assert.equal(refusal(deflated(bomb)), 'TAG_HEAD_TOO_LONG');
});

test('splice: a data set that names no transfer syntax is taken where its elements show it, and only there', () => {
  for (const syntax of [EXPLICIT, IMPLICIT, transferSyntaxes.explicitVRBigEndian]) {
    const tell = dataSet({ SOPClassUID: uids.sopClassUid, SOPInstanceUID: uids.sopInstanceUid, Rows: 2 });
    const bare = (body: DataSet): Uint8Array => file(body, syntax).subarray(head(syntax).length);
    const original = bare(tell);
    const prefixes = [new Uint8Array(), Buffer.concat([Buffer.alloc(128), Buffer.from('DICM')])];
    for (const prefix of prefixes) {
      const whole = Buffer.concat([prefix, original]);
      const result = plan(whole);
      assert.ok(result.kind === 'splice', syntax);
      const tagged = applyEdits(whole, result.edits);
      assert.equal(plan(tagged).kind, 'already');
      assert.deepEqual(Buffer.from(removeSplice(tagged, TAG)), whole);
    }
    assert.equal(refusal(bare(dataSet({ SOPClassUID: uids.sopClassUid, Rows: 2 }))), 'TAG_NOT_PART10');
    assert.equal(refusal(bare(dataSet({ PatientName: 'A^B' }))), 'TAG_NOT_PART10');
    assert.equal(refusal(original.subarray(0, 20)), 'TAG_NOT_PART10');
    // group 0002 that names none: what follows shows it as well
    const uid = Buffer.from([2, 0, 2, 0, 0x55, 0x49, 4, 0, ...Buffer.from('1.2\0')]);
    const unnamed = Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), uid, original]);
    assert.equal(refusal(unnamed), 'splice');
  }
});

test('splice: several elements go into the one block, in their order', () => {
  const tag: PrivateTag = {
    ...TAG,
    also: [
      { element: 0x12, vr: 'DT', value: '20261122091500+0000' },
      { element: 0x0f, vr: 'SH', value: 'QYV0NHFE5G7CSX1X' },
    ],
  };
  const original = file(withPrivate([0x00210010, 'OTHER'], [0x00211010, 'x']));
  const result = plan(original, tag);
  assert.ok(result.kind === 'splice');
  assert.equal(
    result.edits.map(({ insert }) => Buffer.from(insert).toString('latin1')).join('|'),
    '!\0\x11\0LO\x08\0SCANFLOW|!\0\x0f\x11SH\x10\0QYV0NHFE5G7CSX1X!\0\x10\x11LO\x0a\0DICOM send!\0\x12\x11DT\x14\x0020261122091500+0000 ',
  );
  const tagged = applyEdits(original, result.edits);
  assert.equal(plan(tagged, tag).kind, 'already');
  assert.equal(plan(tagged).kind, 'already');
  assert.deepEqual(removeSplice(tagged, tag), original);
});

test('splice: a block of ours in which one of the elements is taken is left alone', () => {
  const tag: PrivateTag = { ...TAG, also: [{ element: 0x11, vr: 'SH', value: 'A1' }] };
  const original = file(withPrivate([0x00210010, 'SCANFLOW'], [0x00211011, 'theirs']));
  const result = plan(original, tag);
  assert.ok(result.kind === 'splice');
  const text = result.edits.map(({ insert }) => Buffer.from(insert).toString('latin1')).join('|');
  assert.ok(text.startsWith('!\0\x11\0LO\x08\0SCANFLOW|!\0\x10\x11LO'), text);
  assert.deepEqual(removeSplice(applyEdits(original, result.edits), tag), original);
});

/** Group 0002 of just a group length and a transfer syntax. */
function uiMeta(uid: string): Buffer {
  const value = Buffer.from(uid.length % 2 === 0 ? uid : `${uid}\0`);
  const element = Buffer.concat([Buffer.from([2, 0, 0x10, 0, 0x55, 0x49, value.length, 0]), value]);
  return Buffer.concat([Buffer.from([2, 0, 0, 0, 0x55, 0x4c, 4, 0, element.length, 0, 0, 0]), element]);
}

test('splice: elements out of order, twice, of foreign groups, or of no VR are refused', () => {
  const element = (group: number, number: number, vr = 'LO'): Buffer =>
    Buffer.from([group & 0xff, group >> 8, number, 0, ...Buffer.from(vr), 2, 0, 0x41, 0x20]);
  const of = (...parts: Buffer[]): string => refusal(Buffer.concat([head(), ...parts]));
  assert.equal(of(element(0x10, 0x20), element(0x10, 0x10)), 'TAG_OUT_OF_ORDER');
  assert.equal(of(element(0x10, 0x10), element(0x10, 0x10)), 'TAG_OUT_OF_ORDER');
  assert.equal(of(element(0xfffe, 0x10)), 'TAG_UNDECODABLE');
  assert.equal(of(element(0x10, 0x10, 'ZZ')), 'TAG_UNDECODABLE');
  assert.equal(of(element(0x10, 0x10), Buffer.from('rest')), 'TAG_TRUNCATED');
  assert.equal(of(element(0x10, 0x10), Buffer.alloc(8)), 'TAG_UNDECODABLE');
});

test('splice: explicit VR under an implicit transfer syntax is refused, and the reverse', () => {
  const body = dataSet({ SOPClassUID: uids.sopClassUid, PatientName: 'A^B' });
  const start = head().length;
  const explicit = file(body).subarray(start);
  const implicit = file(body, IMPLICIT).subarray(head(IMPLICIT).length);
  // enough behind it that the letters, read as a length, stay within the file
  const room = Buffer.alloc(0x01000000);
  assert.equal(refusal(Buffer.concat([head(IMPLICIT), explicit, room])), 'TAG_UNDECODABLE');
  assert.equal(refusal(Buffer.concat([head(), implicit, room])), 'TAG_UNDECODABLE');
});

test('splice: a length past the end is refused at once where the size is known, and asked for where not', () => {
  const lying = Buffer.concat([
    head(IMPLICIT),
    Buffer.from([8, 0, 5, 0, 0xf0, 0xff, 0xff, 0xff]),
    Buffer.alloc(100),
  ]);
  assert.equal(refusal(lying), 'TAG_TRUNCATED');
  const known = planSplice(lying, TAG, false, { fileSize: 1_000_000 });
  assert.equal(known.kind === 'refused' && known.code, 'TAG_TRUNCATED');
  const unknown = planSplice(lying, TAG, false);
  assert.equal(unknown.kind === 'refused' && unknown.code, 'TAG_HEAD_TOO_LONG');
  const patient = planSplice(lying, TAG, false, { maxHead: 2 ** 40 });
  assert.ok(patient.kind === 'needMore' && patient.atLeast > 2 ** 32 - 100);
});

test('splice: the pixels of a large instance need not be there', () => {
  const bytes = file(
    new Map([...dataSet({ PatientName: 'A^B' }), [0x7fe00010, makeElement('OW', new Uint8Array(1e6))]]),
  );
  const result = planSplice(bytes.subarray(0, 500), TAG, false, { fileSize: bytes.length });
  assert.equal(result.kind, 'splice');
  assert.deepEqual(result, plan(bytes));
});

test('splice: nesting of 100,000 sequences is refused, and quickly', () => {
  const open = Buffer.concat([
    Buffer.from([8, 0, 0x40, 0x11, 0xff, 0xff, 0xff, 0xff]),
    Buffer.from([0xfe, 0xff, 0, 0xe0, 0xff, 0xff, 0xff, 0xff]),
  ]);
  const bytes = Buffer.concat([head(IMPLICIT), ...Array.from({ length: 100_000 }, () => open)]);
  assert.equal(refusal(bytes), 'TAG_UNDECODABLE');
});

test('splice: an item longer than its sequence, or an element longer than its item, is refused', () => {
  const of = (sequence: number, item: number, inner: number): string => {
    const length = (value: number): number[] => [value, 0, 0, 0];
    const open = [
      8,
      0,
      0x40,
      0x11,
      0x53,
      0x51,
      0,
      0,
      ...length(sequence),
      0xfe,
      0xff,
      0,
      0xe0,
      ...length(item),
    ];
    const element = [8, 0, 5, 0, 0x43, 0x53, inner, 0, 0x41, 0x20];
    return refusal(Buffer.concat([head(), Buffer.from([...open, ...element])]));
  };
  assert.equal(of(18, 10, 2), 'splice');
  assert.equal(of(18, 12, 2), 'TAG_UNDECODABLE');
  assert.equal(of(18, 10, 4), 'TAG_UNDECODABLE');
  assert.equal(of(18, 4, 2), 'TAG_UNDECODABLE');
  assert.equal(of(16, 10, 2), 'TAG_UNDECODABLE');
});

test('splice: a group length that is no number of four bytes is refused', () => {
  const wrong = Buffer.from([0x21, 0, 0, 0, 0x55, 0x4c, 2, 0, 1, 0]);
  assert.equal(refusal(Buffer.concat([head(), wrong])), 'TAG_UNDECODABLE');
  const full = Buffer.from([0x21, 0, 0, 0, 0x55, 0x4c, 4, 0, 0xff, 0xff, 0xff, 0xff]);
  assert.equal(refusal(Buffer.concat([head(), full])), 'TAG_UNDECODABLE');
});

test('splice: UN of undefined length is walked as implicit VR, and fragments by their lengths', () => {
  const inside = [8, 0, 5, 0, 2, 0, 0, 0, 0x41, 0x20, 0xfe, 0xff, 0x0d, 0xe0, 0, 0, 0, 0];
  const item = [0xfe, 0xff, 0, 0xe0, 0xff, 0xff, 0xff, 0xff, ...inside];
  const end = [0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0];
  const unknown = [9, 0, 1, 0x10, 0x55, 0x4e, 0, 0, 0xff, 0xff, 0xff, 0xff, ...item, ...end];
  const bytes = Buffer.concat([head(), Buffer.from(unknown)]);
  const result = plan(bytes);
  assert.ok(result.kind === 'splice');
  assert.equal(result.edits[0]?.offset, bytes.length);
  const above = { ...TAG, group: 0x7fe1 };
  const pixels = [0xe0, 0x7f, 0x10, 0, 0x4f, 0x42, 0, 0, 0xff, 0xff, 0xff, 0xff];
  const fragment = [0xfe, 0xff, 0, 0xe0, 4, 0, 0, 0, 0xfe, 0xff, 0xdd, 0xe0];
  const encapsulated = Buffer.concat([head(), Buffer.from([...pixels, ...fragment, ...end])]);
  const behind = plan(encapsulated, above);
  assert.ok(behind.kind === 'splice');
  assert.equal(behind.edits[0]?.offset, encapsulated.length);
});

test('splice: a tag that cannot be is a RangeError', () => {
  const bytes = file(withPrivate());
  const wrong: Partial<PrivateTag>[] = [
    { group: 0x0020 },
    { group: 0x0007 },
    { group: 0xffff },
    { element: 0x100 },
    { creator: '' },
    { creator: 'a\\b' },
    { value: 'é' },
    { value: 'x'.repeat(65) },
    { value: ' x' },
    { also: [{ element: 0x10, vr: 'SH', value: 'x' }] },
    { also: [{ element: 0x11, vr: 'SH', value: 'seventeen letters' }] },
    { also: [{ element: 0x11, vr: 'DT', value: 'today' }] },
  ];
  for (const change of wrong) assert.throws(() => plan(bytes, { ...TAG, ...change }), RangeError);
});

test('splice: taking out a tag that is not there throws', () => {
  assert.throws(() => removeSplice(file(withPrivate()), TAG), { code: 'BAD_STRUCTURE' });
});

test('splice: another group, creator, element and value', () => {
  const tag: PrivateTag = { group: 0x0ee1, creator: 'LAB X', element: 0xff, vr: 'LO', value: 'odd' };
  for (const syntax of [EXPLICIT, IMPLICIT, transferSyntaxes.explicitVRBigEndian]) {
    const original = file(withPrivate([0x00210010, 'OTHER']), syntax);
    const result = plan(original, tag);
    assert.ok(result.kind === 'splice');
    const tagged = applyEdits(original, result.edits);
    assert.deepEqual(removeSplice(tagged, tag), original);
    const read = readAttributes(tagged, ['PatientName', 'Rows'], { complete: true });
    assert.ok(read.kind === 'attributes');
  }
});
