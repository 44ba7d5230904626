/** What a booker is told about texts that a scanner cannot show as they were written, by VR and character set. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BookingRecord } from '@scanflow/booking';
import { fit, recordNotes } from './fit.ts';

const record = (more: Partial<BookingRecord> = {}, session = 'ses-1'): BookingRecord => ({
  version: 1,
  accessionNumber: '0123456789ABCDEF',
  studyInstanceUid: '2.25.1',
  status: 'scheduled',
  scanner: 'prisma',
  modality: 'MR',
  start: '2026-11-23T09:00:00Z',
  end: '2026-11-23T10:00:00Z',
  labels: { project: 'p', subject: 's1', session },
  title: 'plain',
  patientId: 'p_s1',
  patientName: 'p_s1',
  source: { calendar: 'c', uid: 'u' },
  ...more,
});
const codes = (one: BookingRecord, set: string): string[] => recordNotes(one, set).map(({ code }) => code);

test('notes: SH 16, LO 64 and PN 64 a group, up to the limit and one beyond', () => {
  const cases: [string, number, (text: string) => BookingRecord][] = [
    ['LO', 64, (title) => record({ title })],
    ['PN', 64, (operator) => record({ operator })],
    ['PN', 64, (operator) => record({ operator: `A=${operator}` })],
    ['LO', 64, (patientId) => record({ patientId })],
  ];
  for (const [vr, limit, make] of cases) {
    assert.deepEqual(codes(make('é'.repeat(limit)), 'ISO_IR 192'), [], vr);
    assert.deepEqual(codes(make('é'.repeat(limit + 1)), 'ISO_IR 192'), ['TEXT_SHORTENED'], vr);
  }
  assert.deepEqual(codes(record({}, 'é'.repeat(16)), 'ISO_IR 100'), []);
});

test('notes: a session that its character set makes longer or plainer is told', () => {
  assert.deepEqual(codes(record({}, 'ses-é1'), 'ISO_IR 6'), ['TEXT_REPLACED']);
  assert.deepEqual(codes(record({}, 'ses-é1'), 'ISO_IR 100'), []);
  const [replaced, shortened] = recordNotes(record({}, 'ß'.repeat(10)), 'ISO_IR 6');
  assert.deepEqual([replaced?.code, shortened?.code], ['TEXT_REPLACED', 'TEXT_SHORTENED']);
  assert.match(String(shortened?.reason), /^The session is longer/);
  // this one has SESSION_SHORTENED already
  assert.deepEqual(codes(record({}, 'a'.repeat(20)), 'ISO_IR 6'), []);
});

test('fit: what is written in one byte a character has as many bytes as its VR has characters', () => {
  const text = 'é č ħ И 山 ß '.repeat(20);
  for (const set of ['ISO_IR 6', 'ISO_IR 100', 'ISO_IR 101', 'ISO_IR 109', 'ISO_IR 144', 'ISO_IR 192'])
    for (const [vr, limit] of [
      ['SH', 16],
      ['LO', 64],
      ['PN', 64],
    ] as const) {
      const fitted = fit(vr, text, set);
      assert.ok(Array.from(fitted).length <= limit && fitted.length >= limit - 2, `${vr} in ${set}`);
      assert.ok(fitted.isWellFormed() && !/[?\ufffd]/u.test(fitted), fitted);
    }
});
