/** Zones as the world's calendars name and define them (RFC 5545 3.2.19, 3.6.5). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ams, at, calendarOf, event, part, readAs, zone } from '@scanflow/testkit/odd-calendars';

const show = (name: string, text: string, wanted: string): void =>
  void test(`zones: ${name}`, () => assert.equal(readAs(text), wanted));
for (const n of [
  'Customized Time Zone',
  '(UTC+01:00) Amsterdam\\, Berlin\\, Bern',
  'Customized Time Zone 1',
  'Amsterdam',
  'CET',
  'MEZ',
  'EST',
  'UTC+1',
  'GMT',
  'Unknown',
  'tzone://x/1',
  'Europe/Nowhere',
  'Local',
  'W. Europe Standard Time',
  '"quoted"',
  'Europe/Amsterdam;x',
  '_custom-1',
  'Zürich',
  'UTC',
  'Etc/UTC2',
  '1',
  'constructor',
  '__proto__',
])
  show(
    `defined as Amsterdam: ${n}`,
    calendarOf(ams(n), at(/[,;:"]/.test(n) ? `"${n.replaceAll('\\,', ',').replaceAll('"', '')}"` : n)),
    '07-06T07:00',
  );
show(
  'named with escapes in TZID',
  calendarOf(ams('(UTC+01:00) Amsterdam\\, Berlin'), at('"(UTC+01:00) Amsterdam, Berlin"')),
  '07-06T07:00',
);
show(
  'unquoted comma and colon',
  calendarOf(ams('(UTC+01:00) Amsterdam, Berlin'), at('(UTC+01:00) Amsterdam, Berlin')),
  '07-06T07:00',
);
for (const [n, w] of [
  ['GMT+0100', 'UNKNOWN_ZONE'],
  ['GMT+01:00', 'UNKNOWN_ZONE'],
  ['UTC+1', 'UNKNOWN_ZONE'],
  ['+01:00', 'UNKNOWN_ZONE'],
  ['Etc/GMT-1', '07-06T08:00'],
  ['(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna', '07-06T07:00'],
  ['(GMT+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna', '07-06T07:00'],
  ['europe/amsterdam', '07-06T07:00'],
  ['EUROPE/AMSTERDAM', '07-06T07:00'],
  ['Europe/Amsterdam ', '07-06T07:00'],
  ['GMT', '07-06T09:00'],
  ['Z', 'UNKNOWN_ZONE'],
  ['Zulu', '07-06T09:00'],
  ['CET', '07-06T07:00'],
  ['BST', 'UNKNOWN_ZONE'],
  ['W. Europe Standard Time', '07-06T07:00'],
  ['w. europe standard time', '07-06T07:00'],
  ['W. Europe Daylight Time', 'UNKNOWN_ZONE'],
  ['Mitteleuropäische Zeit', 'UNKNOWN_ZONE'],
  ['Customized Time Zone', 'UNKNOWN_ZONE'],
  ['/softwarestudio.org/Olson_20011030_5/Europe/Amsterdam', '07-06T07:00'],
  ['/mozilla.org/20070129_1/Europe/Amsterdam', '07-06T07:00'],
  ['US/Eastern', '07-06T13:00'],
  ['America/Argentina/Buenos_Aires', '07-06T12:00'],
  ['/citadel.org/20210210_1/America/Argentina/Buenos_Aires', '07-06T12:00'],
  ['Eastern', 'UNKNOWN_ZONE'],
  ['US-Eastern', 'UNKNOWN_ZONE'],
] as const)
  show(`not defined: ${n}`, calendarOf(at(/[,;:]/.test(n) ? `"${n}"` : n)), w);
show(
  'lower case',
  calendarOf(ams('X'), at('X')).replaceAll(
    /(BEGIN|END|TZID|TZOFFSET\w+|RRULE|DTSTART|STANDARD|DAYLIGHT|VTIMEZONE)/g,
    (name) => name.toLowerCase(),
  ),
  '07-06T07:00',
);
show('zone after the events', calendarOf(at('X'), ams('X')), '07-06T07:00');
show('TZID case differs', calendarOf(ams('My Zone'), at('my zone')), '07-06T07:00');
show('two VTIMEZONEs of one name, equal', calendarOf(ams('X'), ams('X'), at('X')), '07-06T07:00');
show('two VTIMEZONEs, second broken', calendarOf(ams('X'), zone('X'), at('X')), '07-06T07:00');
show(
  'two VTIMEZONEs, contradict',
  calendarOf(zone('X', part('STANDARD', '+0300', '+0300', '19700101T000000')), ams('X'), at('X')),
  'UNKNOWN_ZONE',
);
show('zone in another VCALENDAR', calendarOf(ams('X')) + calendarOf(at('X')), 'UNKNOWN_ZONE');
show('TZID with newline', calendarOf(ams('X\\n'), at('X')), '07-06T07:00');
show(
  'TZID param in VTIMEZONE',
  calendarOf(['BEGIN:VTIMEZONE', 'TZID;X-RICAL-TZSOURCE=TZINFO:X', ...ams('X').slice(2)], at('X')),
  '07-06T07:00',
);
show(
  'VTIMEZONE as defined UTC offset, winter',
  calendarOf(
    zone(
      'EST',
      part('STANDARD', '-0400', '-0500', '16010101T020000', 'FREQ=YEARLY;BYMONTH=11;BYDAY=1SU'),
      part('DAYLIGHT', '-0500', '-0400', '16010101T020000', 'FREQ=YEARLY;BYMONTH=3;BYDAY=2SU'),
    ),
    at('EST'),
  ),
  '07-06T13:00',
);
show(
  'X-WR-TIMEZONE defined',
  calendarOf(['X-WR-TIMEZONE:X'], ams('X'), event(['DTSTART:20260706T090000', 'DTEND:20260706T100000'])),
  '07-06T07:00',
);
show(
  'X-WR-TIMEZONE unknown',
  calendarOf(['X-WR-TIMEZONE:JST'], event(['DTSTART:20260706T090000Z', 'DTEND:20260706T100000Z'])),
  '07-06T09:00',
);
show(
  'TZID on a Z time',
  calendarOf(
    event(['DTSTART;TZID=Europe/Amsterdam:20260706T090000Z', 'DTEND;TZID=Europe/Amsterdam:20260706T100000Z']),
  ),
  '07-06T09:00',
);
show(
  'DTEND other zone',
  calendarOf(
    event(['DTSTART;TZID=Europe/Amsterdam:20260706T090000', 'DTEND;TZID=Europe/London:20260706T090000']),
  ),
  '07-06T07:00',
);
show(
  'unknown zone on DTEND only',
  calendarOf(event(['DTSTART;TZID=Europe/Amsterdam:20260706T090000', 'DTEND;TZID=Mars:20260706T100000'])),
  'UNKNOWN_ZONE',
);

for (const name of 'PST CST IST BST JST AEST MST7MDT EST5EDT PST8PDT ACT AET AGT ART AST BET CAT CNT CTT EAT ECT IET MIT NET NST PLT PNT PRT SST VST HST ROC GB NZ'.split(
  ' ',
))
  test(`zones: ${name} costs no calendar`, () => {
    assert.equal(
      readAs(calendarOf([`X-WR-TIMEZONE:${name}`], event(['DTSTART:20260706T090000Z']))),
      '07-06T09:00',
    );
    assert.match(readAs(calendarOf(at(name))), /^(07-\d\dT\d\d:\d\d|UNKNOWN_ZONE)$/);
    assert.equal(readAs(calendarOf(ams(name), at(name))), '07-06T07:00', 'as the calendar defines it');
  });
