import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBookingRecord, type BookingRecord } from '@scanflow/booking';
import { withHistory } from './reconcile.ts';

const RECORD: BookingRecord = {
  ...{
    version: 1,
    accessionNumber: 'A1',
    studyInstanceUid: '2.25.1',
    status: 'scheduled',
    scanner: 'prisma',
  },
  ...{
    modality: 'MR',
    start: '2026-11-22T08:00:00Z',
    end: '2026-11-22T09:00:00Z',
    title: 'a',
    patientId: 'p',
  },
  ...{ patientName: 'p', labels: { project: '3010000.01', subject: 'sub-001', session: 'ses-mri01' } },
  source: { calendar: 'lab', uid: 'u' },
};
const NOW = Temporal.Instant.from('2026-11-20T10:00:00Z');

test('history: a record keeps when its slot moved, and from where; a record that is the same stays the same', () => {
  assert.equal(withHistory(RECORD, undefined, NOW), RECORD);
  assert.equal(withHistory(RECORD, { ...RECORD, title: 'b' }, NOW), RECORD);
  const moved: BookingRecord = { ...RECORD, start: '2026-11-23T08:00:00Z', end: '2026-11-23T09:00:00Z' };
  const first = withHistory(moved, RECORD, NOW);
  assert.deepEqual(first, {
    ...moved,
    changes: [{ at: '2026-11-20T10:00:00Z', start: RECORD.start, end: RECORD.end }],
  });
  assert.deepEqual(
    withHistory(moved, first, NOW.add({ hours: 1 })),
    first,
    'the next pass finds nothing new',
  );
  const cancelled = withHistory({ ...first, status: 'cancelled' }, first, NOW.add({ hours: 2 }));
  assert.deepEqual(cancelled.changes?.at(-1), { at: '2026-11-20T12:00:00Z', status: 'scheduled' });
  const back = withHistory({ ...moved, scanner: 'skyra' }, cancelled, NOW.add({ hours: 3 }));
  assert.deepEqual(back.changes?.at(-1), {
    at: '2026-11-20T13:00:00Z',
    scanner: 'prisma',
    status: 'cancelled',
  });
  assert.equal(back.changes.length, 3);
});

test('history: the last twenty changes are kept, and a record with them is read', () => {
  let record = RECORD;
  for (let minute = 1; minute <= 50; minute += 1) {
    const start = Temporal.Instant.from(RECORD.start).add({ minutes: minute }).toString();
    record = withHistory({ ...RECORD, start }, record, NOW.add({ minutes: minute }));
  }
  assert.equal(record.changes?.length, 20);
  assert.equal(record.changes.at(-1)?.start, '2026-11-22T08:49:00Z');
  assert.deepEqual(parseBookingRecord(JSON.stringify(record)), { ok: true, record });
  const odd = { ...RECORD, changes: [{ at: 'yesterday' }] };
  assert.deepEqual(parseBookingRecord(JSON.stringify(odd)), { ok: false, reason: 'changes are incomplete' });
});
