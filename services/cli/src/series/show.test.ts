import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SeriesRow } from './client.ts';
import { seriesPage, seriesTable } from './show.ts';

const row: SeriesRow = {
  id: '0c4f6b1d-11111111-22222222-33333333-44444444',
  seriesInstanceUid: '1.2.3',
  accessionNumber: 'A1',
  modality: 'MR',
  seriesNumber: '3',
  seriesDescription: 't1\u001b[31m\nmprage',
  state: 'failed',
  outcome: 'Failed',
  firstSeen: '2026-11-22T10:00:00Z',
  expected: 12,
  images: { inOrthanc: 10, stored: 10 },
  legs: [
    { target: 'storage', state: 'done', attempts: 0, done: 10, total: 10, path: '/project/a' },
    {
      target: 'pacs',
      state: 'failed',
      attempts: 2,
      done: 9,
      total: 10,
      failure: { code: 'DEST_REFUSED', message: 'The destination refused an image.' },
    },
  ],
  hooks: [
    { target: 'hook:nifti', state: 'done', attempts: 1, done: 0, total: 0, output: 'a\nConverted 1\n' },
  ],
};

test('series: the table has a line for each, and what is to be done', () => {
  assert.equal(seriesTable([]), 'no series\n');
  assert.equal(
    seriesTable([row]),
    'ID        STATE   ACCESSION  NR  DESCRIPTION  STORED  PATH        TO DO\n' +
      '0c4f6b1d  failed  A1         3   t1 mprage    10/12   /project/a  pacs: DEST_REFUSED\n',
  );
  const incomplete = { ...row, state: 'complete', outcome: 'Incomplete', legs: [], hooks: [] };
  assert.match(seriesTable([incomplete]), /^0c4f6b1d {2}incomplete .* SERIES_INCOMPLETE$/m);
});

test('series: the page has its legs, failures and what hooks wrote', () => {
  const page = seriesPage(row);
  assert.match(page, /^images +10 in Orthanc, 10 stored, 12 made by the scanner$/m);
  assert.match(page, /^storage +done 10\/10 {2}\/project\/a$/m);
  assert.match(page, /^pacs +failed 9\/10, 2 tries\n +DEST_REFUSED: The destination refused an image\.$/m);
  assert.match(page, /^hook:nifti {2}done, 1 try\n +\| a\n +\| Converted 1$/m);
  assert.ok(!page.includes('\u001b'));
});

test('series: images that were sent again show all their files', () => {
  const files = [{ file: '00001_1.2.dcm' }, { file: '00001_1.2_0a1b2c.dcm' }];
  const labels = { project: 'p', subject: 's', session: 't' };
  const sameUid = [{ id: '1c4f6b1d-1', state: 'complete', labels }];
  const page = seriesPage({ ...row, sameUid, versions: [{ sopInstanceUid: '1.2', files }] });
  assert.match(page, /^sent as well +under another patient or study, as 1c4f6b1d-1: complete, p s t$/m);
  assert.match(
    page,
    /^sent again +1 image with other bytes, the last one last:\n +00001_1\.2\.dcm, 00001_1\.2_0a1b2c\.dcm$/m,
  );
});

test('series: a warning shows in the table and on the page', () => {
  const warnings = [{ code: 'SERIES_INCOMPLETE', message: 'Images seem to be missing: 33.' }];
  const warned: SeriesRow = { ...row, state: 'complete', outcome: 'Complete', legs: [], hooks: [], warnings };
  assert.match(seriesTable([warned]), / complete .* SERIES_INCOMPLETE$/m);
  assert.match(seriesPage(warned), /^warning +SERIES_INCOMPLETE: Images seem to be missing: 33\.$/m);
});

test('series: what stays in Orthanc says why', () => {
  const kept = { code: 'HOOK_EXIT', message: 'It stays in Orthanc because hook:nifti failed.' };
  const stays: SeriesRow = {
    ...row,
    state: 'complete',
    outcome: 'Complete',
    legs: [],
    hooks: [],
    notCleaned: kept,
  };
  assert.match(seriesTable([stays]), / in Orthanc: HOOK_EXIT$/m);
  assert.match(
    seriesPage(stays),
    /^in Orthanc +HOOK_EXIT: It stays in Orthanc because hook:nifti failed\.$/m,
  );
});

test('series: what waits for the hours of a destination, and what does not go to one, says so', () => {
  const [storage] = row.legs;
  assert.ok(storage !== undefined);
  const waiting: SeriesRow = {
    ...row,
    state: 'working',
    legs: [
      storage,
      {
        target: 'night',
        state: 'pending',
        attempts: 0,
        done: 0,
        total: 10,
        waits: { until: '2026-11-22T18:00:00Z', message: 'waits until 19:00' },
      },
    ],
    notSent: [{ target: 'ct', code: 'DEST_NOT_WANTED', message: 'Its rule leaves it out.' }],
  };
  assert.match(seriesTable([waiting]), / night: waits until 19:00$/m);
  const page = seriesPage(waiting);
  assert.match(page, /^night +pending 0\/10\n +waits until 19:00$/m);
  assert.match(page, /^ct +not sent\n +DEST_NOT_WANTED: Its rule leaves it out\.$/m);
});
