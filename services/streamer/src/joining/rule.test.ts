import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apart, groupFor, traitsOf, type Part } from './rule.ts';

const image = {
  AccessionNumber: 'A1',
  PatientID: 'p',
  StudyDate: '20261122',
  SeriesDate: '20261122',
  SeriesTime: '100000.5',
  AcquisitionTime: '100001',
  Modality: 'MR',
  SOPClassUID: '1.2.840.10008.5.1.4.1.1.4',
  SeriesNumber: '5',
  SeriesDescription: 'bold',
  ProtocolName: 'bold',
  Manufacturer: 'SIEMENS',
  StationName: 'PRISMA',
  DeviceSerialNumber: '1',
  FrameOfReferenceUID: '1.2.3',
  ImageType: 'ORIGINAL\\PRIMARY\\M\\ND',
  Rows: '64',
  Columns: '64',
  StudyInstanceUID: '1.1',
  SeriesInstanceUID: '1.1.1',
};
const alike = (over: Partial<typeof image>): boolean =>
  traitsOf(image)?.alike === traitsOf({ ...image, ...over })?.alike;

test('join: other UIDs, times and further values of ImageType are the same series', () => {
  assert.ok(alike({ StudyInstanceUID: '1.9', SeriesInstanceUID: '1.9.9', SeriesTime: '100130' }));
  assert.ok(alike({ ImageType: 'ORIGINAL\\PRIMARY\\M\\ND\\NORM' }));
});

for (const [keyword, value] of [
  ['AccessionNumber', 'A2'],
  ['PatientID', 'q'],
  ['StudyDate', '20261123'],
  ['SeriesNumber', '6'],
  ['SeriesDescription', 'bold_sbref'],
  ['ProtocolName', 'rest'],
  ['StationName', 'SKYRA'],
  ['FrameOfReferenceUID', '1.2.4'],
  ['ImageType', 'ORIGINAL\\PRIMARY\\P\\ND'],
  ['ImageType', 'DERIVED\\PRIMARY\\M\\ND'],
  ['Rows', '128'],
  ['SOPClassUID', '1.2.840.10008.5.1.4.1.1.4.1'],
] as const)
  test(`join: another ${keyword} (${value}) is another series`, () => {
    assert.ok(!alike({ [keyword]: value }));
  });

test('join: what says too little is a part of nothing', () => {
  for (const nothing of [
    { AccessionNumber: ' ' },
    { SeriesNumber: '' },
    { SeriesDescription: '', ProtocolName: '' },
    { SeriesDate: '', AcquisitionTime: '', SeriesTime: '' },
  ])
    assert.equal(traitsOf({ ...image, ...nothing }), undefined);
});

test('join: the nearest in time, and not one that is minutes away', () => {
  const groups = [
    { lead: 'a', from: 0, to: 60_000 },
    { lead: 'b', from: 300_000, to: 360_000 },
  ];
  const at = (ms: number): string | undefined => groupFor({ at: ms }, groups, 60_000)?.lead;
  assert.deepEqual(
    [at(30_000), at(120_000), at(120_001), at(239_999), at(250_000)],
    ['a', 'a', undefined, undefined, 'b'],
  );
  assert.equal(groupFor({ at: 0 }, [], 60_000), undefined);
});

const part = (series: string, numbers: readonly number[], stored = false): Part => ({
  series,
  stored,
  numbers: numbers.map((number) => `1 ${number}`),
});

test('join: the same numbers once more are the same protocol once more', () => {
  assert.deepEqual(apart([part('a', [1]), part('b', [2]), part('c', [3])]), [['a', 'b', 'c']]);
  assert.deepEqual(apart([part('a', [1, 2]), part('b', [1, 2])]), [['a'], ['b']]);
  // both of them in parts
  assert.deepEqual(apart([part('a', [1]), part('b', [1]), part('c', [2]), part('d', [2])]), [
    ['a', 'c'],
    ['b', 'd'],
  ]);
  // what is stored stays, what has no numbers is told apart by nothing
  assert.deepEqual(apart([part('a', [1], true), part('b', [1], true), part('c', [])]), [['a', 'b', 'c']]);
});
