/**
 * Files that broke parsers of others, as kinds: sequences nested without end (pydicom 2330, fo-dicom 2114), deflated data that
 * inflates a thousandfold (fo-dicom 2165), lengths that claim gigabytes, VRs that do not exist, undefined lengths in odd
 * places, compressed pixel data within a sequence (fo-dicom 133), file meta information within the data set. Then mutated.
 */
import { deflateRawSync } from 'node:zlib';
import { makeSeries, transferSyntaxes } from '@scanflow/dicom';
import { mutate } from './mutate.ts';
import type { Random } from './random.ts';

export interface ImageCase {
  /** What kind of file it began as. */
  readonly kind: string;
  readonly bytes: Buffer;
}

const EXPLICIT = transferSyntaxes.explicitVRLittleEndian;
const UNDEFINED = 0xffffffff;
const when = Temporal.ZonedDateTime.from('2026-11-22T09:00[Europe/Amsterdam]');
const images = (['MR', 'CT'] as const).map((modality) => {
  const [first] = makeSeries({ modality, images: 1, rows: 16, columns: 16, when, seed: 1 });
  return Buffer.from(first?.bytes ?? []);
});

/** An element in explicit VR little endian; `length` where it is not that of the value. */
function element(tag: number, vr: string, value: Buffer, length = value.length): Buffer {
  const isLong = /^(?:OB|OD|OF|OL|OV|OW|SQ|UC|UN|UR|UT)$/.test(vr);
  const head = Buffer.alloc(isLong ? 12 : 8);
  head.writeUInt16LE(tag >>> 16, 0);
  head.writeUInt16LE(tag & 0xffff, 2);
  head.write(vr, 4, 'latin1');
  if (isLong) head.writeUInt32LE(length, 8);
  else head.writeUInt16LE(length & 0xffff, 6);
  return Buffer.concat([head, value]);
}

function item(tag: number, length: number, content: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16LE(0xfffe, 0);
  head.writeUInt16LE(tag, 2);
  head.writeUInt32LE(length, 4);
  return Buffer.concat([head, content]);
}

const ITEM = 0xe000;
const ITEM_END = item(0xe00d, 0);
const SEQUENCE_END = item(0xe0dd, 0);
const text = (value: string): Buffer => Buffer.from(value.length % 2 === 0 ? value : `${value} `);
const uid = (value: string): Buffer => Buffer.from(value.length % 2 === 0 ? value : `${value}\0`);

function file(dataSet: Buffer, syntax: string = EXPLICIT): Buffer {
  const group = Buffer.concat([
    element(0x00020001, 'OB', Buffer.from([0, 1])),
    element(0x00020002, 'UI', uid('1.2.840.10008.5.1.4.1.1.7')),
    element(0x00020003, 'UI', uid('2.25.1')),
    element(0x00020010, 'UI', uid(syntax)),
    element(0x00020012, 'UI', uid('1.2.3')),
  ]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(group.length);
  return Buffer.concat([
    Buffer.alloc(128),
    Buffer.from('DICM'),
    element(0x00020000, 'UL', length),
    group,
    dataSet,
  ]);
}

const head = Buffer.concat([
  element(0x00080016, 'UI', uid('1.2.840.10008.5.1.4.1.1.7')),
  element(0x00080018, 'UI', uid('2.25.1')),
]);
const patient = element(0x00100010, 'PN', text('A^B'));
const pixels = (count: number): Buffer => element(0x7fe00010, 'OW', Buffer.alloc(count));
const all = (...parts: Buffer[]): Buffer => Buffer.concat(parts);

/** `depth` sequences, one in the other, without end or closed. */
function nested(depth: number, closed: boolean): Buffer {
  const opening = all(element(0x00400275, 'SQ', Buffer.alloc(0), UNDEFINED), item(ITEM, UNDEFINED));
  const open = Array.from({ length: depth }, () => opening);
  return all(...open, ...(closed ? Array.from({ length: depth }, () => all(ITEM_END, SEQUENCE_END)) : []));
}

const encapsulated = all(
  element(0x7fe00010, 'OB', Buffer.alloc(0), UNDEFINED),
  item(ITEM, 0),
  item(ITEM, 4, Buffer.alloc(4)),
  SEQUENCE_END,
);

/** Files that inflate a thousandfold: before the tag's place, and behind it. Made once: it takes a while. */
const bombs = [element(0x00104000, 'UT', Buffer.alloc(40_000_000, 0x20)), pixels(40_000_000)].map((large) =>
  file(deflateRawSync(all(head, large)), transferSyntaxes.deflatedExplicitVRLittleEndian),
);

/** By kind: how a file of it is made. */
const KINDS: Readonly<Record<string, (r: Random) => Buffer>> = {
  image: (r) => r.pick(images),
  'image in a deflated data set': (r) =>
    file(
      deflateRawSync(all(head, patient, pixels(2 + 2 * r.int(5_000)))),
      transferSyntaxes.deflatedExplicitVRLittleEndian,
    ),
  'deflate bomb': (r) => r.pick(bombs),
  'nested without end': (r) =>
    file(all(head, nested(r.pick([10, 300, 2_000, 50_000]), r.once(2)), pixels(2))),
  'nested behind the tag': (r) =>
    file(all(head, patient, element(0x00400275, 'SQ', nested(r.pick([10, 3_000]), true)), pixels(2))),
  'length of gigabytes': (r) =>
    file(
      all(
        head,
        element(
          r.pick([0x00104000, 0x00210010, 0x00291010, 0x7fe00010]),
          r.pick(['UT', 'OB', 'SQ', 'UN']),
          Buffer.alloc(20),
          r.pick([0x7fffffff, 0xfffffffe, 0x80000000, 100]),
        ),
        patient,
      ),
    ),
  'item of gigabytes': (r) =>
    file(
      all(
        head,
        element(0x00081140, 'SQ', item(ITEM, r.pick([0xfffffffe, 0x7ffffffe, 9]), patient), UNDEFINED),
        pixels(2),
      ),
    ),
  'undefined length in odd places': (r) =>
    file(
      all(
        head,
        element(
          r.pick([0x00080060, 0x00100010, 0x00211010, 0x00280010]),
          r.pick(['UT', 'OB', 'UN', 'OW', 'SQ']),
          r.pick([Buffer.alloc(0), SEQUENCE_END, item(ITEM, 0), ITEM_END]),
          UNDEFINED,
        ),
        pixels(2),
      ),
    ),
  'no VR that exists': (r) =>
    file(
      all(head, element(0x00100010, r.pick(['ZZ', '\0\0', '  ', 'pn', '??', 'U\0']), text('A^B')), pixels(2)),
    ),
  'odd lengths': () => file(all(head, element(0x00100010, 'PN', Buffer.from('ABC')), pixels(3))),
  'group 0002 in the data set': (r) =>
    file(all(head, element(0x00020010, 'UI', uid(r.pick([EXPLICIT, '1.2.3']))), patient, pixels(2))),
  'group 0000 and FFFE in the data set': (r) =>
    file(
      all(
        element(0x00000002, 'UI', uid('1.2')),
        head,
        r.pick([ITEM_END, SEQUENCE_END, item(ITEM, 0), item(ITEM, UNDEFINED)]),
        pixels(2),
      ),
    ),
  'compressed, also within a sequence': (r) =>
    file(
      all(
        head,
        r.once(2) ? element(0x00880200, 'SQ', item(ITEM, encapsulated.length, encapsulated)) : patient,
        encapsulated,
      ),
      transferSyntaxes.explicitVRLittleEndian.replace(/1$/, '4.50'),
    ),
  'UN of undefined length': () =>
    file(
      all(
        head,
        element(
          0x00191010,
          'UN',
          all(
            item(ITEM, UNDEFINED),
            Buffer.from([0x10, 0, 0x10, 0, 2, 0, 0, 0, 65, 66]),
            ITEM_END,
            SEQUENCE_END,
          ),
          UNDEFINED,
        ),
        pixels(2),
      ),
    ),
  'the tag’s group taken': (r) =>
    file(
      all(
        head,
        patient,
        ...Array.from({ length: r.pick([1, 3, 240]) }, (_, index) =>
          element(0x00210010 + index, 'LO', text(r.once(4) ? 'SCANFLOW' : 'OTHER')),
        ),
        element(0x00211001, 'LO', text('x')),
        pixels(2),
      ),
    ),
  'out of order': () => file(all(pixels(2), head, patient)),
  'the same twice': () => file(all(head, patient, patient, pixels(2))),
  'another syntax than it says': (r) =>
    file(
      all(head, patient, pixels(2)),
      r.pick([
        transferSyntaxes.implicitVRLittleEndian,
        transferSyntaxes.explicitVRBigEndian,
        transferSyntaxes.deflatedExplicitVRLittleEndian,
        '',
        '1.2.3',
      ]),
    ),
  'no file meta information': () => all(head, patient, pixels(2)),
  'meta of another length': (r) => {
    const bytes = file(all(head, patient, pixels(2)));
    bytes.writeUInt32LE(r.pick([0, 1, 0xffffffff, 5_000]), 128 + 4 + 8);
    return bytes;
  },
  nothing: (r) => r.bytes(r.int(200)),
};

export const kinds: readonly string[] = Object.keys(KINDS);

/** A file of a kind, mutated in two of three cases. */
export function makeImage(r: Random, kind = pickKind(r)): ImageCase {
  let bytes = KINDS[kind]?.(r) ?? Buffer.alloc(0);
  for (let count = r.int(3); count > 0; count -= 1) bytes = mutate(r, bytes);
  return { kind, bytes };
}

/** A bomb takes as long as a hundred others. */
function pickKind(r: Random): string {
  const kind = r.pick(kinds);
  return kind === 'deflate bomb' && !r.once(20) ? 'image' : kind;
}
