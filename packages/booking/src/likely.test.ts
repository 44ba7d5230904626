import assert from 'node:assert/strict';
import { test } from 'node:test';
import { likelyBookings, type Clues, type Slot } from './likely.ts';

const HOUR = 3_600_000;
const NINE = Temporal.Instant.from('2026-11-28T09:00:00Z').epochMilliseconds;
const booking = (subject: string, over: Partial<Slot> = {}): Slot => ({
  ...{ scanner: 'prisma', start: NINE, end: NINE + HOUR },
  labels: { project: '3010000.01', subject, session: 'ses-mri01' },
  accessionNumber: `A-${subject}`,
  studyInstanceUid: `2.25.${subject}`,
  ...over,
});
const likely = (clues: Partial<Clues>, ...bookings: Slot[]): string[] =>
  likelyBookings({ attributes: {}, ...clues }, bookings).map(
    ({ booking: { labels }, signs }) => `${labels.subject}: ${signs.join(' ')}`,
  );

test('likely: an accession number or a study leads first; the time of the scan and the scanner come after it', () => {
  const [first, second] = [
    booking('sub-001'),
    booking('sub-002', { start: NINE + HOUR, end: NINE + 2 * HOUR }),
  ];
  assert.deepEqual(
    likely({ attributes: { AccessionNumber: ' A-sub-002 ' }, acquired: NINE }, first, second),
    ['sub-002: accession time day', 'sub-001: time day'],
  );
  assert.deepEqual(likely({ attributes: { StudyInstanceUID: '2.25.sub-001' } }, first, second), [
    'sub-001: study',
  ]);
  assert.deepEqual(
    likely(
      { acquired: NINE + 10 * 60_000, scanner: 'skyra' },
      booking('sub-003', { scanner: 'skyra' }),
      first,
    ),
    ['sub-003: time day scanner', 'sub-001: time day'],
  );
});

test('likely: identifiers name a subject however they are written, and no other whose number it begins', () => {
  for (const PatientID of ['3010000.01_sub-001', '3010000-01 SUB 001', 'SUB001', 'x_sub_001'])
    assert.match(
      likely({ attributes: { PatientID } }, booking('sub-001'))[0] ?? '',
      /^sub-001: subject/,
      PatientID,
    );
  for (const PatientID of ['sub-0011', 'sub-01', 'xsub-001', ''])
    assert.deepEqual(likely({ attributes: { PatientID } }, booking('sub-001')), [], PatientID);
});

test('likely: the day or the scanner alone propose nobody; a booking without labels is none; five at most', () => {
  const later = booking('sub-001', { start: NINE + 5 * HOUR, end: NINE + 6 * HOUR });
  assert.deepEqual(likely({ acquired: NINE, scanner: 'prisma' }, later), []);
  const { labels: _, ...bare } = booking('sub-002');
  assert.deepEqual(likely({ acquired: NINE }, bare), []);
  const many = Array.from({ length: 9 }, (_, index) => booking(`sub-10${index}`));
  assert.equal(likely({ acquired: NINE }, ...many).length, 5);
});
