import assert from 'node:assert/strict';
import { test } from 'node:test';
import { identify } from '../booking.ts';
import { flagBookings, type History } from './across.ts';
import { makeRecord } from './interpret.ts';
import type { BookedOutcome, Outcome } from './outcome.ts';

const at = (hour: number): Temporal.Instant =>
  Temporal.Instant.from('2026-11-23T00:00:00Z').add({ hours: hour });

const booked = (
  uid: string,
  from: number,
  { subject = `sub-${uid}`, to = from + 1, calendar = 'prisma', scanner = 'prisma', session = 'a' } = {},
): BookedOutcome => {
  const labels = { project: 'p', subject, session };
  const booking = { scanner, start: at(from), end: at(to), labels, title: '', source: { calendar, uid } };
  const record = makeRecord(booking, { modalities: {}, patientId: '', patientName: '' });
  return { outcome: 'booking', code: 'BOOKING', reason: '', booking, record, warnings: [] };
};
const codes = (outcomes: readonly Outcome[], history?: History): string[] =>
  flagBookings(outcomes, history).map((one) =>
    one.outcome === 'booking' ? one.warnings.map(({ code }) => code).join(' ') : one.outcome,
  );

test('across: what overlaps on one scanner, both flagged, also inside a longer one', () => {
  assert.deepEqual(codes([booked('1', 9), booked('2', 10), booked('3', 11)]), ['', '', '']);
  assert.deepEqual(codes([booked('1', 9, { to: 14 }), booked('2', 10), booked('3', 12), booked('4', 14)]), [
    'OVERLAP',
    'OVERLAP',
    'OVERLAP',
    '',
  ]);
  assert.deepEqual(codes([booked('1', 9), booked('2', 9, { scanner: 'skyra' })]), ['', '']);
});

test('across: two calendars that name one slot', () => {
  assert.deepEqual(codes([booked('1', 9), booked('2', 9, { calendar: 'other' })]), [
    'SAME_SLOT',
    'SAME_SLOT',
  ]);
});

test('across: the same labels twice, and skipped ones in between stay as they are', () => {
  const skipped: Outcome = { outcome: 'skipped', code: 'FREE', reason: '' };
  assert.deepEqual(codes([booked('1', 9, { subject: 's1' }), skipped, booked('2', 11, { subject: 's1' })]), [
    'BOOKED_TWICE',
    'skipped',
    'BOOKED_TWICE',
  ]);
});

test('across: subjects that differ only in case, hyphens or zeros', () => {
  assert.deepEqual(
    codes([booked('1', 9, { subject: 'sub-1' }), booked('2', 11, { subject: 'Sub001' }), booked('3', 13)]),
    ['SIMILAR_SUBJECT', 'SIMILAR_SUBJECT', 'SIMILAR_SUBJECT'].map((code, index) => (index < 2 ? code : '')),
  );
  const reason = flagBookings([booked('1', 9, { subject: 'sub-10' }), booked('2', 11, { subject: 'sub-1' })]);
  assert.deepEqual(
    reason.map(({ code }) => code),
    ['BOOKING', 'BOOKING'],
  );
});

test('across: used before, unless that booking was cancelled or is this one', () => {
  const one = booked('1', 9);
  const past = (status: 'scheduled' | 'cancelled', accessionNumber: string): History => ({
    byLabels: () => [
      {
        ...one.record,
        ...identify({ calendar: 'prisma', uid: 'old' }, one.booking.labels),
        status,
        accessionNumber,
      },
    ],
    subjects: () => [],
  });
  assert.deepEqual(codes([one], past('scheduled', 'OLD')), ['USED_BEFORE']);
  assert.deepEqual(codes([one], past('cancelled', 'OLD')), ['']);
  assert.deepEqual(codes([one], past('scheduled', one.record.accessionNumber)), ['']);
});
