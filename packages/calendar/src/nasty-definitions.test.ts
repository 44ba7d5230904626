/** VTIMEZONEs as the world's calendars have them: whole, partly, or against the standard (RFC 5545 3.6.5). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, calendarOf, part, readAs, zone } from '@scanflow/testkit/odd-calendars';

const show = (name: string, text: string, wanted: string): void =>
  void test(`zones: ${name}`, () => assert.equal(readAs(text), wanted));
const defined = (parts: readonly (readonly string[])[], wanted: string, name: string): void =>
  show(`a definition: ${name}`, calendarOf(zone('X', ...parts), at('X')), wanted);
defined([part('DAYLIGHT', '+0000', '+0300', '19700101T000000')], '07-06T06:00', 'only DAYLIGHT');
defined([part('STANDARD', '+0300', '+0300', '19700101T000000')], '07-06T06:00', 'one STANDARD');
defined(
  [part('STANDARD', '+0300', '+0300', '20300101T000000')],
  '07-06T06:00',
  'onset in the future: TZOFFSETFROM',
);
defined([part('STANDARD', '+0530', '+0530', '00010101T000000')], '07-06T03:30', 'DTSTART in year 1');
defined(
  [part('STANDARD', '+0530', '+0530', '16010101T000000', 'FREQ=YEARLY;BYDAY=1SU;BYMONTH=1')],
  '07-06T03:30',
  'same offset each year',
);
defined(
  [
    part('STANDARD', '+1200', '+1000', '20260101T000000'),
    part('DAYLIGHT', '+1000', '+1200', '20260601T000000'),
  ],
  '07-05T21:00',
  'two onsets without a rule',
);
defined(
  [
    part('STANDARD', '+0100', '+0100', '19700101T000000'),
    part('DAYLIGHT', '+0100', '+0200', '20200329T020000', undefined, [
      'RDATE:20250330T020000,20260329T020000',
    ]),
    part('STANDARD', '+0200', '+0100', '20201025T030000', undefined, [
      'RDATE:20251026T030000',
      'RDATE:20261025T030000',
    ]),
  ],
  '07-06T07:00',
  'onsets by RDATE',
);
defined(
  [
    part('STANDARD', '+0100', '+0100', '19700101T000000'),
    part('DAYLIGHT', '+0100', '+0200', '20200329T020000', undefined, [
      'RDATE;VALUE=DATE-TIME:20260329T020000',
    ]),
    part('STANDARD', '+0200', '+0100', '20201025T030000', undefined, [
      'RDATE;VALUE=PERIOD:20261025T030000/PT1H',
    ]),
  ],
  '07-06T07:00',
  'RDATE with VALUE and PERIOD',
);
defined(
  [
    part(
      'STANDARD',
      '+0200',
      '+0100',
      '19701025T030000',
      'FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU;UNTIL=20301027T030000',
    ),
    part(
      'DAYLIGHT',
      '+0100',
      '+0200',
      '19700329T020000',
      'FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU;UNTIL=20300331T020000',
    ),
  ],
  '07-06T07:00',
  'UNTIL local',
);
defined(
  [
    part(
      'STANDARD',
      '+0200',
      '+0100',
      '19701025T030000',
      'FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU;UNTIL=20301027T010000Z',
    ),
    part(
      'DAYLIGHT',
      '+0100',
      '+0200',
      '19700329T020000',
      'FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU;UNTIL=20200329T010000Z',
    ),
  ],
  '07-06T08:00',
  'DAYLIGHT ended 2020',
);
defined(
  [
    part('STANDARD', '+0200', '+0100', '19701025T030000', 'FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU;UNTIL=20301027'),
    part('DAYLIGHT', '+0100', '+0200', '19700329T020000', 'FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU;UNTIL=20300331'),
  ],
  '07-06T07:00',
  'UNTIL as a day',
);
defined(
  [
    part(
      'STANDARD',
      '+0200',
      '+0100',
      '19701025T030000',
      'FREQ=YEARLY;INTERVAL=1;BYMONTH=10;BYDAY=-1SU;WKST=MO',
    ),
    part(
      'DAYLIGHT',
      '+0100',
      '+0200',
      '19700329T020000',
      'RRULE:FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=25,26,27,28,29,30,31;BYDAY=SU',
    ),
  ],
  '07-06T07:00',
  'BYMONTHDAY with BYDAY',
);
defined(
  [
    part('STANDARD', '+020000', '+010000', '19701025T030000', 'FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU'),
    part('DAYLIGHT', '+01:00', '+02:00', '19700329T020000', 'FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU'),
  ],
  '07-06T07:00',
  'offsets with seconds and colons',
);
defined(
  [
    part('STANDARD', '0200', '0100', '19701025T030000', 'FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU'),
    part('DAYLIGHT', '0100', '0200', '19700329T020000', 'FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU'),
  ],
  '07-06T07:00',
  'offsets without sign',
);
defined(
  [part('STANDARD', '+2', '+1', '19701025T030000', 'FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU')],
  'UNKNOWN_ZONE',
  'offset +2',
);
defined(
  [['BEGIN:STANDARD', 'DTSTART:19700101T000000', 'TZOFFSETTO:+0300', 'END:STANDARD']],
  '07-06T06:00',
  'no TZOFFSETFROM',
);
defined(
  [['BEGIN:STANDARD', 'TZOFFSETFROM:+0300', 'TZOFFSETTO:+0300', 'END:STANDARD']],
  '07-06T06:00',
  'no DTSTART',
);
defined([['TZNAME:CET']], 'UNKNOWN_ZONE', 'TZNAME only');
defined([], 'UNKNOWN_ZONE', 'empty');
defined(
  [
    part('STANDARD', '+0200', '+0100', '19701025T030000Z', 'FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU'),
    part('DAYLIGHT', '+0100', '+0200', '19700329T020000Z', 'FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU'),
  ],
  '07-06T07:00',
  'DTSTART with Z',
);
defined(
  [
    part('STANDARD', '+0200', '+0100', '19701025', 'FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU'),
    part('DAYLIGHT', '+0100', '+0200', '19700329', 'FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU'),
  ],
  '07-06T07:00',
  'DTSTART as a day',
);
defined(
  [
    part('STANDARD', '+0300', '+0300', '19700101T000000', undefined, [
      'BEGIN:X-INNER',
      'X-A:b',
      'END:X-INNER',
    ]),
  ],
  '07-06T06:00',
  'component inside STANDARD',
);
defined(
  [['X-LIC-LOCATION:Europe/Amsterdam'], part('STANDARD', '+0300', '+0300', '19700101T000000')],
  '07-06T06:00',
  'X-LIC-LOCATION does not count',
);
defined([['X-LIC-LOCATION:Europe/Amsterdam']], '07-06T07:00', 'X-LIC-LOCATION alone');
