import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countsOf, type ImageCounts } from './counts.ts';
import { lackingIn } from './lacking.ts';

const MR = '1.2.840.10008.5.1.4.1.1.4';

const images = (counts: readonly ImageCounts[], sopClassUid = MR) =>
  counts.map((one, index) => ({ sopClassUid, sopInstanceUid: String(index), counts: one }));
const numbered = (...numbers: number[]): ImageCounts[] => numbers.map((number) => ({ number }));
const row = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);
/** Every combination of slices and temporal positions. */
const volumes = (slices: number, times: number, temporals: number): ImageCounts[] =>
  row(1, times).flatMap((temporal) =>
    row(1, slices).map((slice) => ({
      number: (temporal - 1) * slices + slice,
      temporals,
      temporal,
      position: String(slice),
    })),
  );

const missing: Readonly<Record<string, readonly [readonly ImageCounts[], RegExp]>> = {
  'a sender that died at 7 of 40': [
    row(1, 7).map((number) => ({ number, images: 40 })),
    /40 images .* 7 came/,
  ],
  'one number in the midst': [numbered(...row(1, 10), ...row(12, 40)), /numbers 11 are missing .* 1 in all/],
  'several numbers, and a start at 101': [
    numbered(...row(101, 105), ...row(108, 120), 122),
    /106–107, 121 are missing between 101 and 122, 3 in all/,
  ],
  'the middle third': [numbered(...row(1, 20), ...row(31, 50)), /21–30/],
  'a mosaic': [numbered(1, 2, 3, 5).map((one) => ({ ...one, kind: 'mosaic' })), /numbers 4 are missing/],
  'interleaved sending that ended': [numbered(...row(0, 19).map((n) => 2 * n + 1), 2, 4, 6), /are missing/],
  'the last volume': [
    volumes(10, 7, 8).slice(0, -3),
    /8 temporal positions .* of 10 slices, that is 80 images, and 67/,
  ],
  'temporal positions without identifiers': [
    volumes(4, 2, 5).map(({ temporal: _none, ...rest }) => rest),
    /20 images, and 8 came/,
  ],
};
for (const [what, [counts, sentence]] of Object.entries(missing))
  test(`lacking: ${what}`, () => {
    const [said, ...more] = lackingIn(images(counts));
    assert.match(said ?? '', sentence);
    assert.deepEqual(more, []);
  });

const usual: Readonly<Record<string, readonly ImageCounts[]>> = {
  'a whole series': numbered(...row(1, 40)),
  'one image': numbered(7),
  'two images, far apart': numbered(1, 9),
  'numbers that begin elsewhere': numbered(...row(33, 60)),
  'every second number, the other echo being elsewhere': numbered(...row(0, 19).map((n) => 2 * n + 1)),
  'two of every three numbers': numbered(...row(0, 9).flatMap((n) => [3 * n + 1, 3 * n + 2])),
  'echoes numbered in blocks': numbered(...row(1, 20), ...row(101, 120), ...row(201, 220)),
  'numbers from slice and phase': numbered(...row(1, 8).map((n) => n * 1000 + 1)),
  'echoes with the same numbers': numbered(...row(1, 20), ...row(1, 20)),
  'a derived series that keeps the numbers of what it was made from': numbered(1, 2, 5, 6, 7, 9).map(
    (one) => ({
      ...one,
      kind: 'derived',
    }),
  ),
  'a derived series that keeps the count': row(1, 5).map((number) => ({
    number,
    images: 40,
    kind: 'derived',
  })),
  'a localizer': numbered(1, 2, 4, 5, 6).map((one) => ({ ...one, images: 9, kind: 'localizer' })),
  'mosaics with the count of the slices': row(1, 5).map((number) => ({
    number,
    images: 160,
    kind: 'mosaic',
  })),
  'an acquisition split by echoes': row(0, 9).map((n) => ({ number: 2 * n + 1, images: 20 })),
  'more images than announced': row(1, 40).map((number) => ({ number, images: 20 })),
  'counts that differ': row(1, 4).map((number) => ({ number, images: number * 10 })),
  'all volumes': volumes(10, 8, 8),
  'one series for each temporal position': volumes(10, 1, 8),
  'no numbers at all': [{}, {}, {}, {}],
  'half of the numbers': [...numbered(1, 2, 4), {}],
};
for (const [what, counts] of Object.entries(usual))
  test(`lacking: nothing is said of ${what}`, () => {
    assert.deepEqual(lackingIn(images(counts)), []);
  });

test('lacking: other kinds of images are numbered in other ways', () => {
  for (const sopClassUid of ['1.2.840.10008.5.1.4.1.1.6.1', '1.2.840.10008.5.1.4.1.1.4.1', ''])
    assert.deepEqual(lackingIn(images(numbered(1, 2, 4, 5), sopClassUid)), []);
});

test('lacking: other bytes under a UID that was there are no further image', () => {
  const [first, ...rest] = images(numbered(1, 2, 3).map((one) => ({ ...one, images: 4 })));
  assert.ok(first !== undefined);
  assert.match(
    lackingIn([first, ...rest, { ...first, differsFrom: 'a.dcm' }])[0] ?? '',
    /4 images .* 3 came/,
  );
});

test('lacking: parts of a concatenation, and frames without bytes', () => {
  const part = (number: number) => ({ concatenation: { uid: '1.2', part: number, parts: 3 } });
  const enhanced = '1.2.840.10008.5.1.4.1.1.4.1';
  assert.match(lackingIn(images([part(1), part(3)], enhanced))[0] ?? '', /3 parts .* 2 came/);
  assert.deepEqual(lackingIn(images([part(1), part(2), part(3)], enhanced)), []);
  assert.match(lackingIn(images([{ lackingFrames: 4 }, {}], enhanced))[0] ?? '', /4 frames are missing/);
});

test('counts: what an image says, and nothing that cannot be read', () => {
  const native = { transferSyntax: '1.2.840.10008.1.2.1', bytes: 64 * 64 * 2 * 3 + 900 };
  const enhanced = { NumberOfFrames: '5', Rows: '64', Columns: '64', BitsAllocated: '16' };
  assert.deepEqual(countsOf({ ...enhanced, ImageType: 'ORIGINAL\\PRIMARY' }, native), { lackingFrames: 2 });
  assert.deepEqual(countsOf(enhanced, { ...native, transferSyntax: '1.2.840.10008.1.2.4.90' }), {});
  assert.deepEqual(countsOf({ ...enhanced, NumberOfFrames: '3' }, native), {});
  assert.deepEqual(countsOf({ ...enhanced, SamplesPerPixel: '3' }, native), {});
  assert.deepEqual(countsOf({ ...enhanced, BitsAllocated: '1' }, native), {});
  assert.deepEqual(
    countsOf(
      { InstanceNumber: ' 7', ImagesInAcquisition: 'many', ImageType: 'ORIGINAL\\PRIMARY\\M\\MOSAIC' },
      native,
    ),
    { number: 7, kind: 'mosaic' },
  );
  assert.deepEqual(countsOf({ ImageType: 'DERIVED\\SECONDARY' }, native), { kind: 'derived' });
  const temporal = {
    NumberOfTemporalPositions: '4',
    TemporalPositionIdentifier: '2',
    ImagePositionPatient: '1\\2\\3',
  };
  assert.deepEqual(countsOf(temporal, native), { temporals: 4, temporal: 2, position: '1\\2\\3' });
});
