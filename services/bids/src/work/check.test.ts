import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Output, SeriesFacts } from '@scanflow/bids';
import { checkSeries, columnsOf, type Made } from './check.ts';

const output = (name: string): Output => ({
  name,
  imageType: [],
  part: undefined,
  echo: undefined,
  echoTime: undefined,
  inversionTime: undefined,
  phaseEncodingDirection: undefined,
  shim: undefined,
  sidecar: {},
});

/** A diffusion series of 8 volumes, 32 × 24 × 9. */
const FACTS: SeriesFacts = {
  ...{ id: '1', seriesInstanceUid: '1.2', studyInstanceUid: '1', accessionNumber: 'A', seriesNumber: 1 },
  ...{ folder: 'raw/001', modality: 'MR', manufacturer: '', model: '', scanner: '', protocolName: '' },
  ...{ seriesDescription: '', sequenceName: '', mrAcquisitionType: '2D', acquired: { from: '', to: '' } },
  ...{ images: 72, volumes: 8, whole: true, plannedVolumes: undefined, bValues: [0, 1000] },
  geometry: {
    ...{ rows: 24, columns: 32, slices: 9, spacing: [2, 2, 2] },
    ...{ orientation: [1, 0, 0, 0, 1, 0], position: [0, 0, 0] },
  },
  outputs: [output('out')],
  unconvertible: undefined,
};

const made = (name: string, volumes: number, over: Partial<Made> = {}): Made => ({
  name,
  header: { version: 1, size: [32, 24, 9, volumes], bitsPerVoxel: 16, voxelOffset: 352, fileBytes: 0 },
  whole: true,
  bValues: volumes,
  bVectors: [volumes, volumes, volumes],
  ...over,
});
const plain = { bValues: undefined, bVectors: undefined };

const judge = (
  images: readonly Made[],
  { facts = FACTS, others = [] }: { facts?: SeriesFacts; others?: readonly string[] } = {},
): [code: string, message: string] | undefined => {
  const failure = checkSeries({ facts, voxels: 32 * 24 * 72, made: images, others }, 'its words');
  return failure === undefined ? undefined : [failure.code, failure.message];
};

test('images that are what the DICOM headers promise pass, turned ones and separate mean images, too', () => {
  assert.equal(judge([made('out', 8)]), undefined);
  const turned = {
    version: 1,
    size: [9, 32, 24, 8],
    bitsPerVoxel: 16,
    voxelOffset: 352,
    fileBytes: 0,
  } as const;
  assert.equal(judge([made('out', 8, { header: turned })]), undefined);
  assert.equal(judge([made('out', 7), made('out_ADC', 1, plain)]), undefined);
  assert.equal(judge([made('out', 7), made('out_ADC', 8, plain)]), undefined, 'dcm2niix repeats all volumes');
  const echoes = { ...FACTS, volumes: 4, bValues: [], outputs: [output('out_e1'), output('out_e2')] };
  assert.equal(judge([made('out_e1', 4, plain), made('out_e2', 4, plain)], { facts: echoes }), undefined);
});

test('each difference is a failure with its code, the folder, and the words of dcm2niix', () => {
  const cases: readonly [readonly Made[], string, RegExp][] = [
    [[], 'BIDS_OUTPUT_MISSING', /^raw\/001: dcm2niix did not make out: its words$/],
    [[made('out', 8), made('out_Eq_1', 8)], 'BIDS_OUTPUT_UNEXPECTED', /out_Eq_1/],
    [[made('out', 7)], 'BIDS_CHECK_FAILED', /7 volumes, and the 72 DICOM images have 8/],
    [[made('out', 7), made('out_ADC', 2, plain)], 'BIDS_CHECK_FAILED', /9 volumes/],
    [[made('out', 8), made('out_ADC', 8, plain)], 'BIDS_CHECK_FAILED', /16 volumes/],
    [[made('out', 6), made('out_ADC', 7, plain)], 'BIDS_CHECK_FAILED', /13 volumes/],
    [[made('out', 7), made('out_ADC', 8, { ...plain, whole: false })], 'BIDS_CHECK_FAILED', /shorter/],
    [[made('out', 8, { header: undefined })], 'BIDS_CHECK_FAILED', /no NIfTI/],
    [[made('out', 8, { whole: false })], 'BIDS_CHECK_FAILED', /shorter or longer/],
    [[made('out', 8, plain)], 'BIDS_CHECK_FAILED', /have b-values, and the converted image has none/],
    [[made('out', 8, { bValues: 7 })], 'BIDS_CHECK_FAILED', /8 volumes and 7 b-values/],
    [[made('out', 8, { bVectors: [8, 8] })], 'BIDS_CHECK_FAILED', /gradients are 8 × 8/],
    [[made('out', 8, { bVectors: undefined })], 'BIDS_CHECK_FAILED', /gradients are missing/],
  ];
  for (const [images, code, words] of cases) {
    const found = judge(images);
    assert.equal(found?.[0], code);
    assert.match(found[1], words);
  }
  assert.match(judge([made('out', 8)], { others: ['out.txt'] })?.[1] ?? '', /out\.txt/);
  const wide = { ...FACTS, geometry: FACTS.geometry && { ...FACTS.geometry, rows: 32 } };
  assert.match(
    judge([made('out', 8)], { facts: wide })?.[1] ?? '',
    /32 × 24 × 9, and that of the DICOM images 32 × 32 × 9/,
  );
  const echoes = { ...FACTS, volumes: 8, bValues: [], outputs: [output('out_e1'), output('out_e2')] };
  const short = [made('out_e1', 4, plain), made('out_e2', 3, plain)];
  assert.match(
    judge(short, { facts: echoes })?.[1] ?? '',
    /hold 55296 voxels, and the converted images 48384/,
  );
});

test('columns of gradients', () => {
  assert.deepEqual(columnsOf('0 1000  1000\n'), [3]);
  assert.deepEqual(columnsOf('0\t1\n1 0 \n0 0\n\n'), [2, 2, 2]);
  assert.deepEqual(columnsOf(''), []);
});
