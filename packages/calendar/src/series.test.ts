import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeCalendar, type CalendarEntry } from '@scanflow/testkit';
import { content, vevent, window, wrap, zone } from './read-kit.test.ts';

const whole = {
  from: Temporal.Instant.from('2020-01-01T00:00:00Z'),
  to: Temporal.Instant.from('2030-01-01T00:00:00Z'),
};

const starts = (text: string | Uint8Array, span = window): string[] =>
  content(text, span).events.map(({ start }) => start.toString());
const at = (text: string): Temporal.ZonedDateTime => Temporal.ZonedDateTime.from(`${text}[${zone}]`);
const entry = (more: Partial<CalendarEntry> = {}): CalendarEntry => ({
  uid: 'a',
  start: at('2026-11-23T09:00'),
  end: at('2026-11-23T10:00'),
  summary: 'x',
  ...more,
});

test('daylight saving: gap, fold, nominal and exact lengths', () => {
  const times = (...lines: string[]): string[] =>
    content(wrap(vevent('UID:a', ...lines)), whole).events.flatMap(({ start, end }) => [
      start.toString(),
      end.toString(),
    ]);
  const tz = `TZID=${zone}`;
  assert.equal(times(`DTSTART;${tz}:20260329T023000`)[0], '2026-03-29T01:30:00Z');
  assert.equal(times(`DTSTART;${tz}:20261025T023000`)[0], '2026-10-25T00:30:00Z');
  assert.deepEqual(times(`DTSTART;${tz}:20261024T120000`, 'DURATION:P1D'), [
    '2026-10-24T10:00:00Z',
    '2026-10-25T11:00:00Z',
  ]);
  assert.deepEqual(times(`DTSTART;${tz}:20261024T120000`, 'DURATION:PT24H'), [
    '2026-10-24T10:00:00Z',
    '2026-10-25T10:00:00Z',
  ]);
});

test('series: daily keeps its wall-clock time over the change, with ids of all but the first instance', () => {
  const text = makeCalendar([
    entry({ start: at('2026-10-24T09:00'), end: at('2026-10-24T10:00'), rrule: 'FREQ=DAILY;COUNT=3' }),
  ]);
  assert.deepEqual(
    content(text, whole).events.map(({ start, recurrenceId }) => [start.toString(), recurrenceId]),
    [
      ['2026-10-24T07:00:00Z', undefined],
      ['2026-10-25T08:00:00Z', '2026-10-25T08:00:00Z'],
      ['2026-10-26T08:00:00Z', '2026-10-26T08:00:00Z'],
    ],
  );
});

test('series: daily from years ago, weekly by day, monthly by day and by the 31st', () => {
  const series = (start: string, rrule: string): string[] =>
    starts(makeCalendar([entry({ start: at(`${start}T09:00`), end: at(`${start}T10:00`), rrule })])).map(
      (text) => text.slice(5, 10),
    );
  assert.equal(series('2019-01-01', 'FREQ=DAILY').length, 10);
  assert.deepEqual(series('2024-01-01', 'FREQ=WEEKLY;BYDAY=MO,TH'), ['11-23', '11-26']);
  assert.deepEqual(series('2024-01-19', 'FREQ=MONTHLY;BYDAY=3FR'), ['11-20']);
  assert.deepEqual(series('2024-01-31', 'FREQ=MONTHLY'), []);
  assert.deepEqual(series('2024-01-25', 'FREQ=MONTHLY'), ['11-25']);
  assert.deepEqual(series('2026-11-20', 'FREQ=DAILY;UNTIL=20261122T080000Z'), ['11-20', '11-21', '11-22']);
  assert.deepEqual(series('2026-11-20', 'FREQ=DAILY;UNTIL=20261122T075959Z'), ['11-20', '11-21']);
  assert.deepEqual(series('2026-11-20', 'FREQ=DAILY;UNTIL=20261122'), ['11-20', '11-21', '11-22']);
});

test('series: EXDATE, moved and cancelled instances', () => {
  const rule = { start: at('2026-11-20T09:00'), end: at('2026-11-20T10:00'), rrule: 'FREQ=DAILY;COUNT=5' };
  const moved = entry({
    recurrenceId: at('2026-11-22T09:00'),
    start: at('2026-11-22T15:00'),
    end: at('2026-11-22T16:00'),
    summary: 'moved',
  });
  const gone = entry({
    recurrenceId: at('2026-11-23T09:00'),
    start: at('2026-11-23T09:00'),
    status: 'CANCELLED',
  });
  const away = entry({
    recurrenceId: at('2026-11-24T09:00'),
    start: at('2027-01-24T09:00'),
    end: at('2027-01-24T10:00'),
  });
  const { events, outside } = content(
    makeCalendar([moved, entry({ ...rule, exdates: [at('2026-11-21T09:00')] }), gone, away]),
  );
  assert.deepEqual(
    events.map(({ start, recurrenceId, summary, status }) => [
      start.toString(),
      recurrenceId,
      summary,
      status,
    ]),
    [
      ['2026-11-20T08:00:00Z', undefined, 'x', 'CONFIRMED'],
      ['2026-11-22T14:00:00Z', '2026-11-22T08:00:00Z', 'moved', 'CONFIRMED'],
      ['2026-11-23T08:00:00Z', '2026-11-23T08:00:00Z', 'x', 'CANCELLED'],
    ],
  );
  assert.deepEqual([...outside], ['a\n2026-11-24T08:00:00Z']);
});

test('series: THISANDFUTURE moves the rest', () => {
  const series = entry({
    start: at('2026-11-20T09:00'),
    end: at('2026-11-20T10:00'),
    rrule: 'FREQ=DAILY;COUNT=4',
  });
  const text = makeCalendar([
    series,
    entry({ start: at('2026-11-22T11:00'), end: at('2026-11-22T11:30') }),
  ]).replace(
    /UID:a\r\n(DTSTAMP:\S+)\r\nDTSTART;TZID=Europe\/Amsterdam:20261122T110000/,
    'UID:a\r\n$1\r\nRECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Amsterdam:20261122T090000\r\nDTSTART;TZID=Europe/Amsterdam:20261122T110000',
  );
  assert.deepEqual(
    content(text).events.map(({ start, end }) => `${start.toString()} ${end.since(start).toString()}`),
    [
      '2026-11-20T08:00:00Z PT3600S',
      '2026-11-21T08:00:00Z PT3600S',
      '2026-11-22T10:00:00Z PT1800S',
      '2026-11-23T10:00:00Z PT1800S',
    ],
  );
});

test('series: RDATE adds, overrides without a master stand alone', () => {
  const base = ['UID:a', 'DTSTART:20261120T090000Z', 'DTEND:20261120T100000Z'];
  assert.deepEqual(starts(wrap(vevent(...base, 'RDATE:20261122T090000Z,20261123T120000Z'))), [
    '2026-11-20T09:00:00Z',
    '2026-11-22T09:00:00Z',
    '2026-11-23T12:00:00Z',
  ]);
  const alone = ['20', '21'].map((day) =>
    vevent('UID:a', `RECURRENCE-ID:202611${day}T090000Z`, `DTSTART:202611${day}T100000Z`),
  );
  assert.deepEqual(
    content(wrap(...alone)).events.map(({ recurrenceId }) => recurrenceId),
    ['2026-11-20T09:00:00Z', '2026-11-21T09:00:00Z'],
  );
});

test('window: half open, and what runs into it belongs to it', () => {
  const span = (start: string, end: string): number =>
    content(wrap(vevent('UID:a', `DTSTART:${start}`, `DTEND:${end}`))).events.length;
  assert.equal(span('20261119T230000Z', '20261120T000000Z'), 0);
  assert.equal(span('20261119T230000Z', '20261120T000001Z'), 1);
  assert.equal(span('20261129T235959Z', '20261130T010000Z'), 1);
  assert.equal(span('20261130T000000Z', '20261130T010000Z'), 0);
  assert.equal(span('20261120T000000Z', '20261120T000000Z'), 1);
});

test('window: a single event and a first instance outside it are known to live', () => {
  const far = makeCalendar([
    entry({ start: at('2027-11-23T09:00'), end: at('2027-11-23T10:00') }),
    entry({ uid: 'b', rrule: 'FREQ=DAILY', start: at('2026-11-01T09:00'), end: at('2026-11-01T10:00') }),
  ]);
  assert.deepEqual([...content(far).outside].slice(0, 2), ['a', 'b']);
});

test('window: of two revisions the newer counts, also when it moved far away', () => {
  const old = entry({ sequence: 1 });
  const far = entry({ sequence: 2, start: at('2027-11-23T09:00'), end: at('2027-11-23T10:00') });
  const { events, outside } = content(makeCalendar([old, far]));
  assert.deepEqual(events, []);
  assert.deepEqual([...outside], ['a']);
});

test('window: a long event that begins far before it belongs to it', () => {
  assert.equal(
    content(makeCalendar([entry({ start: at('2026-10-01T09:00'), end: at('2026-12-01T09:00') })])).events
      .length,
    1,
  );
});

test('window: a cancelled event far outside it does not live', () => {
  const far = entry({ start: at('2027-11-23T09:00'), end: at('2027-11-23T10:00'), status: 'CANCELLED' });
  assert.deepEqual([...content(makeCalendar([far])).outside], []);
});

test('overrides: one that says what it is stands for itself, one that only moves is still of its series', () => {
  const master = [
    ...['UID:a', 'DTSTART:20261123T090000Z', 'DURATION:PT1H', 'RRULE:FREQ=DAILY;COUNT=2'],
    ...['SUMMARY:MRI', 'DESCRIPTION:Project: p', 'X-DICOM-SUBJECT:s1', 'CATEGORIES:Scan', 'RESOURCES:Coil'],
  ];
  const told = (...lines: string[]): unknown[] => {
    const id = 'RECURRENCE-ID:20261124T090000Z';
    const override = vevent('UID:a', id, 'DTSTART:20261124T120000Z', ...lines);
    const { summary, description, labels, categories, resources } =
      content(wrap(vevent(...master), override)).events[1] ?? {};
    return [summary, description, labels?.subject, categories?.join(), resources?.join()];
  };
  const none = undefined;
  assert.deepEqual(told('SUMMARY:Scanner maintenance'), ['Scanner maintenance', '', none, none, none]);
  assert.deepEqual(told('SUMMARY:MRI'), ['MRI', '', none, none, none]);
  assert.deepEqual(told('DESCRIPTION:Subject: s2'), ['', 'Subject: s2', none, none, none]);
  assert.deepEqual(told('X-DICOM-SUBJECT:s2', 'RESOURCES:Bed'), ['', '', 's2', none, 'Bed']);
  assert.deepEqual(told(), ['MRI', 'Project: p', 's1', 'Scan', 'Coil']);
  assert.deepEqual(told('RESOURCES:Bed'), ['MRI', 'Project: p', 's1', 'Scan', 'Bed']);
});

test('rules: RSCALE=GREGORIAN with SKIP=OMIT is the usual rule (RFC 7529), blanks after commas do not count', () => {
  const rule = (text: string): string[] =>
    starts(wrap(vevent('UID:a', 'DTSTART:20261123T090000Z', `RRULE:${text}`)));
  const two = ['2026-11-23T09:00:00Z', '2026-11-25T09:00:00Z'];
  assert.deepEqual(rule('FREQ=WEEKLY;COUNT=2;BYDAY=MO, WE'), two);
  assert.deepEqual(rule('RSCALE=GREGORIAN;FREQ=WEEKLY;COUNT=2;BYDAY=MO,WE;SKIP=OMIT'), two);
  // days that do not exist would be moved, and months are other ones
  for (const other of [
    'RSCALE=GREGORIAN;FREQ=MONTHLY;BYMONTHDAY=31;SKIP=FORWARD',
    'RSCALE=CHINESE;FREQ=DAILY',
  ])
    assert.deepEqual(rule(other), [], other);
  // no day of such a rule can be missing
  for (const same of ['FREQ=DAILY', 'FREQ=MONTHLY', 'FREQ=MONTHLY;BYDAY=4MO', 'FREQ=YEARLY'])
    assert.deepEqual(rule(`${same};COUNT=1;RSCALE=GREGORIAN;SKIP=FORWARD`), two.slice(0, 1), same);
});
