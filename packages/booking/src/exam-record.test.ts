import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeExamRecord, parseExamRecord, type ExamRecord } from './exam-record.ts';

const record: ExamRecord = {
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
  assert.deepEqual(parseExamRecord(encodeExamRecord(record)), { ok: true, record });
  const { started: _, ended: __, ...running } = record;
  const inProgress: ExamRecord = { ...running, state: 'IN PROGRESS' };
  assert.deepEqual(parseExamRecord(encodeExamRecord(inProgress)), { ok: true, record: inProgress });
});

const broken: [string, object, RegExp][] = [
  ['another version', { version: 2 }, /version 2/],
  ['a state that is none', { state: 'completed' }, /state/],
  ['no modality', { modality: undefined }, /modality/],
  ['a time that is none', { created: 'today' }, /created/],
  ['a start that is none', { started: '20261122' }, /started/],
  ['no answer to the wrong item', { wrongItem: undefined }, /wrongItem/],
  ['links without studies', { links: [{ accessionNumber: 'A' }] }, /links/],
  ['items of numbers', { items: [1] }, /items/],
  ['a negative count', { series: [{ ...record.series[0], images: -1 }] }, /series/],
  ['no attributes', { attributes: [] }, /attributes/],
];
for (const [what, change, reason] of broken)
  test(`performed record: ${what} is told`, () => {
    const parsed = parseExamRecord(JSON.stringify({ ...record, ...change }));
    assert.match(parsed.ok ? 'read' : parsed.reason, reason);
  });

test('performed record: what is no JSON is told without its text', () => {
  const parsed = parseExamRecord('{"patient": Secret');
  assert.doesNotMatch(parsed.ok ? 'read' : parsed.reason, /Secret|read/);
});
