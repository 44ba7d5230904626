/** Whatever the bytes are: reading never throws, never fails for a reason of its own, and one event costs no other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readCalendar } from './read.ts';

const SEED = 20_261_122;
const window = {
  from: Temporal.Instant.from('2026-11-20T00:00:00Z'),
  to: Temporal.Instant.from('2026-11-30T00:00:00Z'),
};
const GOOD = [
  'BEGIN:VEVENT',
  'UID:good',
  'DTSTART:20261123T090000Z',
  'DTEND:20261123T100000Z',
  'SUMMARY:good',
  'END:VEVENT',
];
const SERIES = [
  'DTSTAMP:20260101T000000Z',
  'DTSTART;TZID=Zone:20261123T090000',
  'DTEND;TZID=Zone:20261123T100000',
  'RRULE:FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20261201T000000Z',
  'EXDATE;TZID=Zone:20261125T090000',
  'SUMMARY;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Zo=C3=AB=\r\n sub',
  'DESCRIPTION:Project: 1\\nSubject: ë',
  'X-ALT-DESC;FMTTYPE=text/html:<p>x</p>',
  'ATTENDEE;CUTYPE=ROOM;CN="Room; 1":mailto:room1@example.org',
];
const ZONE = [
  'BEGIN:VTIMEZONE',
  'TZID:Zone',
  'BEGIN:STANDARD',
  'DTSTART:19700101T000000',
  'TZOFFSETFROM:+0100',
  'TZOFFSETTO:+0100',
  'END:STANDARD',
  'END:VTIMEZONE',
];
const feed = (...events: string[]): string =>
  ['BEGIN:VCALENDAR', 'VERSION:2.0', ...ZONE, ...events, 'END:VCALENDAR', ''].join('\r\n');
const usual = Buffer.from(
  feed(
    'BEGIN:VEVENT',
    'UID:a',
    ...SERIES,
    'BEGIN:VALARM',
    'DESCRIPTION:x',
    'END:VALARM',
    'END:VEVENT',
    ...GOOD,
  ),
);

const charset = fc.constantFrom(
  ...[
    undefined,
    '',
    'utf-8',
    'utf-16',
    'windows-1251',
    'Shift_JIS',
    'iso-2022-jp',
    'gb18030',
    'hz-gb-2312',
    'x\0',
  ],
);
/** Pieces that programs leave where they do not belong. */
const piece = fc.oneof(
  fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
  fc
    .constantFrom(
      ...[
        '\0',
        '\r',
        '\n',
        '\r\n ',
        '\t',
        '\ufeff',
        '\v',
        '\x1a',
        '=\r\n',
        ':',
        ';',
        '"',
        '\\',
        '<p>',
        '&#0;',
        '\x1b$B',
      ],
      ...[
        'BEGIN:VEVENT\r\n',
        'END:VEVENT\r\n',
        'END:VCALENDAR',
        '<!--',
        'DTSTART:',
        'RRULE:FREQ=DAILY\r\n',
        'ENCODING=BASE64',
      ],
      ...[
        'RECURRENCE-ID:20261125T090000Z\r\n',
        'DTSTART;VALUE=DATE:20261123\r\n',
        'RDATE;VALUE=PERIOD:x/y\r\n',
      ],
    )
    .map((text) => Buffer.from(text)),
  fc
    .constantFrom('\xff\xfe', '\xed\xa0\xbd\xed\xb8\x80', '\xc0\x80', '\xf0\x9f')
    .map((text) => Buffer.from(text, 'latin1')),
);
const change = fc.record({ at: fc.nat(), drop: fc.integer({ min: 0, max: 8 }), put: piece });

function changed(bytes: Buffer, changes: readonly { at: number; drop: number; put: Buffer }[]): Buffer {
  return changes.reduce((all, { at, drop, put }) => {
    const place = at % (all.length + 1);
    return Buffer.concat([all.subarray(0, place), put, all.subarray(place + drop)]);
  }, bytes);
}

/** Never throws, and never gives up on a calendar for a defect of ours. */
function isRead(bytes: Uint8Array, declared: string | undefined): void {
  const read = readCalendar(bytes, { window, zone: 'Europe/Amsterdam', charset: declared });
  if (read.ok) structuredClone({ ...read.content, events: [] });
  else assert.notEqual(read.error.code, 'FEED_UNEXPECTED', Buffer.from(bytes).toString('latin1'));
}

test('any bytes: are read or refused, for a reason that lies in them', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), charset, isRead), { seed: SEED, numRuns: 2000 });
  const utf16 = fc
    .uint8Array({ maxLength: 400 })
    .map((bytes) => Buffer.concat([Buffer.from([0xff, 0xfe]), bytes]));
  fc.assert(fc.property(utf16, charset, isRead), { seed: SEED, numRuns: 300 });
});

test('any change: a calendar with anything anywhere is read or refused, for a reason that lies in it', () => {
  const changes = fc.array(change, { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(changes, charset, (some, declared) => isRead(changed(usual, some), declared)),
    { seed: SEED, numRuns: 3000 },
  );
});

test('any event: what is in one event costs no other', () => {
  const junk = fc.array(change, { minLength: 1, maxLength: 6 }).map((changes) =>
    changed(Buffer.from(SERIES.join('\r\n')), changes)
      .toString('latin1')
      // marks of components, as those of a feed that is cut, are another matter
      .replaceAll(/(?:BEGIN|END)\s*:/gi, 'x'),
  );
  const isKept = (text: string, declared: string | undefined): void => {
    const bytes = Buffer.from(feed('BEGIN:VEVENT', 'UID:a', text, 'END:VEVENT', ...GOOD), 'latin1');
    const read = readCalendar(bytes, { window, zone: 'Europe/Amsterdam', charset: declared });
    assert.ok(read.ok, JSON.stringify([read, text]));
    assert.ok(
      read.content.events.some(({ uid, summary }) => uid === 'good' && summary === 'good'),
      JSON.stringify(text),
    );
  };
  fc.assert(fc.property(junk, charset, isKept), { seed: SEED, numRuns: 3000 });
});
