import assert from 'node:assert/strict';
import { test } from 'node:test';
import { related, type ExamRow, type ItemRow } from '../series/everything.ts';
import { foundText } from './find.ts';

const NONE = { bookings: [], items: [], exams: [], series: [] };
const booking = {
  ...{ calendar: 'prisma', outcome: 'booking', code: 'BOOKING', scanner: 'prisma', accessionNumber: 'A1' },
  ...{ start: '2026-11-28T08:30:00Z', project: 'p', subject: 'sub-001', session: 'ses-1' },
};
const item = (accessionNumber: string, start: string): ItemRow => ({
  ...{ accessionNumber, start, scanners: ['prisma'], state: 'scheduled' },
  studyInstanceUid: `2.25.${accessionNumber}`,
});
const exam = (uid: string, accession: string): ExamRow => ({
  ...{ sopInstanceUid: uid, state: 'COMPLETED', created: '2026-11-28T08:31:00Z', scanner: null, images: 3 },
  items: [],
  links: [{ accessionNumber: accession, studyInstanceUids: [`2.25.${accession}`] }],
  series: [{ seriesInstanceUid: `9.${accession}` }],
});

test('find: items and exams belong to a term by themselves, and by the bookings and sessions that it found', () => {
  const facts = {
    ...{ bookings: [], sessions: [] },
    items: [item('A1', '2026-11-28T09:30'), item('A2', '2026-11-29T09:30')],
    exams: [exam('1.1', 'A1'), exam('1.2', 'A2')],
  };
  const names = (term: string, more: object = {}): string[] => {
    const { items, exams } = related(term, { ...facts, ...more });
    return [
      ...items.map(({ accessionNumber }) => accessionNumber),
      ...exams.map((one) => one.sopInstanceUid),
    ];
  };
  assert.deepEqual(names('A1'), ['A1', '1.1']);
  assert.deepEqual(names('2.25.A2'), ['A2', '1.2']);
  assert.deepEqual(names('9.A1'), ['1.1'], 'by a series that the scanner reported');
  assert.deepEqual(names('1.2'), ['1.2'], 'by the exam itself');
  assert.deepEqual(names('2026-11-28'), ['A1']);
  assert.deepEqual(names('sub-001'), []);
  assert.deepEqual(names('sub-001', { bookings: [booking] }), ['A1', '1.1']);
  const sessions = [{ accessionNumber: 'A2', studyInstanceUids: [], series: [] }];
  assert.deepEqual(names('p', { sessions }), ['A2', '1.2']);
});

test('find: each part has its table, with times of the facility; what nobody knows says so', () => {
  assert.match(foundText('x\u001b[31m', NONE, 'UTC'), /^Nothing is known of x\. /);
  const many = Array.from({ length: 60 }, (_, index) => item(`A${index}`, '2026-11-28T09:30'));
  const text = foundText('A1', { ...NONE, bookings: [booking], items: many }, 'Europe/Amsterdam');
  assert.match(
    text,
    /^BOOKINGS \(1\)\nSTART .*\n2026-11-28 09:30:00\+01:00 +prisma +booking +A1 +p sub-001 ses-1\n/,
  );
  assert.match(text, /\nWORKLIST \(60\)\n.*\n2026-11-28 09:30 +prisma +scheduled +A0/);
  assert.match(text, /… and 10 more; --json shows all\n$/);
});
