import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BookedOutcome, BookingRecord, Labels } from '@scanflow/booking';
import { bookingRecord } from '@scanflow/testkit/events';
import { defined } from '@scanflow/failure/defined';
import { encodeKeeps, parseKeeps, keepIdentities, spanOf, type KeepInput } from './reread.ts';

interface Given {
  readonly uid?: string;
  readonly recurrenceId?: string;
  readonly hour?: number;
  readonly subject?: string;
  readonly session?: string;
}

function record({
  uid = 'a',
  recurrenceId,
  hour = 10,
  subject = 'sub-001',
  session = 'ses-01',
}: Given): BookingRecord {
  return bookingRecord({
    start: `2026-11-24T${hour}:00:00Z`,
    end: `2026-11-24T${hour + 1}:00:00Z`,
    labels: { project: '3010000.01', subject, session },
    title: 'a scan',
    patientId: subject,
    patientName: subject,
    source: { calendar: 'prisma', uid, ...defined({ recurrenceId }) },
  });
}
const outcome = (given: Given, formerLabels?: Labels): BookedOutcome =>
  ({
    outcome: 'booking',
    uid: given.uid ?? 'a',
    record: record(given),
    warnings: [],
    ...defined({ formerLabels }),
  }) as unknown as BookedOutcome;

const keepsOf = (given: Partial<KeepInput>): Map<string, string> => {
  const all: KeepInput = {
    ...{ records: [], outcomes: [], formerId: () => undefined, exams: new Set(), rejected: [] },
    now: Temporal.Instant.from('2026-11-23T00:00:00Z'),
    ...given,
  };
  return new Map([...keepIdentities(all)].map(([derived, keep]) => [derived, keep.accessionNumber]));
};
const pair = (old: Given, now: Given): [string, string] => [
  record(now).accessionNumber,
  record(old).accessionNumber,
];

test('keep: nothing where nothing is read otherwise', () => {
  assert.equal(keepsOf({ records: [record({})], outcomes: [outcome({})] }).size, 0);
});

test('keep: another label, another instance, another UID of the one slot', () => {
  const at = (time: string): Given => ({ recurrenceId: `2026-11-24T${time}:00:00Z` });
  const cases: [Given, Given, Partial<KeepInput>][] = [
    [{ session: 'ses' }, { session: 'ses-01' }, {}],
    [at('10'), at('09'), { formerId: () => '2026-11-24T10:00:00Z' }],
    [{ ...at('10'), session: 'ses' }, { ...at('09'), hour: 9 }, {}],
    [{ uid: 'no-uid-1' }, { uid: 'no-uid-2', session: 'ses-02' }, {}],
  ];
  for (const [old, now, more] of cases)
    assert.deepEqual(
      [...keepsOf({ records: [record(old)], outcomes: [outcome(now)], ...more })],
      [pair(old, now)],
    );
});

test('keep: instances in their order, and none where one is missing', () => {
  const at = (hour: number): Given => ({ hour, recurrenceId: `2026-11-24T${hour}:00:00Z` });
  const records = [12, 10].map((hour) => record(at(hour)));
  const outcomes = [11, 13].map((hour) => outcome(at(hour)));
  assert.deepEqual(keepsOf({ records, outcomes }), new Map([pair(at(10), at(11)), pair(at(12), at(13))]));
  assert.equal(keepsOf({ records, outcomes: outcomes.slice(1) }).size, 0);
});

test('keep: an event that the old version could not read may be relabelled since, unless its reading is known', () => {
  const [old, now] = [{ session: 'ses' }, { session: 'ses-01' }];
  const rejected = [{ calendar: 'prisma', uid: 'a' }];
  assert.equal(keepsOf({ records: [record(old)], outcomes: [outcome(now)], rejected }).size, 0);
  const known = [outcome(now, record(old).labels)];
  assert.equal(keepsOf({ records: [record(old)], outcomes: known, rejected }).size, 1);
  const others = [
    { calendar: 'skyra', uid: 'a' },
    { calendar: 'prisma', uid: 'a', recurrenceId: '2026-11-25T10:00:00Z' },
  ];
  assert.equal(keepsOf({ records: [record(old)], outcomes: [outcome(now)], rejected: others }).size, 1);
});

test('keep: what a scanner may have shown is marked: the slot or an exam began', () => {
  const [old, now] = [record({ session: 'ses' }), outcome({})];
  const begun = (more: Partial<KeepInput>): boolean | undefined =>
    [
      ...keepIdentities({
        ...{ records: [old], outcomes: [now], formerId: () => undefined, exams: new Set(), rejected: [] },
        now: Temporal.Instant.from('2026-11-24T09:59:59Z'),
        ...more,
      }).values(),
    ][0]?.begun;
  assert.equal(begun({}), false);
  assert.equal(begun({ now: Temporal.Instant.from('2026-11-24T10:00:00Z') }), true);
  assert.equal(begun({ exams: new Set([old.accessionNumber]) }), true);
});

test('keeps: written and read; what is damaged or of another version is none', () => {
  const keeps = new Map([['D', { accessionNumber: 'A', studyInstanceUid: '2.25.1', begun: true }]]);
  assert.deepEqual(parseKeeps(encodeKeeps(keeps)), keeps);
  for (const text of [
    '',
    '{',
    'null',
    '{"version":1,"reading":1,"keeps":{}}',
    '{"version":1,"reading":2,"keeps":null}',
  ])
    assert.equal(parseKeeps(text), undefined, text);
  assert.deepEqual(parseKeeps('{"version":1,"reading":2,"keeps":{"D":{"accessionNumber":1}}}'), new Map());
});

test('span: a day and more around all slots; none of none', () => {
  assert.equal(spanOf([]), undefined);
  const span = spanOf([record({ hour: 12 }), record({ hour: 10 })]);
  assert.equal(span?.from.toString(), '2026-11-23T08:00:00Z');
  assert.equal(span.to.toString(), '2026-11-25T15:00:00Z');
});
