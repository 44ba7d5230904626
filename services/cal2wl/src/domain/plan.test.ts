import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CalendarEvent } from '@scanflow/calendar';
import { decodeDataSet, items, readPart10Header, text } from '@scanflow/dicom';
import { covers, cut, readAhead, windowAt } from './expand.ts';
import { encodeItem } from './item.ts';
import { planCalendar, type Plan, type PlanOptions } from './plan.ts';

const scanner = { aet: 'PRISMA', modality: 'MR', location: 'MR1', characterSet: 'ISO_IR 100' };
const options: PlanOptions = {
  calendar: 'prisma',
  scanner: 'prisma',
  patterns: [/^(?<project>\S+) (?<subject>\S+) (?<session>\S+)$/u],
  modality: 'MR',
  patientId: '{project}_{subject}',
  patientName: '{subject}@{project}',
  encode: (record) => encodeItem(record, scanner, 'Europe/Amsterdam'),
};
const event = (uid: string, summary: string, day = 23): CalendarEvent => ({
  uid,
  start: Temporal.Instant.from(`2026-11-${day}T09:00:00Z`),
  end: Temporal.Instant.from(`2026-11-${day}T10:00:00Z`),
  allDay: false,
  summary,
  description: '',
  attendees: [],
  status: 'CONFIRMED',
  transparency: 'OPAQUE',
  class: 'PUBLIC',
});
const plan = (...events: CalendarEvent[]): Plan =>
  planCalendar(
    { events, problems: [{ uid: 'bad', code: 'BAD_RULE', message: 'm' }], outside: new Set() },
    options,
  );

test('plan: bookings are wanted, all events are present, unreadable ones are told', () => {
  const { outcomes, wanted, present, unreadable } = plan(event('a', 'p s1 x'), event('b', 'nonsense'));
  assert.deepEqual(
    outcomes.map(({ outcome, code }) => `${outcome} ${code}`),
    ['booking BOOKING', 'rejected NO_LABELS', 'rejected BAD_RULE'],
  );
  assert.deepEqual(
    wanted.map(({ record }) => [record.patientId, record.patientName]),
    [['p_s1', 's1@p']],
  );
  assert.deepEqual([...present], ['a', 'b']);
  assert.deepEqual([...unreadable], ['bad']);
});

test('plan: what DICOM would cut off is refused or told', () => {
  const [long] = plan(event('a', `${'p'.repeat(40)} s${'1'.repeat(40)} x`)).outcomes;
  assert.deepEqual([long?.outcome, long?.code, long?.record], ['rejected', 'ID_TOO_LONG', undefined]);
  const [session] = plan(event('a', `p s1 ${'x'.repeat(17)}`)).outcomes;
  assert.deepEqual([session?.outcome, session?.code], ['booking', 'SESSION_SHORTENED']);
});

test('item: local time of the facility, attributes of the scanner, equal bytes for equal bookings', () => {
  const [one, two] = [plan(event('a', 'p s1 x')), plan(event('a', 'p s1 x'))].map(
    ({ wanted }) => wanted[0]?.item,
  );
  assert.ok(one && two);
  assert.deepEqual(one, two);
  const header = readPart10Header(one);
  assert.ok(!('needMore' in header));
  const item = decodeDataSet(one.subarray(header.dataSetOffset), header.transferSyntax);
  const [step] = items(item, 'ScheduledProcedureStepSequence');
  assert.ok(step);
  assert.equal(text(step, 'ScheduledProcedureStepStartTime'), '100000');
  assert.equal(text(step, 'ScheduledStationAETitle'), 'PRISMA');
  assert.equal(text(step, 'ScheduledStationName'), 'PRISMA');
  assert.equal(text(item, 'RequestedProcedureID'), 'x');
});

test('window: from before to after now; a day of windows is covered by what was read', () => {
  const settings = { before: 43_200_000, after: 604_800_000 };
  const now = Temporal.Instant.from('2026-11-23T12:00:00Z');
  const window = windowAt(now, settings);
  assert.equal(window.from.toString(), '2026-11-23T00:00:00Z');
  assert.equal(window.to.toString(), '2026-11-30T12:00:00Z');
  const read = readAhead(window);
  assert.ok(covers(read, windowAt(now.add({ hours: 24 }), settings)));
  assert.ok(!covers(read, windowAt(now.add({ hours: 25 }), settings)));
  assert.ok(!covers(read, windowAt(now.subtract({ hours: 1 }), settings)));
});

test('window: what is cut off still counts as alive', () => {
  const window = {
    from: Temporal.Instant.from('2026-11-24T00:00:00Z'),
    to: Temporal.Instant.from('2026-11-25T00:00:00Z'),
  };
  const content = {
    events: [event('a', 'x', 23), event('b', 'x', 24), event('c', 'x', 25)],
    problems: [],
    outside: new Set(['z']),
  };
  const { events, outside } = cut(content, window);
  assert.deepEqual(
    events.map(({ uid }) => uid),
    ['b'],
  );
  assert.deepEqual([...outside], ['z', 'a', 'c']);
});
