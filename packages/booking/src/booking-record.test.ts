import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  encodeBookingRecord,
  parseBookingRecord,
  type BookingRecord,
  parseRejected,
} from './booking-record.ts';

const record: BookingRecord = {
  version: 1,
  accessionNumber: 'A1',
  studyInstanceUid: '2.25.1',
  status: 'scheduled',
  scanner: 'prisma',
  modality: 'MR',
  start: '2026-11-24T09:00:00Z',
  end: '2026-11-24T10:00:00Z',
  labels: { project: 'p', subject: 's1', session: '1' },
  title: '',
  patientId: 'p_s1',
  patientName: 'p_s1',
  source: { calendar: 'prisma', uid: 'a' },
};

test('booking record: what is written is read, in each status', () => {
  const records: BookingRecord[] = [
    record,
    { ...record, status: 'cancelled' },
    { ...record, status: 'superseded', supersededBy: 'A2' },
  ];
  for (const one of records)
    assert.deepEqual(parseBookingRecord(encodeBookingRecord(one)), { ok: true, record: one });
});

const broken: [string, object, RegExp][] = [
  ['another version', { version: 2 }, /version 2/],
  ['a status that is none', { status: 'gone' }, /status/],
  ['superseded by nothing', { status: 'superseded' }, /supersededBy/],
  ['superseded and scheduled', { supersededBy: 'A2' }, /supersededBy/],
  ['no title', { title: undefined }, /title/],
  ['incomplete labels', { labels: { project: 'p' } }, /labels/],
];
for (const [what, change, reason] of broken)
  test(`booking record: ${what} is told`, () => {
    const parsed = parseBookingRecord(JSON.stringify({ ...record, ...change }));
    assert.match(parsed.ok ? 'read' : parsed.reason, reason);
  });

test('rejected: what it names, whatever else is in the file', () => {
  const text = '{"rejected":[null,{"calendar":"p"},{"calendar":"p","uid":"a","code":"X"}]}';
  assert.deepEqual(
    parseRejected(text).map(({ uid }) => uid),
    ['a'],
  );
  for (const odd of ['', 'null', '[]', '{"rejected":1}']) assert.deepEqual(parseRejected(odd), []);
});
