import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BookingRecord, BookingRules } from '@scanflow/booking';
import type { CalendarEvent } from '@scanflow/calendar';
import { decodeDataSet, items, readPart10Header, text } from '@scanflow/dicom';
import { covers, cut, readAhead, windowAt } from './expand.ts';
import { encodeItem } from './reconcile.ts';
import { rules as takingRules } from '@scanflow/testkit/events';
import { createPlanner, type Plan } from '@scanflow/identity';

const scanner = { aet: 'PRISMA', modality: 'MR', location: 'MR1', characterSet: 'ISO_IR 100' };
const rules: BookingRules = {
  ...takingRules,
  zone: 'UTC',
  patterns: [/^(?<project>\S+) (?<subject>\S+) (?<session>\S+)$/u],
  patientName: '{subject}@{project}',
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
  createPlanner(rules)({
    events,
    problems: [{ uid: 'bad', code: 'BAD_RULE', message: 'm' }],
    outside: new Set(),
    unreadable: { uids: new Set(['bad']), instances: new Set() },
    notes: [],
  });
const records = ({ outcomes }: Plan): BookingRecord[] =>
  outcomes.flatMap((one) => (one.outcome === 'booking' ? [one.record] : []));

test('plan: outcomes for all, all events are present, unreadable ones are told', () => {
  const planned = plan(event('a', 'p s1 x'), event('b', 'nonsense'));
  assert.deepEqual(
    planned.outcomes.map(({ outcome, code }) => `${outcome} ${code}`),
    ['booking BOOKING', 'rejected NO_LABELS', 'rejected BAD_RULE'],
  );
  assert.deepEqual(
    records(planned).map(({ patientId, patientName }) => [patientId, patientName]),
    [['p_s1', 's1@p']],
  );
  assert.deepEqual([...planned.present], ['a', 'b']);
  assert.deepEqual([...planned.unreadable.uids], ['bad']);
});

test('plan: what DICOM would cut off is refused or told', () => {
  const [long] = plan(event('a', `${'p'.repeat(40)} s${'1'.repeat(40)} x`)).outcomes;
  assert.deepEqual([long?.outcome, long?.code], ['rejected', 'ID_TOO_LONG']);
  const [session] = plan(event('a', `p s1 ses-${'1'.repeat(17)}`)).outcomes;
  assert.deepEqual([session?.outcome, session?.code], ['booking', 'SESSION_SHORTENED']);
});

test('plan: an event that was judged is not judged again', () => {
  const planner = createPlanner(rules);
  const content = {
    events: [event('a', 'p s1 x')],
    problems: [],
    outside: new Set<string>(),
    unreadable: { uids: new Set<string>(), instances: new Set<string>() },
    notes: [],
  };
  assert.equal(planner(content).outcomes[0], planner(content).outcomes[0]);
});

test('item: equal records give equal bytes, in the local time of the facility', () => {
  const [record] = records(plan(event('a', 'p s1 x')));
  assert.ok(record);
  const [one, two] = [1, 2].map(() => encodeItem(record, scanner, 'Europe/Amsterdam'));
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
    unreadable: { uids: new Set<string>(), instances: new Set<string>() },
    notes: [],
  };
  const { events, outside } = cut(content, window);
  assert.deepEqual(
    events.map(({ uid }) => uid),
    ['b'],
  );
  assert.deepEqual([...outside], ['z', 'a', 'c']);
});
