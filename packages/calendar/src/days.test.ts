/** Series of whole days: programs name their instances by times, too. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCalendar, type CalendarContent } from './read.ts';

const zone = 'Europe/Amsterdam';
const window = {
  from: Temporal.Instant.from('2026-11-20T00:00:00Z'),
  to: Temporal.Instant.from('2026-12-30T00:00:00Z'),
};
const vevent = (...lines: string[]): string => ['BEGIN:VEVENT', 'UID:a', ...lines, 'END:VEVENT'].join('\r\n');

function content(...events: string[]): CalendarContent {
  const text = ['BEGIN:VCALENDAR', ...events, 'END:VCALENDAR', ''].join('\r\n');
  const read = readCalendar(Buffer.from(text), { window, zone });
  assert.ok(read.ok, JSON.stringify(read));
  assert.deepEqual(read.content.problems, []);
  return read.content;
}
const days = (...events: string[]): string[] =>
  content(...events).events.map(({ start }) => start.toZonedDateTimeISO(zone).toPlainDate().toString());

const SERIES = ['DTSTART;VALUE=DATE:20261123', 'RRULE:FREQ=WEEKLY;COUNT=3', 'SUMMARY:x'];
/** The second day of the series as programs write it; the last two are midnight of that day where the series is. */
const SECOND = [
  ':20261130',
  ';VALUE=DATE:20261130',
  ':20261130T000000',
  ':20261130T000000Z',
  ';TZID=Europe/Amsterdam:20261130T000000',
  ';TZID=America/New_York:20261130T000000',
  ';TZID=Europe/Amsterdam:20261130T090000',
  ':20261130T090000Z',
  ':20261129T230000Z',
  ';TZID=America/New_York:20261129T180000',
];

test('days: an EXDATE as a time takes the day that it means out of a series of days', () => {
  assert.deepEqual(days(vevent(...SERIES)), ['2026-11-23', '2026-11-30', '2026-12-07']);
  for (const second of SECOND)
    assert.deepEqual(days(vevent(...SERIES, `EXDATE${second}`)), ['2026-11-23', '2026-12-07'], second);
});

test('days: a RECURRENCE-ID as a time replaces the day that it means, under the id of that day', () => {
  for (const second of SECOND) {
    const moved = vevent(`RECURRENCE-ID${second}`, 'DTSTART;VALUE=DATE:20261202', 'SUMMARY:moved');
    const { events } = content(vevent(...SERIES), moved);
    assert.deepEqual(
      events.map(({ recurrenceId, summary }) => [recurrenceId, summary]),
      [
        [undefined, 'x'],
        ['2026-11-29T23:00:00Z', 'moved'],
        ['2026-12-06T23:00:00Z', 'x'],
      ],
      second,
    );
  }
});

test('days: an instance is still known under the id that 0.1.0 gave it', () => {
  const ids = (id: string): unknown[] => {
    const moved = vevent(`RECURRENCE-ID:${id}`, 'DTSTART:20261202T090000Z', 'SUMMARY:moved');
    const found = content(vevent(...SERIES), moved).events.find(({ summary }) => summary === 'moved');
    return [found?.recurrenceId, found?.formerRecurrenceId];
  };
  assert.deepEqual(ids('20261130T000000Z'), ['2026-11-29T23:00:00Z', '2026-11-30T00:00:00Z']);
  assert.deepEqual(ids('20261123T000000Z'), [undefined, '2026-11-23T00:00:00Z']);
  assert.deepEqual(ids('20261130T000000'), ['2026-11-29T23:00:00Z', undefined]);
  assert.deepEqual(ids('20261130'), ['2026-11-29T23:00:00Z', undefined]);
});

test('days: an override and all that follow it, named by a time; of two names of one day the newer override counts', () => {
  const rest = ['DTSTART;VALUE=DATE:20261201', 'SUMMARY:moved'];
  const both = vevent('RECURRENCE-ID;RANGE=THISANDFUTURE:20261130T000000Z', ...rest);
  assert.deepEqual(days(vevent(...SERIES), both), ['2026-11-23', '2026-12-01', '2026-12-08']);
  const older = vevent('RECURRENCE-ID;VALUE=DATE:20261130', 'SEQUENCE:1', 'DTSTART;VALUE=DATE:20261203');
  const newer = vevent('RECURRENCE-ID:20261130T000000Z', 'SEQUENCE:2', ...rest);
  assert.deepEqual(days(vevent(...SERIES), newer, older), ['2026-11-23', '2026-12-01', '2026-12-07']);
});

test('days: an RDATE as a time is a day, and keeps the id that 0.1.0 gave it', () => {
  const { events } = content(vevent(...SERIES, 'RDATE:20261125T000000Z'));
  assert.deepEqual(
    events.map(({ start, formerRecurrenceId }) => [start.toString(), formerRecurrenceId]),
    [
      ['2026-11-22T23:00:00Z', undefined],
      ['2026-11-24T23:00:00Z', '2026-11-25T00:00:00Z'],
      ['2026-11-29T23:00:00Z', undefined],
      ['2026-12-06T23:00:00Z', undefined],
    ],
  );
});

test('days: a series with times, of which days are named, is as it was', () => {
  const timed = ['DTSTART;TZID=Europe/Amsterdam:20261123T090000', 'RRULE:FREQ=WEEKLY;COUNT=3', 'SUMMARY:x'];
  assert.deepEqual(days(vevent(...timed, 'EXDATE;VALUE=DATE:20261130')), ['2026-11-23', '2026-12-07']);
  assert.deepEqual(days(vevent(...timed, 'EXDATE:20261130T000000Z')), [
    '2026-11-23',
    '2026-11-30',
    '2026-12-07',
  ]);
});
