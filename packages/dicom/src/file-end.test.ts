/** Whether a file that was cut shows, and what makes an odd data set even. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { fileEnd, type FileEnd } from './file-end.ts';
import { readFileHeader } from './locate.ts';
import { makeSeries } from './phantom/series.ts';
import { applyEdits } from './splice.ts';
import { transferSyntaxes } from './uids.ts';

const WHEN = Temporal.ZonedDateTime.from('2026-11-22T09:00[Europe/Amsterdam]');
const SYNTAX = {
  explicit: '1.2.840.10008.1.2.1',
  implicit: '1.2.840.10008.1.2',
  jpeg: '1.2.840.10008.1.2.4.70',
};

const hex = (...parts: string[]): Buffer => Buffer.from(parts.join('').replaceAll(/\s/g, ''), 'hex');
const short = (tag: string, vr: string, value: Buffer): Buffer => {
  const head = Buffer.alloc(8);
  hex(tag).copy(head);
  head.write(vr, 4, 'latin1');
  head.writeUInt16LE(value.length, 6);
  return Buffer.concat([head, value]);
};
const long = (tag: string, vr: string, value: Buffer, length = value.length): Buffer => {
  const head = Buffer.alloc(12);
  hex(tag).copy(head);
  head.write(vr, 4, 'latin1');
  head.writeUInt32LE(length, 8);
  return Buffer.concat([head, value]);
};
const item = (value: Buffer, length = value.length): Buffer => {
  const head = hex('feff00e000000000');
  head.writeUInt32LE(length, 4);
  return Buffer.concat([head, value]);
};
const ITEM_END = hex('feff0de000000000');
const SEQUENCE_END = hex('feffdde000000000');
const OPEN = 0xffffffff;
const UIDS = Buffer.concat([
  short('08001600', 'UI', Buffer.from('1.2.840.10008.5.1.4.1.1.4\0')),
  short('08001800', 'UI', Buffer.from('1.2.3.4\0')),
]);
const PIXELS = 'e07f1000';

function file(syntax: string, ...dataSet: Buffer[]): Buffer {
  const padded = Buffer.from(syntax.length % 2 === 0 ? syntax : `${syntax}\0`);
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), short('02001000', 'UI', padded), ...dataSet]);
}

async function endOf(bytes: Uint8Array, lent = bytes.length): Promise<FileEnd> {
  const header = readFileHeader(bytes, bytes.length);
  assert.ok(!('needMore' in header));
  return fileEnd(header, bytes.length, (offset, length) =>
    offset + length <= lent
      ? bytes.subarray(offset, lent)
      : Promise.resolve(bytes.subarray(offset, offset + length)),
  );
}

test('file end: phantoms are whole, and cut anywhere in or before their pixels they are not', async () => {
  for (const transferSyntax of [SYNTAX.explicit, SYNTAX.implicit]) {
    const [image] = makeSeries({ modality: 'MR', images: 1, when: WHEN, seed: 1, transferSyntax });
    assert.ok(image !== undefined);
    const { bytes } = image;
    assert.deepEqual(await endOf(bytes), { kind: 'whole', edits: [] });
    assert.deepEqual(await endOf(bytes, 600), { kind: 'whole', edits: [] });
    const pixels = Buffer.from(bytes).indexOf(hex(PIXELS), 1000);
    for (const size of [
      bytes.length - 1,
      bytes.length - 2,
      bytes.length >> 1,
      pixels + 14,
      pixels + 10,
      pixels + 5,
    ])
      assert.equal((await endOf(bytes.subarray(0, size))).kind, 'broken', `${transferSyntax} ${size}`);
    const cut = await endOf(bytes.subarray(0, bytes.length - 100));
    assert.ok(cut.kind === 'broken');
    assert.equal(cut.why, 'its Pixel Data (7FE0,0010) ends 100 bytes behind the end of the file');
  }
});

test('file end: compressed pixel data need their delimiter (PS3.5 A.4), wherever they break off', async () => {
  const fragments = [item(Buffer.alloc(0)), item(Buffer.alloc(5000, 7)), item(Buffer.alloc(3000, 8))];
  const whole = file(
    SYNTAX.jpeg,
    UIDS,
    long(PIXELS, 'OB', Buffer.concat([...fragments, SEQUENCE_END]), OPEN),
  );
  assert.deepEqual(await endOf(whole, 300), { kind: 'whole', edits: [] });
  for (const less of [1, 4, 8, 9, 100, 3008, 3016, 8030])
    assert.equal((await endOf(whole.subarray(0, whole.length - less), 300)).kind, 'broken', String(less));
  const open = await endOf(whole.subarray(0, whole.length - 8));
  assert.ok(open.kind === 'broken');
  assert.match(open.why, /Pixel Data \(7FE0,0010\) does not end: its delimiter is missing/);
});

test('file end: sequences without end, and a deflated data set that was cut', async () => {
  const inner = item(short('08000001', 'LO', Buffer.from('ab')), OPEN);
  const nested = long('08001011', 'SQ', Buffer.concat([inner, ITEM_END]), OPEN);
  assert.equal((await endOf(file(SYNTAX.explicit, UIDS, nested, SEQUENCE_END))).kind, 'whole');
  assert.equal((await endOf(file(SYNTAX.explicit, UIDS, nested))).kind, 'broken');
  const packed = deflateRawSync(Buffer.concat([UIDS, long(PIXELS, 'OW', Buffer.alloc(2000))]));
  const deflated = file(transferSyntaxes.deflatedExplicitVRLittleEndian, packed);
  assert.equal((await endOf(deflated)).kind, 'whole');
  assert.equal((await endOf(Buffer.concat([deflated, Buffer.alloc(513)]))).kind, 'whole');
  assert.equal((await endOf(deflated.subarray(0, deflated.length - 8))).kind, 'broken');
});

test('file end: what cannot be walked is not called broken', async () => {
  const strange = short('10001000', '??', Buffer.from('ab'));
  assert.equal((await endOf(file(SYNTAX.explicit, UIDS, strange))).kind, 'unknown');
  assert.equal((await endOf(file(SYNTAX.explicit, UIDS, Buffer.alloc(4)))).kind, 'unknown');
  assert.equal((await endOf(file(SYNTAX.explicit, UIDS, Buffer.alloc(512)))).kind, 'unknown');
  assert.equal((await endOf(file('1.2.3.999', UIDS))).kind, 'unknown');
});

test('file end: values of odd length become even, with all lengths around them (PS3.5 7.1.1)', async () => {
  const name = short('10002000', 'LO', Buffer.from('abc'));
  const sequence = long('40007502', 'SQ', item(Buffer.concat([name, name, name])));
  const pixels = long(PIXELS, 'OB', Buffer.alloc(9, 5));
  const odd = file(SYNTAX.explicit, UIDS, name, sequence, pixels);
  const end = await endOf(odd);
  assert.ok(end.kind === 'whole' && end.pad === 0);
  const even = short('10002000', 'LO', Buffer.from('abc '));
  const expected = file(
    SYNTAX.explicit,
    UIDS,
    even,
    long('40007502', 'SQ', item(Buffer.concat([even, even, even]))),
    long(PIXELS, 'OB', Buffer.concat([Buffer.alloc(9, 5), Buffer.of(0)])),
  );
  assert.deepEqual(Buffer.concat([applyEdits(odd, end.edits), Buffer.of(end.pad)]), expected);
  const text = await endOf(file(SYNTAX.explicit, UIDS, name));
  assert.ok(text.kind === 'whole' && text.pad === 0x20);
});

test('file end: an even data set with odd values stays as it is', async () => {
  const name = short('10002000', 'LO', Buffer.from('abc'));
  assert.deepEqual(await endOf(file(SYNTAX.explicit, UIDS, name, name)), { kind: 'whole', edits: [] });
});
