/** What an event that cannot be read costs: calendars as text, read, judged and reconciled with what they gave before. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeBookingRecord, type BookingRecord, type BookingRules } from '@scanflow/booking';
import { readCalendar } from '@scanflow/calendar';
import { rules as takingRules } from '@scanflow/testkit/events';
import { createPlanner } from '@scanflow/identity';
import { reconcile, type Published, type Wanted } from './reconcile.ts';

const window = {
  from: Temporal.Instant.from('2026-03-01T00:00:00Z'),
  to: Temporal.Instant.from('2026-04-01T00:00:00Z'),
};
const rules: BookingRules = {
  ...takingRules,
  patterns: [/^(?<project>\S+) (?<subject>\S+) (?<session>\S+)$/u],
  patientName: '{subject}@{project}',
};

const AMSTERDAM = 'TZID=Europe/Amsterdam';
const NOWHERE = 'TZID=Room 3';
const vevent = (...lines: string[]): string[] => ['BEGIN:VEVENT', 'UID:u', ...lines, 'END:VEVENT'];
const slot = (day: number, zone = AMSTERDAM): string[] => [
  `DTSTART;${zone}:202603${String(day).padStart(2, '0')}T090000`,
  'DURATION:PT1H',
];
const replaces = (day: number, zone = AMSTERDAM): string =>
  `RECURRENCE-ID;${zone}:202603${String(day).padStart(2, '0')}T090000`;
const series = (...more: string[]): string[] =>
  vevent(...slot(2), 'RRULE:FREQ=WEEKLY;COUNT=4', 'SUMMARY:p s1 x', ...more);
const title = (text: string): string => `SUMMARY:${text}`;

/** What a calendar wants, and what has to change on disk. */
function pass(events: readonly string[], before: readonly BookingRecord[] = []) {
  const text = ['BEGIN:VCALENDAR', ...events, 'END:VCALENDAR', ''].join('\r\n');
  const read = readCalendar(Buffer.from(text), { window, zone: 'Europe/Amsterdam' });
  assert.ok(read.ok);
  const { outcomes, present, unreadable } = createPlanner(rules)(read.content);
  const item = (record: BookingRecord): Uint8Array => Buffer.from(encodeBookingRecord(record));
  const wanted = outcomes.flatMap((one): Wanted[] =>
    one.outcome === 'booking' ? [{ record: one.record, item: item(one.record) }] : [],
  );
  const published = new Map<string, Published>(
    before.map((record) => [
      record.accessionNumber,
      { accessionNumber: record.accessionNumber, record, item: item(record) },
    ]),
  );
  const { outside } = read.content;
  const told = { answered: true, unknown: false, suspicion: undefined, accepted: true };
  const view = { calendar: 'prisma', present, outside, unreadable, ...told };
  const { actions } = reconcile({ view, wanted, published, window, frozen: new Set() });
  return {
    records: wanted.map(({ record }) => record),
    changes: actions.flatMap((one) =>
      one.kind === 'unchanged' ? [] : one.kind === 'keep' ? [`keep ${one.why}`] : [one.kind],
    ),
  };
}

const second = vevent(replaces(9), ...slot(10), title('p s2 x'));
const broken = vevent(replaces(16), ...slot(17, NOWHERE), title('p s3 x'));
const lost = vevent(replaces(16, NOWHERE), ...slot(17, NOWHERE), title('p s3 x'));

test('an override that cannot be read keeps its own instance and no other', () => {
  const before = pass([...series(), ...second]).records;
  assert.equal(before.length, 4);
  assert.deepEqual(pass([...series(), ...second, ...broken], before).changes, ['keep unreadable']);
  assert.deepEqual(pass([...series(), ...second, ...lost], before).changes, []);
});

for (const [how, bad, kept] of [
  ['of which it is known what it replaces', broken, ['keep unreadable']],
  ['of which it is not known what it replaces', lost, []],
] as const) {
  test(`beside an override ${how}, an instance is relabelled, cancelled or deleted`, () => {
    const before = pass([...series(), ...second]).records;
    const relabelled = vevent(replaces(9), ...slot(10), title('p s4 x'));
    assert.deepEqual(pass([...series(), ...relabelled, ...bad], before).changes, [
      'publish',
      ...['supersede', ...kept].sort().reverse(),
    ]);
    const cancelled = vevent(replaces(9), ...slot(10), title('p s2 x'), 'STATUS:CANCELLED');
    const sorted = (changes: readonly string[]): string[] => changes.toSorted();
    assert.deepEqual(sorted(pass([...series(), ...cancelled, ...bad], before).changes), ['cancel', ...kept]);
    const deleted = series(`EXDATE;${AMSTERDAM}:20260309T090000`);
    assert.deepEqual(sorted(pass([...deleted, ...bad], before).changes), ['cancel', ...kept]);
  });
}

test('a first instance whose override cannot be read stays', () => {
  const before = pass(series()).records;
  const bad = vevent(replaces(2), ...slot(3, NOWHERE), title('p s3 x'));
  assert.deepEqual(pass([...series(), ...bad], before).changes, ['keep unreadable']);
});

test('an unreadable override of this and all that follow keeps all that follow', () => {
  const before = pass(series()).records;
  const bad = vevent(
    replaces(16).replace(';', ';RANGE=THISANDFUTURE;'),
    ...slot(17, NOWHERE),
    title('p s3 x'),
  );
  assert.deepEqual(pass([...series(), ...bad], before).changes, ['keep unreadable', 'keep unreadable']);
});

test('a series that cannot be read keeps all of its instances', () => {
  const before = pass(series()).records;
  assert.equal(
    pass(series('RRULE:FREQ=BANANA'), before).changes.join(),
    Array(4).fill('keep unreadable').join(),
  );
  assert.equal(pass(lost, before).changes.join(), Array(4).fill('keep unreadable').join());
});

test('of two events under one UID the newer one can be relabelled and deleted', () => {
  const older = vevent(...slot(5), title('p s9 x'), 'DTSTAMP:20260101T000000Z');
  const newer = (text: string): string[] => vevent(...slot(6), title(text), 'DTSTAMP:20260102T000000Z');
  const before = pass([...older, ...newer('p s1 x')]).records;
  assert.deepEqual(pass([...older, ...newer('p s2 x')], before).changes, ['publish', 'supersede']);
});
