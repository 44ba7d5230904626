import assert from 'node:assert/strict';
import { test } from 'node:test';
import { identify, interpret, type BookingRecord, type BookingSource, type Outcome } from '@scanflow/booking';
import { eventKey } from '@scanflow/calendar';
import { bookingRules, parseConfig } from '@scanflow/config';
import { adopt, formerName, Past, type KnownBookings, type RenameQuestion } from './adopt.ts';

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
const rules = bookingRules(parsed.config, 'prisma');

const event = (uid: string, hour: number, subject = 'sub-001', session = 'ses-01'): Outcome =>
  interpret(
    {
      uid,
      start: Temporal.Instant.from(`2026-11-24T${hour}:00:00Z`),
      end: Temporal.Instant.from(`2026-11-24T${hour + 1}:00:00Z`),
      allDay: false,
      summary: `3010000.01 ${subject} ${session}`,
      description: '',
      attendees: [],
      status: 'CONFIRMED',
      transparency: 'OPAQUE',
      class: 'PUBLIC',
    },
    rules,
  );
const recordOf = (one: Outcome): BookingRecord => {
  assert.ok(one.outcome === 'booking');
  return one.record;
};
const accessions = (outcomes: readonly Outcome[]): string[] =>
  outcomes.map((one) => recordOf(one).accessionNumber);
const now = Temporal.Instant.from('2026-11-23T00:00:00Z');
function known(...records: BookingRecord[]): KnownBookings {
  const past = new Past();
  for (const record of records) past.set(record);
  return past.ofCalendar('prisma', now);
}
const allLost = (): boolean => true;

test('adopt: a new UID with the same time, title and labels keeps the identity, and says so', () => {
  const before = recordOf(event('old', 10));
  const [one] = adopt([event('new', 10)], { known: known(before), isLost: allLost });
  assert.ok(one);
  assert.equal(one.code, 'RENUMBERED');
  assert.equal(recordOf(one).accessionNumber, before.accessionNumber);
  assert.equal(recordOf(one).studyInstanceUid, before.studyInstanceUid);
  assert.equal(recordOf(one).source.uid, 'new');
});

test('adopt: an instance that only we read otherwise keeps the identity, now and later, without a warning', () => {
  const at = (hour: string): Outcome => {
    const one = event('series', 10);
    const source = { ...recordOf(one).source, recurrenceId: `2026-11-24T${hour}:00:00Z` };
    const record = { ...recordOf(one), ...identify(source, recordOf(one).labels), source };
    return { ...one, outcome: 'booking', record } as Outcome;
  };
  const before = recordOf(at('11'));
  const formerId = ({ recurrenceId }: BookingSource): string | undefined =>
    recurrenceId === '2026-11-24T10:00:00Z' ? '2026-11-24T11:00:00Z' : undefined;
  const never = (): boolean => false;
  const [one] = adopt([at('10')], { known: known(before), isLost: never, formerId });
  assert.ok(one);
  assert.equal(one.code, 'BOOKING');
  const { accessionNumber, studyInstanceUid, source } = recordOf(one);
  assert.deepEqual([accessionNumber, studyInstanceUid], [before.accessionNumber, before.studyInstanceUid]);
  assert.equal(source.recurrenceId, '2026-11-24T10:00:00Z');
  assert.deepEqual(adopt([at('10')], { known: known(recordOf(one)), isLost: never, formerId }), [one]);
  // an instance that really is at the former time keeps its own
  const both = adopt([at('10'), at('11')], { known: known(before), isLost: never, formerId });
  assert.equal(new Set(accessions(both)).size, 2);
  assert.equal(recordOf(both[1] ?? one).accessionNumber, before.accessionNumber);
});

test('adopt: known by its new UID from then on, also when it moves', () => {
  const before = recordOf(event('old', 10));
  const [adopted] = adopt([event('new', 10)], { known: known(before), isLost: allLost });
  assert.ok(adopted);
  const [moved] = adopt([event('new', 14)], { known: known(recordOf(adopted)), isLost: () => false });
  assert.ok(moved);
  assert.equal(recordOf(moved).accessionNumber, before.accessionNumber);
});

test('adopt: not where the old event is alive, the time or the subject is another', () => {
  const before = recordOf(event('old', 10));
  const fresh = event('new', 10);
  assert.deepEqual(adopt([fresh], { known: known(before), isLost: () => false }), [fresh]);
  for (const other of [event('new', 11), event('new', 10, 'sub-002')])
    assert.deepEqual(adopt([other], { known: known(before), isLost: allLost }), [other]);
});

test('adopt: every booking of a feed that numbers anew finds its own, also two of one slot', () => {
  const old = [event('a', 10), event('b', 12), event('c', 12)];
  const adopted = adopt([event('x', 12), event('y', 10), event('z', 12)], {
    known: known(...old.map(recordOf)),
    isLost: allLost,
  });
  assert.equal(recordOf(adopted[1] ?? event('', 1)).accessionNumber, accessions(old)[0]);
  assert.deepEqual(new Set(accessions(adopted)), new Set(accessions(old)));
});

test('adopt: never two bookings under one accession number, even when the old UID comes back', () => {
  const before = { ...recordOf(event('old', 10)), source: { calendar: 'prisma', uid: 'new' } };
  const outcomes = adopt([event('new', 10), event('old', 10)], { known: known(before), isLost: allLost });
  assert.equal(new Set(accessions(outcomes)).size, 2);
});

test('past: what is over is known, and not looked through again', () => {
  const past = new Past();
  const [over, ahead] = [recordOf(event('over', 10)), recordOf(event('ahead', 14))];
  for (const record of [over, ahead]) past.set(record);
  const at = (time: string): KnownBookings => past.ofCalendar('prisma', Temporal.Instant.from(time));
  assert.deepEqual(at('2026-11-24T11:00:00Z').toCome(), [ahead]);
  assert.deepEqual(at('2026-11-24T10:00:00Z').toCome(), [over, ahead], 'the clock was set back');
  assert.deepEqual(at('2027-01-01T00:00:00Z').toCome(), []);
  assert.deepEqual(at('2026-11-24T10:00:00Z').toCome(), [], 'forgotten after a week');
  assert.ok(at('2027-01-01T00:00:00Z').has(over.accessionNumber));
  assert.deepEqual(at('2027-01-01T00:00:00Z').ofEvent(over), [over]);
  const moved = { ...over, end: '2027-02-01T10:00:00Z' };
  past.set(moved);
  assert.deepEqual(at('2027-01-01T00:00:00Z').toCome(), [moved]);
  assert.ok(!past.ofCalendar('other', now).has(over.accessionNumber));
});

test('past: a record that got another UID is found by that one only', () => {
  const before = recordOf(event('old', 10));
  const past = new Past();
  past.set(before);
  const renumbered = { ...before, source: { ...before.source, uid: 'new' } };
  past.set(renumbered);
  const bookings = past.ofCalendar('prisma', now);
  assert.deepEqual(bookings.ofEvent(before), []);
  assert.deepEqual(bookings.ofEvent(renumbered), [renumbered]);
});

test('adopt: a label that 0.1.0 cut is whole now, and the published booking keeps its identity', () => {
  const whole = event('a', 10, 'sub-001', 'ses-mri-01');
  assert.ok(whole.outcome === 'booking' && whole.formerLabels !== undefined);
  const { source } = whole.record;
  const old = { ...whole.record, ...identify(source, whole.formerLabels), labels: whole.formerLabels };
  const [one] = adopt([whole], { known: known(old), isLost: allLost });
  assert.ok(one);
  assert.equal(one.code, 'REREAD');
  assert.equal(recordOf(one).accessionNumber, old.accessionNumber);
  assert.equal(recordOf(one).studyInstanceUid, old.studyInstanceUid);
  assert.equal(recordOf(one).labels.session, 'ses-mri-01');
  const [again] = adopt([whole], { known: known(recordOf(one)), isLost: allLost });
  assert.ok(again);
  assert.equal(again.code, 'REREAD');
  assert.equal(recordOf(again).accessionNumber, old.accessionNumber);
});

test('adopt: a booker who lengthens a label makes another booking of it', () => {
  const before = recordOf(event('a', 10, 'sub-001', 'ses-mri'));
  const after = event('a', 10, 'sub-001', 'ses-mri-01');
  const [one] = adopt([after], { known: known(before), isLost: allLost });
  assert.ok(one);
  assert.notEqual(recordOf(one).accessionNumber, before.accessionNumber);
});

const fresh = (...outcomes: Outcome[]): Pick<RenameQuestion, 'view' | 'outcomes'> => ({
  outcomes,
  view: {
    calendar: 'renamed',
    present: new Set(outcomes.map((one) => eventKey(recordOf(one).source.uid, undefined))),
  },
});
/** Records of a calendar of before. */
const formerly = (calendar: string, ...outcomes: Outcome[]): BookingRecord[] =>
  outcomes.map((one) => {
    const { source, labels, ...record } = recordOf(one);
    return {
      ...record,
      ...identify({ ...source, calendar }, labels),
      source: { ...source, calendar },
      labels,
    };
  });
const askedOf = (
  records: readonly BookingRecord[],
  more: Partial<RenameQuestion> = {},
): string | undefined => {
  const past = new Past();
  for (const record of records) past.set(record);
  return formerName({
    past,
    configured: new Set(['renamed', 'other', 'walk-in']),
    ...fresh(event('a', 10), event('b', 12), event('c', 14)),
    window: { from: now, to: now.add({ hours: 7 * 24 }) },
    ...more,
  });
};

test('renamed: more than half of the bookings to come of a calendar that left are in one that has none yet', () => {
  const all = [event('a', 10), event('b', 12), event('c', 14)];
  assert.equal(askedOf(formerly('prisma', ...all)), 'prisma');
  assert.equal(askedOf(formerly('prisma', event('a', 10), event('b', 12), event('x', 16))), 'prisma');
  assert.equal(askedOf(formerly('prisma', event('a', 10), event('x', 16))), undefined, 'half of them');
  assert.equal(askedOf([]), undefined);
});

test('renamed: by slot, title and labels, too, where the new address numbers its events anew', () => {
  const old = formerly('prisma', event('x', 10), event('y', 12));
  assert.equal(askedOf(old), 'prisma');
  assert.equal(askedOf(formerly('prisma', event('x', 10, 'sub-002'), event('y', 12, 'sub-002'))), undefined);
});

test('renamed: not by events that are no bookings of it, as where it and one that was removed read one feed', () => {
  const all = [event('a', 10), event('b', 12)];
  const as = (outcome: 'skipped' | 'rejected'): Outcome[] =>
    all.map((one) => ({ outcome, code: 'X', reason: 'x', uid: recordOf(one).source.uid }));
  const { view } = fresh(...all);
  assert.equal(askedOf(formerly('prisma', ...all), { view, outcomes: as('skipped') }), undefined);
  assert.equal(askedOf(formerly('prisma', ...all), { view, outcomes: as('rejected') }), 'prisma');
});

test('renamed: not from a calendar that is still configured, nor from walk-ins', () => {
  for (const calendar of ['other', 'walk-in'])
    assert.equal(askedOf(formerly(calendar, event('a', 10), event('b', 12))), undefined, calendar);
});

test('renamed: not where the calendar has bookings of its own already, as after a rename under an older version', () => {
  const all = [event('a', 10), event('b', 12)];
  assert.equal(askedOf([...formerly('prisma', ...all), ...formerly('renamed', event('a', 10))]), undefined);
});

test('renamed: bookings that are cancelled, over, or beyond the window say nothing', () => {
  const old = formerly('prisma', event('a', 10), event('b', 12));
  assert.equal(askedOf(old.map((one) => ({ ...one, status: 'cancelled' as const }))), undefined);
  const later = now.add({ hours: 30 * 24 });
  assert.equal(askedOf(old, { window: { from: later, to: later.add({ hours: 24 }) } }), undefined);
  assert.equal(askedOf(old, { window: { from: now, to: now.add({ hours: 1 }) } }), undefined);
});
