import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countsOf, type ImageCounts, type PetCounts } from './counts.ts';
import { lackingIn, shownWarnings, warningsOf } from './lacking.ts';

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
/** Of a PET series: its slices, times as often. */
const pet = (slices: number, times: number, over: Partial<PetCounts> = {}): ImageCounts[] =>
  row(0, times - 1).flatMap((volume) =>
    row(1, slices).map((slice) => ({
      number: volume * slices + slice,
      pet: { slices, volume: String(volume), ...over },
    })),
  );
/** Of a cine: each slice in several phases of the heartbeat. */
const heart = (slices: number, times: number, phases: number): ImageCounts[] =>
  row(1, slices).flatMap((slice) =>
    row(1, times).map((phase) => ({
      number: (slice - 1) * times + phase,
      phases,
      trigger: String(phase * 30),
      position: String(slice),
    })),
  );
/** Images of several acquisitions, each of which says how many it has. */
const acquired = (...acquisitions: (readonly [came: number, images: number])[]): ImageCounts[] =>
  acquisitions.flatMap(([came, images], index) =>
    row(1, came).map((number) => ({ number: index * 100 + number, images, acquisition: index + 1 })),
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
  'dynamic PET that ended in its third time slice': [
    pet(5, 3, { timeSlices: 8 }).slice(0, -2),
    /5 slices \(0054,0081\) in 8 time slices \(0054,0101\), that is 40 images, and 13 came/,
  ],
  'dynamic PET without its last time slice, numbers in a row': [
    pet(5, 7, { timeSlices: 8 }),
    /40 images, and 35 came/,
  ],
  'gated PET': [
    pet(4, 7, { intervals: 1, slots: 8 }),
    /4 slices \(0054,0081\) in 1 R-R intervals \(0054,0061\) of 8 time slots \(0054,0071\), that is 32 images, and 28 came/,
  ],
  'gated PET of several intervals': [pet(4, 8, { intervals: 2, slots: 8 }), /64 images, and 32 came/],
  'static PET': [pet(10, 1).slice(0, 7), /10 slices \(0054,0081\), and 7 came/],
  'one time slice of dynamic PET, cut short': [
    pet(10, 1, { timeSlices: 8 }).slice(0, 7),
    /say 10 slices \(0054,0081\), and 7 came/,
  ],
  'dynamic PET with images that do not say which volume they are of': [
    pet(10, 1, { timeSlices: 8 })
      .slice(0, 7)
      .map(({ number }) => ({ number: number ?? 0, pet: { slices: 10, timeSlices: 8 } })),
    /say 10 slices \(0054,0081\), and 7 came/,
  ],
  'a cine without the end of its last slice': [
    heart(3, 25, 25).slice(0, -4),
    /25 phases of the heart \(0018,1090\) of 3 slices, that is 75 images, and 71 came/,
  ],
  'the last of several acquisitions': [
    acquired([40, 40], [40, 40], [7, 40]),
    /each acquisition has \(0020,1002\), and 7 of 40 of acquisition 3 came/,
  ],
  'acquisitions of different lengths': [acquired([30, 30], [9, 20]), /9 of 20 of acquisition 2 came/],
  'several acquisitions, and fewer images than one of them has': [
    acquired([10, 40], [10, 40]),
    /acquisition has 40 images \(0020,1002\), and 20 came/,
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
  'whole dynamic PET': pet(5, 8, { timeSlices: 8 }),
  'one series for each time slice': pet(5, 1, { timeSlices: 8 }),
  'whole gated PET': pet(5, 16, { intervals: 2, slots: 8 }),
  'whole-body PET whose beds overlap, with more images than slices': pet(5, 2),
  'PET images that contradict each other': [...pet(5, 1), ...pet(6, 1)],
  'derived PET': pet(9, 1)
    .slice(0, 5)
    .map((one) => ({ ...one, kind: 'derived' })),
  'a cine of which each phase is a series': heart(3, 1, 25),
  'a whole cine': heart(3, 25, 25),
  'all images that are announced, whatever their numbers': numbered(...row(1, 20), ...row(31, 50)).map(
    (one) => ({ ...one, images: 40 }),
  ),
  'several whole acquisitions': acquired([40, 40], [40, 40]),
  'acquisitions that each say the number of all images': acquired([10, 30], [10, 30], [10, 30]),
  'an acquisition with more images than it says': acquired([41, 40], [7, 40]),
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
  const unsaid = (number: number) => ({ concatenation: { uid: '1.2', part: number } });
  assert.match(
    lackingIn(images([unsaid(1), unsaid(2), unsaid(4)], enhanced))[0] ?? '',
    /4 parts or more .* 3 came/,
  );
  assert.deepEqual(lackingIn(images([unsaid(1), unsaid(2)], enhanced)), []);
  assert.match(lackingIn(images([{ lackingFrames: 4 }, {}], enhanced))[0] ?? '', /4 frames are missing/);
});

test('counts: what an image says, and nothing that cannot be read', () => {
  const native = { transferSyntax: '1.2.840.10008.1.2.1', bytes: 64 * 64 * 2 * 3 + 900 };
  const enhanced = { NumberOfFrames: '5', Rows: '64', Columns: '64', BitsAllocated: '16' };
  assert.deepEqual(countsOf({ ...enhanced, ImageType: 'ORIGINAL\\PRIMARY' }, native), { lackingFrames: 2 });
  assert.deepEqual(countsOf(enhanced, { ...native, transferSyntax: '1.2.840.10008.1.2.4.90' }), {});
  assert.deepEqual(countsOf({ ...enhanced, NumberOfFrames: '3' }, native), {});
  const colours = { ...enhanced, SamplesPerPixel: '3', BitsAllocated: '8' };
  for (const [interpretation, lacking] of [
    ['RGB', { lackingFrames: 3 }],
    ['YBR_FULL', { lackingFrames: 3 }],
    ['YBR_FULL_422', {}],
  ] as const)
    assert.deepEqual(countsOf({ ...colours, PhotometricInterpretation: interpretation }, native), lacking);
  const bits = { ...enhanced, BitsAllocated: '1' };
  assert.deepEqual(countsOf(bits, native), {});
  assert.deepEqual(countsOf(bits, { ...native, bytes: 4 * 512 + 500 }), { lackingFrames: 1 });
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

test('counts: a PET image, an acquisition and a cine', () => {
  const native = { transferSyntax: '1.2.840.10008.1.2.1', bytes: 900 };
  const one = { NumberOfSlices: '109', ImageIndex: '110' };
  const dynamic = { ...one, SeriesType: 'DYNAMIC\\IMAGE', NumberOfTimeSlices: '30' };
  assert.deepEqual(countsOf(dynamic, native), { pet: { slices: 109, timeSlices: 30, volume: '1' } });
  const gated = { ...one, SeriesType: 'GATED\\IMAGE', NumberOfRRIntervals: '1', NumberOfTimeSlots: '8' };
  assert.deepEqual(countsOf(gated, native), { pet: { slices: 109, intervals: 1, slots: 8, volume: '1' } });
  assert.deepEqual(countsOf({ ...dynamic, ImageIndex: '', FrameReferenceTime: '1500' }, native), {
    pet: { slices: 109, timeSlices: 30, volume: '1500' },
  });
  assert.deepEqual(countsOf({ ...one, SeriesType: 'WHOLE BODY' }, native), {
    pet: { slices: 109, volume: '1' },
  });
  for (const unknown of [
    { SeriesType: 'STATIC\\REPROJECTION' },
    { SeriesType: 'LIST' },
    { NumberOfTimeSlices: '' },
    { NumberOfSlices: '0' },
  ])
    assert.deepEqual(countsOf({ ...dynamic, ...unknown }, native), {});
  assert.deepEqual(countsOf({ ImagesInAcquisition: '40', AcquisitionNumber: '3' }, native), {
    images: 40,
    acquisition: 3,
  });
  assert.deepEqual(
    countsOf({ CardiacNumberOfImages: '25', TriggerTime: '30', ImagePositionPatient: '1' }, native),
    {
      phases: 25,
      trigger: '30',
      position: '1',
    },
  );
});

const twoOfNine = [1, 2].map((number) => ({
  sopClassUid: '1.2.840.10008.5.1.4.1.1.4',
  sopInstanceUid: String(number),
  counts: { number, images: 9 },
}));

test('warnings: what the scanner reported counts, and not what its images say', () => {
  const warnings = warningsOf(twoOfNine);
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ['SERIES_INCOMPLETE'],
  );
  assert.deepEqual(shownWarnings({ warnings, expected: undefined }), warnings);
  assert.deepEqual(shownWarnings({ warnings, expected: 2 }), []);
  assert.deepEqual(warningsOf([]), []);
});

test('warnings: labels that are used again are one, other doubts are none', () => {
  const doubts = [
    { kind: 'labels', message: 'why' },
    { kind: 'time', message: 'late' },
  ] as const;
  assert.deepEqual(shownWarnings({ doubts, expected: 2 }), [{ code: 'LABELS_AGAIN', message: 'why' }]);
});
