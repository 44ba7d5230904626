/** Texts that Scanflow 0.1.0 decoded otherwise: what it published of them keeps its identity. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { identify, type BookingRecord, type BookingSource, type Outcome } from '@scanflow/booking';
import { eventKey, readCalendar, type CalendarContent } from '@scanflow/calendar';
import { bookingRules, parseConfig } from '@scanflow/config';
import { adopt, createPlanner, Past } from '@scanflow/identity';

const parsed = parseConfig(
  [
    'facility: { name: x, timezone: UTC }',
    'data: /data',
    'scanners: { prisma: { aet: A, modality: MR } }',
    'calendars: { prisma: { file: x.ics, scanner: prisma } }',
    "orthanc: { url: 'http://127.0.0.1:1' }",
    'storage: { root: /project }',
  ].join('\n'),
  'test',
);
assert.ok(parsed.ok);
const planner = createPlanner(bookingRules(parsed.config, 'prisma'));
const window = {
  from: Temporal.Instant.from('2026-11-20T00:00:00Z'),
  to: Temporal.Instant.from('2026-12-20T00:00:00Z'),
};

function read(lines: readonly string[], charset?: string): CalendarContent {
  const text = [...['BEGIN:VCALENDAR', 'BEGIN:VEVENT', ...lines, 'END:VEVENT', 'END:VCALENDAR', '']].join(
    '\r\n',
  );
  const found = readCalendar(Buffer.from(text, 'latin1'), { window, zone: 'UTC', charset });
  assert.ok(found.ok);
  return found.content;
}

/** What becomes of a calendar beside one record, in one pass and in the next. */
function passes(content: CalendarContent, before: BookingRecord): Outcome[] {
  const { outcomes, formerIds } = planner(content);
  const past = new Past();
  past.set(before);
  const formerId = ({ uid, recurrenceId }: BookingSource): string | undefined =>
    formerIds.get(eventKey(uid, recurrenceId));
  const pass = (): Outcome[] =>
    adopt(outcomes, { known: past.ofCalendar('prisma', window.from), isLost: () => false, formerId });
  const first = pass();
  for (const one of first) if (one.outcome === 'booking') past.set(one.record);
  return [...first, ...pass()];
}

const TIMES = ['DTSTART:20261123T090000Z', 'DTEND:20261123T100000Z'];
const TITLE = 'SUMMARY:3010000.01 sub-001 ses-mri01';
/** Lines, the labels and the title that 0.1.0 read in them, and the session that they mean. */
const CASES: readonly (readonly [string, readonly string[], string, string, string, string?])[] = [
  [
    'quoted-printable',
    ['SUMMARY;ENCODING=QUOTED-PRINTABLE:3010000.01 sub-001 ses-mri=2D01'],
    'ses-mri',
    '3010000.01 sub-001 ses-mri=2D01',
    'ses-mri-01',
  ],
  [
    'declared set',
    ['SUMMARY:3010000.01 sub-001 ses-a\xef\xf01'],
    'ses-a',
    '3010000.01 sub-001 ses-aïð1',
    'ses-aпр1',
    'windows-1251',
  ],
  [
    'not folded',
    ['SUMMARY:3010000.01 sub-001 ses-1', 'DESCRIPTION:x', 'Session: ses-1'],
    'ses-1',
    '3010000.01 sub-001 ses-1',
    'ses-1',
  ],
];

for (const [name, lines, session, title, means, charset] of CASES)
  test(`reread: ${name}: the booking that 0.1.0 published keeps its identity`, () => {
    const content = read(['UID:a', ...TIMES, ...lines], charset);
    const [now] = planner(content).outcomes;
    assert.ok(now?.outcome === 'booking', JSON.stringify(now));
    assert.equal(now.record.labels.session, means);
    const labels = { ...now.record.labels, session };
    const before = { ...now.record, ...identify(now.record.source, labels), labels, title };
    for (const one of passes(content, before)) {
      assert.ok(one.outcome === 'booking');
      assert.equal(one.record.accessionNumber, before.accessionNumber);
      assert.equal(one.record.studyInstanceUid, before.studyInstanceUid);
      assert.equal(one.record.labels.session, means);
    }
  });

test('reread: an event without UID has the name that 0.1.0 gave it, however its title is decoded', () => {
  const uid = (charset?: string): string | undefined =>
    read([...TIMES, 'SUMMARY:\xcf\xf0\xe8\xe2\xe5\xf2'], charset).events[0]?.uid;
  assert.match(uid() ?? '', /^no-uid-/);
  assert.equal(uid('windows-1251'), uid());
});

test('reread: an instance of a series of days that 0.1.0 named by a time keeps its identity', () => {
  const override = [
    'RECURRENCE-ID:20261130T010000Z',
    'DTSTART:20261130T090000Z',
    'DTEND:20261130T100000Z',
    TITLE,
  ];
  const content = read([
    ...['UID:a', 'DTSTART;VALUE=DATE:20261123', 'RRULE:FREQ=WEEKLY;COUNT=2', 'SUMMARY:Scanner 3T'],
    ...['END:VEVENT', 'BEGIN:VEVENT', 'UID:a', ...override],
  ]);
  const now = planner(content).outcomes.find(({ outcome }) => outcome === 'booking');
  assert.ok(now?.outcome === 'booking', JSON.stringify(planner(content).outcomes));
  assert.equal(now.record.source.recurrenceId, '2026-11-30T00:00:00Z');
  const source = { ...now.record.source, recurrenceId: '2026-11-30T01:00:00Z' };
  const before = { ...now.record, ...identify(source, now.record.labels), source };
  const booked = passes(content, before).filter((one) => one.outcome === 'booking');
  assert.deepEqual(
    booked.map(({ record }) => record.accessionNumber),
    [before.accessionNumber, before.accessionNumber],
  );
});
