import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeCalendar, type CalendarEntry } from '@scanflow/testkit';
import { content, read, vevent, window, wrap, zone } from './read-kit.test.ts';

/** A VTIMEZONE without changes. */
const fixedZone = (name: string, offset: string): string[] => [
  'BEGIN:VTIMEZONE',
  `TZID:${name}`,
  'BEGIN:STANDARD',
  'DTSTART:19700101T000000',
  `TZOFFSETFROM:${offset}`,
  `TZOFFSETTO:${offset}`,
  'END:STANDARD',
  'END:VTIMEZONE',
];
const starts = (text: string | Uint8Array, span = window): string[] =>
  content(text, span).events.map(({ start }) => start.toString());
const codes = (text: string): (string | undefined)[] => content(text).problems.map(({ code }) => code);
const at = (text: string): Temporal.ZonedDateTime => Temporal.ZonedDateTime.from(`${text}[${zone}]`);
const entry = (more: Partial<CalendarEntry> = {}): CalendarEntry => ({
  uid: 'a',
  start: at('2026-11-23T09:00'),
  end: at('2026-11-23T10:00'),
  summary: 'x',
  ...more,
});

test('single: time, title, description and people come out', () => {
  const [event] = content(
    makeCalendar([
      entry({
        summary: 'a, b; c\\new',
        description: `Project: 1\nSubject: ${'é'.repeat(60)}`,
        organizer: 'Doe, Jane',
      }),
    ]),
  ).events;
  assert.ok(event);
  assert.equal(event.start.toString(), '2026-11-23T08:00:00Z');
  assert.equal(event.end.toString(), '2026-11-23T09:00:00Z');
  assert.equal(event.summary, 'a, b; c\\new');
  assert.equal(event.description, `Project: 1\nSubject: ${'é'.repeat(60)}`);
  assert.equal(event.organizer, 'Doe, Jane');
  assert.equal(event.recurrenceId, undefined);
  assert.equal(event.status, 'CONFIRMED');
  assert.equal(event.transparency, 'OPAQUE');
});

test('bytes: a fold inside a character, BOM, CR only, CR CR LF, UTF-16 and Windows-1252 are read', () => {
  const text = makeCalendar([entry({ summary: 'Zoë' })]);
  const summary = (bytes: Uint8Array): string | undefined => content(bytes).events[0]?.summary;
  const utf8 = Buffer.from(text);
  const inside = utf8.indexOf(Buffer.from('ë')) + 1;
  assert.equal(
    summary(Buffer.concat([utf8.subarray(0, inside), Buffer.from('\r\n '), utf8.subarray(inside)])),
    'Zoë',
  );
  assert.equal(summary(Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), utf8])), 'Zoë');
  assert.equal(summary(Buffer.from(text.replaceAll('\r\n', '\r'))), 'Zoë');
  assert.equal(summary(Buffer.from(text.replaceAll('\r\n', '\r\r\n'))), 'Zoë');
  assert.equal(summary(Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')])), 'Zoë');
  assert.equal(summary(Buffer.from(text, 'latin1')), 'Zoë');
});

test('feed: what is no whole calendar is an error with a code', () => {
  const good = makeCalendar([entry()]);
  const cases: [string, string][] = [
    ['', 'FEED_EMPTY'],
    ['\r\n \r\n', 'FEED_EMPTY'],
    ['<!DOCTYPE html><html><body>Log in</body></html>', 'FEED_HTML'],
    ['Service unavailable', 'FEED_NOT_ICALENDAR'],
    [good.slice(0, good.indexOf('END:VEVENT')), 'FEED_TRUNCATED'],
    [good.slice(0, good.indexOf('END:VCALENDAR')), 'FEED_TRUNCATED'],
    [good.replace('END:VEVENT\r\n', ''), 'FEED_UNBALANCED'],
    [good.replace('BEGIN:VEVENT\r\n', ''), 'FEED_UNBALANCED'],
    [`${good}END:VCALENDAR\r\n`, 'FEED_UNBALANCED'],
  ];
  for (const [text, code] of cases) {
    const result = read(text);
    assert.equal(result.ok ? 'read' : result.error.code, code);
  }
});

test('feed: a calendar without events is no error; two calendars in one body are both read', () => {
  assert.deepEqual(content(wrap('VERSION:2.0')).events, []);
  const [one, two] = ['a', 'b'].map((uid) => makeCalendar([entry({ uid })]));
  assert.deepEqual(
    content(`${String(one)}${String(two)}`).events.map(({ uid }) => uid),
    ['a', 'b'],
  );
});

test('feed: an alarm inside an event and names in lower case do not matter', () => {
  const lines = ['uid:a', 'dtstart:20261123T090000Z', 'duration:PT1H', 'summary:x'];
  const alarm = ['BEGIN:VALARM', 'SUMMARY:alarm', 'TRIGGER:-PT5M', 'END:VALARM'];
  const [event] = content(wrap(vevent(...alarm, ...lines))).events;
  assert.equal(event?.summary, 'x');
  assert.equal(event.end.toString(), '2026-11-23T10:00:00Z');
});

test('problems: one bad event is reported and costs no other', () => {
  const bad: [string, string[]][] = [
    ['BAD_RULE', ['DTSTART:20261123T090000Z', 'RRULE:FREQ=BANANA']],
    ['BAD_RULE', ['DTSTART:20261123T090000Z', 'RRULE:FREQ=DAILY;UNTIL=garbage']],
    ['BAD_RULE', ['DTSTART:20261123T090000Z', 'RRULE:FREQ=DAILY;UNTIL=20261399']],
    ['BAD_RULE', ['DTSTART:20261123T090000Z', 'RRULE:FREQ=DAILY;INTERVAL=0']],
    ['TOO_FREQUENT', ['DTSTART:20261123T090000Z', 'RRULE:FREQ=SECONDLY']],
    [
      'TOO_MANY',
      ['DTSTART:20261123T090000Z', `RRULE:FREQ=DAILY;BYMINUTE=${[...Array(60).keys()].join()};BYHOUR=1,2`],
    ],
    ['TWO_STARTS', ['DTSTART:20261123T090000Z', 'DTSTART:20261124T090000Z']],
    ['NO_START', ['SUMMARY:x']],
    ['BAD_TIME', ['DTSTART:tomorrow']],
    ['BAD_TIME', ['DTSTART:20261323T090000Z']],
    ['BAD_DURATION', ['DTSTART:20261123T090000Z', 'DURATION:soon']],
    ['ENDS_BEFORE_START', ['DTSTART:20261123T090000Z', 'DTEND:20261123T080000Z']],
    ['UNKNOWN_ZONE', ['DTSTART;TZID=Customized Time Zone:20261123T090000']],
  ];
  for (const [code, lines] of bad) {
    const text = wrap(vevent('UID:bad', ...lines), vevent('UID:good', 'DTSTART:20261123T090000Z'));
    assert.deepEqual(codes(text), [code], lines.join());
    assert.deepEqual(
      content(text).events.map(({ uid }) => uid),
      ['good'],
    );
  }
});

test('problems: the words of a time that is none are not repeated, its digits are', () => {
  const said = (start: string): string => content(wrap(vevent('UID:bad', start))).problems[0]?.message ?? '';
  assert.doesNotMatch(said('DTSTART:Jan Jansen 10:00'), /jan/iu);
  assert.match(said('DTSTART:20261323T090000Z'), /20261323T090000Z/u);
});

test('problems: tell when the event begins, where that can be read', () => {
  const startOf = (...lines: string[]): (string | undefined)[] =>
    content(wrap(vevent('UID:bad', ...lines))).problems.map(({ start }) => start);
  const local = 'DTSTART;TZID=Europe/Amsterdam:20261123T100000';
  assert.deepEqual(startOf(local, 'RRULE:FREQ=BANANA'), ['2026-11-23T09:00:00Z']);
  assert.deepEqual(startOf(local, 'DURATION:soon'), ['2026-11-23T09:00:00Z']);
  assert.deepEqual(startOf('DTSTART:tomorrow'), [undefined]);
  const shared = makeCalendar([entry({ summary: 'one' }), entry({ summary: 'two' })]);
  assert.match(content(shared).problems[0]?.start ?? '', /^\d{4}-\d\d-\d\dT\d\d:00:00Z$/);
});

test('zones: IANA, Windows and vendor names, quotes, floating with and without X-WR-TIMEZONE', () => {
  const start = (property: string, ...more: string[]): string | undefined =>
    starts(wrap(...more, vevent('UID:a', property)))[0];
  assert.equal(start('DTSTART;TZID=America/New_York:20261123T090000'), '2026-11-23T14:00:00Z');
  assert.equal(start('DTSTART;TZID="W. Europe Standard Time":20261123T090000'), '2026-11-23T08:00:00Z');
  assert.equal(start('DTSTART;TZID=Eastern Standard Time:20261123T090000'), '2026-11-23T14:00:00Z');
  assert.equal(
    start('DTSTART;TZID=/mozilla.org/20050126_1/Asia/Tokyo:20261123T090000'),
    '2026-11-23T00:00:00Z',
  );
  assert.equal(start('DTSTART:20261123T090000'), '2026-11-23T08:00:00Z');
  assert.equal(start('DTSTART:20261123T090000', 'X-WR-TIMEZONE:Asia/Tokyo'), '2026-11-23T00:00:00Z');
  assert.equal(start('DTSTART:20261123T090000', 'X-WR-TIMEZONE:Atlantis'), '2026-11-23T08:00:00Z');
});

const ABBREVIATIONS =
  'ACDT ACST AEDT AEST AKDT AKST AST AWST BST CAT CDT CEST CST EAT EDT HKT IST JST KST MDT MSK NST NZDT NZST PDT PST SGT WAT WEST WIB';

test('zones: an abbreviation never costs the whole calendar', () => {
  const good = vevent('UID:good', 'DTSTART:20261123T090000Z');
  for (const name of ABBREVIATIONS.split(' ')) {
    const vtimezone = fixedZone(name, '+0900');
    assert.deepEqual(starts(wrap(`X-WR-TIMEZONE:${name}`, good)), ['2026-11-23T09:00:00Z'], name);
    const zoned = vevent('UID:zoned', `DTSTART;TZID=${name}:20261123T090000`);
    assert.deepEqual(codes(wrap(good, zoned)), ['UNKNOWN_ZONE'], name);
    assert.deepEqual(starts(wrap(good, zoned)), ['2026-11-23T09:00:00Z'], name);
    // what the calendar defines counts
    const defined = ['2026-11-23T00:00:00Z', '2026-11-23T09:00:00Z'];
    assert.deepEqual(starts(wrap(`X-WR-TIMEZONE:${name}`, ...vtimezone, good, zoned)), defined, name);
  }
});

test('zones: a VTIMEZONE in the file does not reach floating events', () => {
  const vtimezone = fixedZone('Asia/Tokyo', '+0900');
  assert.deepEqual(starts(wrap(...vtimezone, vevent('UID:a', 'DTSTART:20261123T090000'))), [
    '2026-11-23T08:00:00Z',
  ]);
});

test('marks: all day, transparent, tentative, cancelled by method, Outlook busy status, class', () => {
  const one = (...lines: string[]) => content(wrap(vevent('UID:a', ...lines))).events[0];
  const day = one('DTSTART;VALUE=DATE:20261123');
  assert.deepEqual(
    [day?.allDay, day?.start.toString(), day?.end.toString()],
    [true, '2026-11-22T23:00:00Z', '2026-11-23T23:00:00Z'],
  );
  const time = 'DTSTART:20261123T090000Z';
  assert.equal(one(time, 'X-MICROSOFT-CDO-ALLDAYEVENT:TRUE')?.allDay, true);
  assert.equal(one(time, 'TRANSP:TRANSPARENT')?.transparency, 'TRANSPARENT');
  assert.equal(one(time, 'X-MICROSOFT-CDO-BUSYSTATUS:FREE')?.transparency, 'TRANSPARENT');
  assert.equal(one(time, 'STATUS:tentative')?.status, 'TENTATIVE');
  assert.equal(one(time, 'CLASS:Private')?.class, 'PRIVATE');
  const cancelled = content(wrap('METHOD:CANCEL', vevent('UID:a', time))).events[0];
  assert.equal(cancelled?.status, 'CANCELLED');
});

test('revisions: the higher SEQUENCE counts; different events under one UID are reported', () => {
  const [old, fresh] = [entry({ summary: 'old', sequence: 1 }), entry({ summary: 'new', sequence: 2 })];
  assert.deepEqual(
    content(makeCalendar([fresh, old])).events.map(({ summary }) => summary),
    ['new'],
  );
  assert.deepEqual(codes(makeCalendar([fresh, old])), []);
  assert.deepEqual(codes(makeCalendar([entry({ summary: 'one' }), entry({ summary: 'two' })])), [
    'SHARED_UID',
  ]);
});

test('identity: an event without UID gets the same name at each reading', () => {
  const text = wrap(vevent('DTSTART:20261123T090000Z', 'SUMMARY:x'));
  const [first, second] = [content(text).events[0]?.uid, content(text).events[0]?.uid];
  assert.match(first ?? '', /^no-uid-[0-9a-f]{40}$/);
  assert.equal(first, second);
});

test('bytes: one bad byte costs its own line at most; a second BOM does not count', () => {
  const text = wrap(vevent('UID:a', 'DTSTART:20261123T090000Z', 'SUMMARY:Zoë – x', 'DESCRIPTION:cut: ~'));
  const bytes = Buffer.from(text);
  bytes[bytes.indexOf('~')] = 0xe2;
  const [event] = content(bytes).events;
  assert.deepEqual([event?.summary, event?.description], ['Zoë – x', 'cut: â']);
  assert.deepEqual(starts(`\ufeff\ufeff${text}`), ['2026-11-23T09:00:00Z']);
});
