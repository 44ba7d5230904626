import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bookingRecord } from '@scanflow/testkit/events';
import {
  encodeBookingRecord,
  encodeExamRecord,
  parseBookingRecord,
  parseExamRecord,
  parseRejected,
  type BookingRecord,
  type ExamRecord,
} from './records.ts';

const record = bookingRecord({
  accessionNumber: 'A1',
  studyInstanceUid: '2.25.1',
  patientId: 'p_s1',
  patientName: 'p_s1',
});

test('booking record: what is written is read, in each status', () => {
  const records: BookingRecord[] = [
    record,
    { ...record, status: 'cancelled' },
    { ...record, operator: 'Jane Doe', bookers: ['jane@example.org'] },
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
  ['bookers that are a text', { bookers: 'jane@example.org' }, /bookers/],
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

const exam: ExamRecord = {
  version: 1,
  sopInstanceUid: '2.25.7',
  state: 'COMPLETED',
  created: '2026-11-22T08:31:02Z',
  updated: '2026-11-22T09:12:40Z',
  started: '2026-11-22T08:31:00Z',
  ended: '2026-11-22T09:12:39Z',
  modality: 'MR',
  stationAet: 'PRISMA',
  callingAet: 'PRISMA',
  wrongItem: false,
  links: [
    {
      accessionNumber: 'A1',
      scheduledStepId: 'S1',
      requestedProcedureId: 'P1',
      studyInstanceUids: ['2.25.1'],
    },
  ],
  items: [
    {
      accessionNumber: 'A1',
      studyInstanceUid: '2.25.1',
      scheduledStepId: 'S1',
      start: '2026-11-22T08:30:00Z',
    },
  ],
  series: [{ seriesInstanceUid: '2.25.9', description: 't1', images: 192, others: 0 }],
  attributes: { '00080060': { vr: 'CS', Value: ['MR'] } },
};

test('performed record: what is written is read', () => {
  assert.deepEqual(parseExamRecord(encodeExamRecord(exam)), { ok: true, record: exam });
  const { started: _, ended: __, ...running } = exam;
  const inProgress: ExamRecord = { ...running, state: 'IN PROGRESS' };
  assert.deepEqual(parseExamRecord(encodeExamRecord(inProgress)), { ok: true, record: inProgress });
});

const brokenExams: [string, object, RegExp][] = [
  ['another version', { version: 2 }, /version 2/],
  ['a state that is none', { state: 'completed' }, /state/],
  ['no modality', { modality: undefined }, /modality/],
  ['a time that is none', { created: 'today' }, /created/],
  ['a start that is none', { started: '20261122' }, /started/],
  ['no answer to the wrong item', { wrongItem: undefined }, /wrongItem/],
  ['links without studies', { links: [{ accessionNumber: 'A' }] }, /links/],
  ['items of numbers', { items: [1] }, /items/],
  ['a negative count', { series: [{ ...exam.series[0], images: -1 }] }, /series/],
  ['no attributes', { attributes: [] }, /attributes/],
];
for (const [what, change, reason] of brokenExams)
  test(`performed record: ${what} is told`, () => {
    const parsed = parseExamRecord(JSON.stringify({ ...exam, ...change }));
    assert.match(parsed.ok ? 'read' : parsed.reason, reason);
  });

test('performed record: what is no JSON is told without its text', () => {
  const parsed = parseExamRecord('{"patient": Secret');
  assert.doesNotMatch(parsed.ok ? 'read' : parsed.reason, /Secret|read/);
});
