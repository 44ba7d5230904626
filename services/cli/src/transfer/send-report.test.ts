import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SeriesRow } from '@scanflow/transfer/send';
import { csv, progressText, reportName, table } from './send-report.ts';

const NOW = Temporal.PlainDateTime.from('2026-11-22T09:05:07.5');

const row = (facts: Partial<NonNullable<SeriesRow['facts']>> = {}): SeriesRow => ({
  facts: {
    seriesInstanceUid: '1.2.3',
    studyInstanceUid: '1.2',
    studyId: 'ses-01',
    seriesNumber: 4,
    seriesDescription: 'T1 / MPRAGE',
    ...facts,
  },
  sources: new Set(['/data/a']),
  images: 2,
  sent: 2,
});

test('reportName: session, acquisition and time, of characters that any file system takes', () => {
  assert.equal(reportName([row()], NOW), 'dicom-send_report-ses-01_4-T1-MPRAGE_20261122T090507.csv');
});

test('reportName: a path in a description leads nowhere', () => {
  const name = reportName([row({ studyId: '../../etc', seriesDescription: '/../x' })], NOW);
  assert.equal(name, 'dicom-send_report-etc_4--..-x_20261122T090507.csv');
  assert.ok(!name.includes('/'));
});

test('reportName: several are counted, and what has no name goes by its UID', () => {
  const two = [row(), row({ studyId: 'ses-02', seriesInstanceUid: '1.2.4' })];
  assert.equal(reportName(two, NOW), 'dicom-send_report-2-sessions_2-acquisitions_20261122T090507.csv');
  const bare = row({ studyId: '', seriesNumber: undefined });
  assert.equal(reportName([bare], NOW), 'dicom-send_report-1.2_1.2.3_20261122T090507.csv');
});

test('csv: quotes, and nothing that a spreadsheet would carry out', () => {
  const line = {
    acquisitionId: '1.2',
    path: '=cmd()',
    filename: 'a,"b"',
    images: 3,
    sent: 1,
    status: 'Incomplete' as const,
  };
  assert.equal(
    csv([line]),
    'Acquisition ID,Path,Filename,Images in Series,Images Sent,Status\r\n1.2,\'=cmd(),"a,""b""",3,1,Incomplete\r\n',
  );
  assert.match(table([line]), /^Acquisition ID {2}Path/);
});

test('progress: how much, how fast, how long still', () => {
  const tally = { sent: 50, skipped: 0, failures: new Map(), bytes: 10_000_000 };
  assert.equal(
    progressText(tally, 100, 5),
    '████████████░░░░░░░░░░░░ 50/100 files  10/s  2.0 MB/s  5 s left',
  );
  assert.equal(progressText(tally, undefined, 5), '50 images  10/s  2.0 MB/s');
  assert.match(progressText(tally, 100_000, 5), / 2 h 46 min left$/);
});
