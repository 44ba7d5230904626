import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SeriesRow } from './client.ts';
import { likelyOf, likelyText, queriesFor } from './likely.ts';
import { seriesPage } from './show.ts';

const series: SeriesRow = {
  ...{ id: '0c4f6b1d-11111111', seriesInstanceUid: '1.2', accessionNumber: 'A1', modality: 'MR' },
  ...{ seriesNumber: '1', seriesDescription: 't1', state: 'quarantined', outcome: 'Quarantined' },
  ...{ firstSeen: '2026-11-28T12:00:00Z', acquired: '2026-11-28T09:10:00Z', sender: 'PRISMA' },
  reasonCode: 'ROUTE_NO_MATCH',
  reason: 'Nobody booked it.',
  attributes: { AccessionNumber: 'A1 ', PatientID: 'somebody' },
  images: { inOrthanc: 1, stored: 0 },
  legs: [],
};
const booking = {
  ...{ calendar: 'prisma', outcome: 'booking', scanner: 'prisma', accessionNumber: 'B1' },
  ...{ start: '2026-11-28T09:00:00Z', end: '2026-11-28T10:00:00Z' },
  ...{ project: "p'1", subject: 'sub-001', session: 'ses-1' },
};
const scanners = { prisma: { aet: 'PRISMA', modality: 'MR', sends: [] } } as never;

test('likely: cal2wl is asked for the day of the scan and for the numbers in the images', () => {
  assert.deepEqual(queriesFor(series), [
    { from: '2026-11-27T09:10:00Z', to: '2026-11-29T09:10:00Z' },
    { find: 'A1' },
  ]);
  const late = queriesFor({ ...series, firstSeen: '2026-12-01T09:10:00Z' });
  assert.equal(late.length, 3, 'a clock that is set wrong');
});

test('likely: a quarantined series shows its sender, its time, its patient ID and who may have booked it', () => {
  const page = seriesPage(series, 'Europe/Amsterdam');
  assert.match(page, /^sent by +PRISMA$/m);
  assert.match(page, /^scanned +2026-11-28 10:10:00\+01:00$/m);
  assert.match(page, /PatientID: somebody$/m);
  const likely = likelyOf(
    series,
    [booking, { ...booking, outcome: 'skipped', start: '' }].slice(0, 1),
    scanners,
  );
  const text = likelyText(series.id, likely, 'Europe/Amsterdam');
  assert.match(
    text,
    /^ {2}p'1 sub-001 ses-1 {2}prisma 2026-11-28 10:00:00\+01:00 {2}B1 {2}\(same time, day, scanner\)$/m,
  );
  assert.ok(
    text.includes(String.raw`series release 0c4f6b1d --project 'p'\''1' --subject sub-001 --session ses-1`),
  );
  assert.match(likelyText(series.id, [], 'UTC'), /^no booking fits it/);
});
