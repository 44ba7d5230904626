import assert from 'node:assert/strict';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { encodeBookingRecord, type BookingRecord } from '@scanflow/booking';
import { bookingRecord } from '@scanflow/testkit/events';
import { createBookings } from './bookings.ts';

const folder = await mkdtemp(join(tmpdir(), 'scanflow-bookings-'));
after(() => rm(folder, { recursive: true, force: true }));

const record = (subject: string, more: Partial<BookingRecord> = {}): BookingRecord =>
  bookingRecord({ labels: { project: 'p', subject, session: '1' }, ...more });
const fresh = record('s2');
const old = record('s1', { status: 'superseded', supersededBy: fresh.accessionNumber });
for (const one of [fresh, old])
  await writeFile(join(folder, `${one.accessionNumber}.json`), encodeBookingRecord(one));
await writeFile(join(folder, 'rejected.json'), '{"version": 1, "rejected": []}');

test('bookings: a relabelled booking is found under both, each with the labels that the console showed', async () => {
  const told: string[] = [];
  const bookings = createBookings(folder, (file) => told.push(file));
  for (const one of [fresh, old]) {
    assert.deepEqual(await bookings.byAccession(one.accessionNumber), one);
    assert.deepEqual(await bookings.byStudy(one.studyInstanceUid), one);
  }
  assert.deepEqual(told, []);
});

test('bookings: the list of what was rejected is no record and no mistake', async () => {
  const told: string[] = [];
  const bookings = createBookings(folder, (file) => told.push(file));
  assert.equal(await bookings.byAccession('rejected'), undefined);
  assert.equal(await bookings.byStudy('2.25.1'), undefined);
  assert.deepEqual(told, []);
});

test('bookings: series that ask at the same moment all get the answer, in a folder that nobody changed for long', async () => {
  await utimes(folder, 1_700_000_000, 1_700_000_000);
  const bookings = createBookings(folder);
  const [first, second] = await Promise.all([
    bookings.byStudy(fresh.studyInstanceUid),
    bookings.byStudy(old.studyInstanceUid),
  ]);
  assert.deepEqual([first?.labels.subject, second?.labels.subject], ['s2', 's1']);
});
