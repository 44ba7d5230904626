import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  dataSet,
  encodePart10,
  makeElement,
  toDicomJson,
  transferSyntaxes,
  type DataSet,
} from '@scanflow/dicom';
import {
  compared,
  type CompareOptions,
  type Pair,
  rowsOf,
  rowText,
  shownValue,
  wholeValue,
  type Row,
  search,
} from './rows.ts';
import { CannotOpen, listed, open } from './open.ts';
import { preview } from './preview.ts';
import { fileSource, type Source } from './sources.ts';

const withPrivate = (attributes: DataSet, block: number, value: string): DataSet =>
  new Map([
    ...attributes,
    [0x00210000 + block, makeElement('LO', 'ACME')],
    [0x00210001 + block * 256, makeElement('LO', value)],
    [0x00212001, makeElement('LO', 'nobody')],
  ]);

const ONE = withPrivate(
  dataSet({
    StudyDate: '20260101',
    StudyInstanceUID: '1.2.3',
    PatientID: 'sub-001',
    Rows: 5,
    ReferencedStudySequence: [{ ReferencedSOPInstanceUID: '1.2', StudyID: 'a' }, { StudyID: 'b' }],
  }),
  0x10,
  'x',
);
const OTHER = withPrivate(
  dataSet({
    StudyDate: '20260102',
    StudyInstanceUID: '1.2.4',
    PatientID: 'sub-001',
    PatientName: 'new',
    ReferencedStudySequence: [{ ReferencedSOPInstanceUID: '1.3', StudyID: 'a' }, { StudyID: 'c' }],
  }),
  0x11,
  'x',
);

const named = (rows: readonly Row[], name: string): Row => {
  const found = rows.find((row) => row.name === name);
  assert.ok(found, name);
  return found;
};

test('rows: private elements are named by their creator, also one whose creator is missing', () => {
  assert.deepEqual(
    rowsOf(ONE).map(({ name }) => name),
    [
      'StudyDate',
      'ReferencedStudySequence',
      'PatientID',
      'StudyInstanceUID',
      'PrivateCreator',
      'ACME xx01',
      'Private',
      'Rows',
    ],
  );
});

test('rows: values of every kind as text, long ones cut where they are shown and whole where they are copied', () => {
  const bytes = (vr: string, hex: string): Row => {
    const element = { vr, kind: 'binary' as const, bytes: new Uint8Array(Buffer.from(hex, 'hex')) };
    return { tag: 0x00080001, vr, name: 'x', key: 'x', element };
  };
  const cases: readonly (readonly [string, string, string])[] = [
    ['US', '0500ffff', '5\\65535'],
    ['SS', 'ffff', '-1'],
    ['FL', 'cdcccc3d', '0.1'],
    ['FD', '9a9999999999b93f', '0.1'],
    ['AT', '10002000', '(0010,0020)'],
    ['UV', 'ffffffffffffffff', '18446744073709551615'],
    ['OB', '00ff', '00 ff'],
    ['UN', '', ''],
  ];
  for (const [vr, hex, expected] of cases) {
    assert.equal(shownValue(bytes(vr, hex)), expected, vr);
    assert.equal(wholeValue(bytes(vr, hex)), expected, vr);
  }
  assert.match(shownValue(bytes('OW', 'ab'.repeat(1000))), /^ab (?:ab )+ab… \(1,000 bytes\)$/);
  assert.equal(wholeValue(bytes('OW', 'ab'.repeat(1000))).length, 2999);
  assert.match(shownValue(bytes('US', '0100'.repeat(1000))), /^1(?:\\1)+… \(2,000 bytes\)$/);
  assert.equal(rowText(named(rowsOf(ONE), 'PatientID')), '(0010,0020)\tLO\tPatientID\tsub-001');
  assert.equal(
    rowText(named(rowsOf(ONE), 'ReferencedStudySequence')),
    '(0008,1110)\tSQ\tReferencedStudySequence\t2 items',
  );
});

test('search: a hit keeps the sequence and the item around it; a sequence that is a hit keeps all', () => {
  const names = (text: string) =>
    search(rowsOf(ONE), text).map(({ name, items }) => [
      name,
      items?.map((item) => [item.number, item.rows.length]),
    ]);
  assert.deepEqual(names('SUB-001'), [['PatientID', undefined]]);
  assert.deepEqual(names('(0010,0020)'), names('00100020'));
  assert.deepEqual(names('acme xx'), [['ACME xx01', undefined]]);
  assert.deepEqual(names('referencedsop'), [['ReferencedStudySequence', [[1, 1]]]]);
  assert.deepEqual(names('0020,0010'), [
    [
      'ReferencedStudySequence',
      [
        [1, 1],
        [2, 1],
      ],
    ],
  ]);
  assert.deepEqual(names('referencedstudy'), [
    [
      'ReferencedStudySequence',
      [
        [1, 2],
        [2, 1],
      ],
    ],
  ]);
  assert.equal(names(' ').length, 8);
  assert.deepEqual(names('nothing'), []);
});

test('compare: rows by key, private ones by their creator wherever its block is; UIDs and times left out if wanted', () => {
  const differences = (options: Partial<CompareOptions>) =>
    compared(rowsOf(ONE), rowsOf(OTHER), { withoutUidsAndTimes: false, differencesOnly: true, ...options });
  const nameOf = ({ left, right }: Pair) => (left ?? right)?.name;
  assert.deepEqual(differences({}).map(nameOf), [
    'StudyDate',
    'ReferencedStudySequence',
    'PatientName',
    'StudyInstanceUID',
    'PrivateCreator',
    'PrivateCreator',
    'Rows',
  ]);
  const [sequence, ...others] = differences({ withoutUidsAndTimes: true });
  assert.deepEqual(
    sequence?.items?.map(({ number, pairs }) => [number, pairs.map(nameOf)]),
    [[2, ['StudyID']]],
  );
  assert.ok(others.every(({ left, right }) => left === undefined || right === undefined));
  const all = differences({ differencesOnly: false });
  assert.equal(all.find((pair) => nameOf(pair) === 'ACME xx01')?.differs, false);
  assert.deepEqual(
    compared(rowsOf(ONE), rowsOf(ONE), { withoutUidsAndTimes: false, differencesOnly: true }),
    [],
  );
});

const EXPLICIT = transferSyntaxes.explicitVRLittleEndian;

function image(
  attributes: Parameters<typeof dataSet>[0],
  pixels?: Uint8Array,
  transferSyntax: string = EXPLICIT,
): Source {
  const bytes = encodePart10(
    new Map([
      ...dataSet(attributes),
      ...(pixels === undefined ? [] : [[0x7fe00010, makeElement('OW', pixels)] as const]),
    ]),
    { transferSyntax, sopClassUid: '1.2.840.10008.5.1.4.1.1.7', sopInstanceUid: '2.25.1' },
  );
  return fileSource('image.dcm', new Blob([new Uint8Array(bytes)]));
}

const GREY = {
  SamplesPerPixel: 1,
  PhotometricInterpretation: 'MONOCHROME2',
  Rows: 1,
  Columns: 2,
  BitsAllocated: 16,
  BitsStored: 12,
  HighBit: 11,
  PixelRepresentation: 0,
};

async function colours(source: Source): Promise<string> {
  const made = await preview(source, await open(source));
  return made.kind === 'pixels'
    ? Buffer.from(made.rgba).toString('hex')
    : made.kind === 'none'
      ? made.why
      : 'jpeg';
}

test('preview: grey by window or by its range, signed, inverted, in either byte order; colour in planes or not', async () => {
  const words = (...values: number[]): Uint8Array => new Uint8Array(Uint16Array.from(values).buffer);
  const [black, white] = ['000000ff', 'ffffffff'];
  assert.equal(await colours(image(GREY, words(10, 20))), black + white);
  assert.equal(
    await colours(image(GREY, words(10, 20), transferSyntaxes.explicitVRBigEndian)),
    black + white,
  );
  assert.equal(
    await colours(image({ ...GREY, PhotometricInterpretation: 'MONOCHROME1' }, words(10, 20))),
    white + black,
  );
  // -1 in 12 bits, with what a scanner left above them
  assert.equal(await colours(image({ ...GREY, PixelRepresentation: 1 }, words(0x7fff, 5))), black + white);
  const windowed = {
    ...GREY,
    WindowCenter: '100',
    WindowWidth: '100',
    RescaleSlope: '2',
    RescaleIntercept: '-50',
  };
  assert.equal(await colours(image(windowed, words(50, 200))), black + white);
  const colour = {
    ...GREY,
    SamplesPerPixel: 3,
    PhotometricInterpretation: 'RGB',
    BitsAllocated: 8,
    BitsStored: 8,
    HighBit: 7,
  };
  const red = 'ff0000ff0000ffff';
  assert.equal(
    await colours(image({ ...colour, PlanarConfiguration: 0 }, Uint8Array.of(255, 0, 0, 0, 0, 255))),
    red,
  );
  assert.equal(
    await colours(image({ ...colour, PlanarConfiguration: 1 }, Uint8Array.of(255, 0, 0, 0, 0, 255))),
    red,
  );
});

test('preview: anything else says why not', async () => {
  const cases: readonly (readonly [Source, RegExp])[] = [
    [image(GREY), /holds no pixels/],
    [image({ ...GREY, Rows: 9 }, new Uint8Array(4)), /cut off/],
    [image({ ...GREY, BitsAllocated: 1 }, new Uint8Array(4)), /1 bits/],
    [image({ ...GREY, PhotometricInterpretation: 'PALETTE COLOR' }, new Uint8Array(4)), /“PALETTE COLOR”/],
    [image({ ...GREY, Rows: null }, new Uint8Array(4)), /how large/],
    [image({ ...GREY, Rows: 60_000, Columns: 60_000 }, new Uint8Array(4)), /larger than 64 MiB/],
    [image(GREY, new Uint8Array(4), transferSyntaxes.jpeg2000), /compressed in a way/],
  ];
  for (const [source, why] of cases) assert.match(await colours(source), why);
});

test('open: no more is read than it takes, and what cannot be opened says why', async () => {
  const source = image(
    { ...GREY, SeriesNumber: '3', SeriesDescription: 't1', Modality: 'MR' },
    new Uint8Array(4_000_000),
  );
  let most = 0;
  const watched: Source = {
    ...source,
    read: (start, end) => {
      most = Math.max(most, end);
      return source.read(start, end);
    },
  };
  const opened = await open(watched);
  assert.equal(opened.pixels?.length, 4_000_000);
  assert.ok(most <= 65_536);
  const line = await listed(watched);
  assert.deepEqual([line?.modality, line?.series, line?.instance], ['MR', '3 t1', '']);
  assert.ok(toDicomJson(opened.dataSet)['00280010']);
  const text = fileSource('a.txt', new Blob(['no DICOM at all, but long enough to be looked at '.repeat(9)]));
  assert.equal(await listed(text), undefined);
  await assert.rejects(open(text), CannotOpen);
  const attributesOnly = image(GREY);
  const endless: Source = {
    name: 'endless',
    size: 2 ** 40,
    read: async (start, end) => {
      const head = await attributesOnly.read(start, end);
      const all = new Uint8Array(Math.min(end, 80 * 1024 * 1024));
      all.set(head);
      return all;
    },
  };
  await assert.rejects(open(endless), CannotOpen);
});
