import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CalendarAnswer, OutcomeAnswer } from '../sources/answers.ts';
import { bookingsPage } from './page.ts';

const event = (number: number): OutcomeAnswer => ({
  outcome: 'booking',
  calendar: 'prisma',
  scanner: 'prisma',
  uid: String(number),
  recurrenceId: '',
  code: 'BOOKING',
  reason: '',
  summary: `event ${number}`,
  warnings: [],
});
const calendar: CalendarAnswer = {
  calendar: 'prisma',
  scanner: 'prisma',
  state: 'good',
  ageSeconds: 12,
  notes: [],
  ...{ bookings: 0, skipped: 0, rejected: 0, held: 0 },
};
const shown = (bookings: readonly OutcomeAnswer[], olderS = 0): string =>
  bookingsPage({
    calendars: [calendar],
    olderS,
    events: { rejected: [], bookings, skipped: [] },
    names: ['prisma'],
    timezone: 'UTC',
  }).toString();

test('bookings: the age of a calendar grows with the time since cal2wl was asked', () => {
  assert.match(shown([]), /12 s ago/);
  assert.match(shown([], 5), /17 s ago/);
});

test('bookings: thousands show their first 200, and how many there are', () => {
  const list = (length: number): OutcomeAnswer[] => Array.from({ length }, (_, number) => event(number));
  const page = shown(list(1_400));
  assert.equal(page.split('<b>event ').length - 1, 200);
  assert.match(page, /Booked <small>1,400<\/small>/);
  assert.match(page, /These are the first 200 events of 1,400\./);
  assert.doesNotMatch(shown(list(200)), /These are the first/);
});
