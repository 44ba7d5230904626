/** Overrides and exceptions as the world's calendars have them (RFC 5545 3.8.4.4, 3.8.5.1). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calendarOf, event, readAs } from '@scanflow/testkit/odd-calendars';
import { readCalendar } from './read.ts';

const show = (name: string, text: string, wanted: string): void =>
  void test(`overrides: ${name}`, () => assert.equal(readAs(text), wanted));

const A = ';TZID=Europe/Amsterdam:';
const master = (more: readonly string[] = []): string[] =>
  event([`DTSTART${A}20260706T090000`, `DTEND${A}20260706T100000`, 'RRULE:FREQ=DAILY;COUNT=4', ...more]);
const ov = (rid: string, start: string, more: readonly string[] = [], title = 'o'): string[] => [
  'BEGIN:VEVENT',
  'UID:a',
  `RECURRENCE-ID${rid}`,
  `DTSTART${start}`,
  `DTEND${start.replace(/T(\d\d)/, (_, h: string) => `T${String(Number(h) + 1).padStart(2, '0')}`)}`,
  `SUMMARY:${title}`,
  ...more,
  'END:VEVENT',
];
const all = '07-06T07:00 07-07T07:00 07-08T07:00 07-09T07:00';
show(
  'override in UTC',
  calendarOf(master(), ov(':20260707T070000Z', ':20260707T100000Z')),
  '07-06T07:00 07-07T10:00=o 07-08T07:00 07-09T07:00',
);
show(
  'override in other zone',
  calendarOf(master(), ov(';TZID=Europe/London:20260707T080000', `${A}20260707T120000`)),
  '07-06T07:00 07-07T10:00=o 07-08T07:00 07-09T07:00',
);
show(
  'override floating',
  calendarOf(master(), ov(':20260707T090000', `${A}20260707T120000`)),
  '07-06T07:00 07-07T10:00=o 07-08T07:00 07-09T07:00',
);
show(
  'override by day',
  calendarOf(master(), ov(';VALUE=DATE:20260707', `${A}20260707T120000`)),
  '07-06T07:00 07-07T10:00=o 07-08T07:00 07-09T07:00',
);
show(
  'override of no instance',
  calendarOf(master(), ov(`${A}20260707T113000`, `${A}20260707T120000`)),
  '07-06T07:00 07-07T07:00 07-07T10:00=o 07-08T07:00 07-09T07:00',
);
show(
  'override with unknown zone on start',
  calendarOf(master(), ov(`${A}20260707T090000`, ';TZID=Mars:20260707T120000')),
  '07-06T07:00 07-08T07:00 07-09T07:00 UNKNOWN_ZONE',
);
show(
  'override with unknown zone on id',
  calendarOf(master(), ov(';TZID=Mars:20260707T090000', `${A}20260707T120000`)),
  '07-06T07:00 07-07T07:00 07-08T07:00 07-09T07:00 UNKNOWN_ZONE',
);
show(
  'THISANDFUTURE',
  calendarOf(master(), ov(`;RANGE=THISANDFUTURE${A}20260708T090000`, `${A}20260708T110000`)),
  '07-06T07:00 07-07T07:00 07-08T09:00=o 07-09T09:00=o',
);
show(
  'THISANDPRIOR',
  calendarOf(master(), ov(`;RANGE=THISANDPRIOR${A}20260707T090000`, `${A}20260707T110000`)),
  '07-06T07:00 07-07T09:00=o 07-08T07:00 07-09T07:00',
);
show(
  'override cancelled',
  calendarOf(master(), ov(`${A}20260707T090000`, `${A}20260707T090000`, ['STATUS:CANCELLED'])),
  '07-06T07:00 07-07T07:00x=o 07-08T07:00 07-09T07:00',
);
show(
  'THISANDFUTURE cancelled',
  calendarOf(
    master(),
    ov(`;RANGE=THISANDFUTURE${A}20260708T090000`, `${A}20260708T090000`, ['STATUS:CANCELLED']),
  ),
  '07-06T07:00 07-07T07:00 07-08T07:00x=o 07-09T07:00x=o',
);
show(
  'two overrides, higher SEQUENCE wins',
  calendarOf(
    master(),
    ov(`${A}20260707T090000`, `${A}20260707T120000`, ['SEQUENCE:2'], 'new'),
    ov(`${A}20260707T090000`, `${A}20260707T130000`, ['SEQUENCE:1'], 'old'),
  ),
  '07-06T07:00 07-07T10:00=new 07-08T07:00 07-09T07:00',
);
show(
  'override SEQUENCE lower than master',
  calendarOf(master(['SEQUENCE:5']), ov(`${A}20260707T090000`, `${A}20260707T120000`, ['SEQUENCE:1'])),
  '07-06T07:00 07-07T10:00=o 07-08T07:00 07-09T07:00',
);
show(
  'override before master',
  calendarOf(ov(`${A}20260707T090000`, `${A}20260707T120000`), master()),
  '07-06T07:00 07-07T10:00=o 07-08T07:00 07-09T07:00',
);
show('override alone', calendarOf(ov(`${A}20260707T090000`, `${A}20260707T120000`)), '07-07T10:00=o');
show(
  "override moved to another's time",
  calendarOf(master(), ov(`${A}20260707T090000`, `${A}20260708T090000`)),
  '07-06T07:00 07-08T07:00 07-08T07:00=o 07-09T07:00',
);
show(
  'override with RRULE',
  calendarOf(master(), ov(`${A}20260707T090000`, `${A}20260707T120000`, ['RRULE:FREQ=DAILY;COUNT=2'])),
  '07-06T07:00 07-07T10:00=o 07-08T07:00 07-09T07:00',
);
show(
  'override with blank SUMMARY',
  calendarOf(master(['DESCRIPTION:d']), ov(`${A}20260707T090000`, `${A}20260707T120000`, [], '')),
  '07-06T07:00 07-07T10:00= 07-08T07:00 07-09T07:00',
);
for (const [n, ex] of [
  ['EXDATE other zone', ';TZID=Europe/London:20260707T080000'],
  ['EXDATE UTC', ':20260707T070000Z'],
  ['EXDATE floating', ':20260707T090000'],
  ['EXDATE day', ';VALUE=DATE:20260707'],
  ['EXDATE day unlabelled', ':20260707'],
] as const)
  show(n, calendarOf(master([`EXDATE${ex}`])), '07-06T07:00 07-08T07:00 07-09T07:00');
show('EXDATE unknown zone', calendarOf(master(['EXDATE;TZID=Mars:20260707T090000'])), 'UNKNOWN_ZONE');
show(
  'EXDATE list, one garbage',
  calendarOf(master(['EXDATE;TZID=Europe/Amsterdam:20260707T090000,garbage'])),
  'BAD_TIME',
);
show(
  'EXDATE of the first',
  calendarOf(master(['EXDATE;TZID=Europe/Amsterdam:20260706T090000'])),
  '07-07T07:00 07-08T07:00 07-09T07:00',
);
show(
  'EXDATE and override of one',
  calendarOf(
    master(['EXDATE;TZID=Europe/Amsterdam:20260707T090000']),
    ov(`${A}20260707T090000`, `${A}20260707T120000`),
  ),
  '07-06T07:00 07-08T07:00 07-09T07:00',
);
show('EXDATE empty', calendarOf(master(['EXDATE:'])), all);
show(
  'two events of a UID',
  calendarOf(master(), event([`DTSTART${A}20260710T090000`, `DTEND${A}20260710T100000`])),
  '07-10T07:00 SHARED_UID',
);

const calendars = ['END:VCALENDAR', 'BEGIN:VCALENDAR', 'VERSION:2.0', 'METHOD:CANCEL'];
const cancelled = (more: readonly string[]): string[] => ['BEGIN:VEVENT', 'UID:a', ...more, 'END:VEVENT'];
show(
  'METHOD:CANCEL of an instance without a start (RFC 5546 3.2.5)',
  calendarOf(master(), calendars, cancelled([`RECURRENCE-ID${A}20260707T090000`])),
  '07-06T07:00 07-07T07:00x 07-08T07:00 07-09T07:00',
);
show(
  'a cancelled instance without a start',
  calendarOf(master(), cancelled([`RECURRENCE-ID${A}20260707T090000`, 'STATUS:CANCELLED'])),
  '07-06T07:00 07-07T07:00x 07-08T07:00 07-09T07:00',
);
show(
  'METHOD:CANCEL of all without a start',
  calendarOf(master(), calendars, cancelled(['SEQUENCE:1'])),
  '07-06T07:00x 07-07T07:00x 07-08T07:00x 07-09T07:00x',
);
show(
  'a cancellation without a start that is older',
  calendarOf(master(['SEQUENCE:2']), calendars, cancelled(['SEQUENCE:1'])),
  all,
);
show('a cancellation without a start, alone', calendarOf(cancelled(['STATUS:CANCELLED'])), '');
show(
  'an instance without a start that is not cancelled',
  calendarOf(master(), cancelled([`RECURRENCE-ID${A}20260707T090000`, 'SUMMARY:o'])),
  '07-06T07:00 07-08T07:00 07-09T07:00 NO_START',
);

test('overrides: one that only moves an instance of a private series does not make it public', () => {
  const text = calendarOf(master(['CLASS:PRIVATE']), [
    ...['BEGIN:VEVENT', 'UID:a', `RECURRENCE-ID${A}20260707T090000`, `DTSTART${A}20260707T120000`],
    'END:VEVENT',
  ]);
  const window = {
    from: Temporal.Instant.from('2026-07-05T00Z'),
    to: Temporal.Instant.from('2026-07-12T00Z'),
  };
  const read = readCalendar(Buffer.from(text), { window, zone: 'Europe/Amsterdam' });
  assert.ok(read.ok);
  assert.deepEqual(
    read.content.events.map((one) => one.class),
    ['PRIVATE', 'PRIVATE', 'PRIVATE', 'PRIVATE'],
  );
});
