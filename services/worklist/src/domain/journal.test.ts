import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createJournal, type QueryRecord } from './journal.ts';

const record = (answers: number): QueryRecord => ({
  at: '2026-11-22T08:00:00Z',
  callingAet: 'PRISMA',
  address: '127.0.0.1',
  keys: [],
  characterSet: 'ISO_IR 192',
  answers,
  milliseconds: 1,
  outcome: 'complete',
});
const kept = (capacity: number, count: number): number[] => {
  const journal = createJournal(capacity);
  for (let index = 1; index <= count; index++) journal.add(record(index));
  return journal.latest().map(({ answers }) => answers);
};

test('journal: starts empty', () => assert.deepEqual(kept(3, 0), []));
test('journal: gives the newest first', () => assert.deepEqual(kept(3, 2), [2, 1]));
test('journal: exactly full', () => assert.deepEqual(kept(3, 3), [3, 2, 1]));
test('journal: forgets the oldest', () => assert.deepEqual(kept(3, 5), [5, 4, 3]));
test('journal: forgets the oldest after several rounds', () => assert.deepEqual(kept(3, 9), [9, 8, 7]));
