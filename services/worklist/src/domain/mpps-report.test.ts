import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataSet } from '@scanflow/dicom';
import { examBegins } from '@scanflow/testkit';
import { fillIn, knownScanners } from './mpps-report.ts';
import { recordOf } from './exam-record.ts';

const scanners = knownScanners({ prisma: { aet: 'PRISMA', modality: 'MR', sends: ['PRISMA_MPPS'] } });
const filled = (station: string | null, modality: string | null, callingAet: string) => {
  const attributes = { ...examBegins(), PerformedStationAETitle: station, Modality: modality };
  const { attributes: _, ...summary } = recordOf({
    sopInstanceUid: '2.25.7',
    step: { state: 'IN PROGRESS', attributes: dataSet(attributes) },
    callingAet,
    created: '2026-11-22T08:31:13Z',
    updated: '2026-11-22T08:31:13Z',
    timezone: 'Europe/Amsterdam',
    items: [],
    onlySeen: true,
  });
  const { stationAet, modality: known, missing } = fillIn(summary, scanners);
  return [stationAet, known, missing];
};

test('exam: what the scanner does not say of itself comes from its configuration', () => {
  assert.deepEqual(filled(null, null, 'PRISMA_MPPS'), [
    'PRISMA',
    'MR',
    ['PerformedStationAETitle', 'Modality'],
  ]);
  assert.deepEqual(filled('PRISMA', null, 'GATEWAY'), ['PRISMA', 'MR', ['Modality']]);
});

test('exam: what the scanner says stays, and of strangers nothing is known', () => {
  assert.deepEqual(filled('OTHER', 'CT', 'PRISMA'), ['OTHER', 'CT', undefined]);
  assert.deepEqual(filled(null, null, 'GATEWAY'), ['', '', ['PerformedStationAETitle', 'Modality']]);
});
