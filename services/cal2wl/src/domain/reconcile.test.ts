import assert from 'node:assert/strict';
import { test } from 'node:test';
import { identify, type BookingRecord } from '@scanflow/booking';
import {
  reconcile,
  sweep,
  type Action,
  type CalendarView,
  type Published,
  type Wanted,
} from './reconcile.ts';

const window = {
  from: Temporal.Instant.from('2026-11-23T00:00:00Z'),
  to: Temporal.Instant.from('2026-11-30T00:00:00Z'),
};

const record = (uid: string, more: Partial<BookingRecord> = {}): BookingRecord => {
  const source = { calendar: 'prisma', uid };
  const labels = { project: 'p', subject: 's1', session: '1' };
  return {
    version: 1,
    ...identify(source, labels),
    status: 'scheduled',
    scanner: 'prisma',
    modality: 'MR',
    start: '2026-11-24T09:00:00Z',
    end: '2026-11-24T10:00:00Z',
    labels,
    title: 't',
    patientId: 'p_s1',
    patientName: 'p_s1',
    source,
    ...more,
  };
};
const item = (one: BookingRecord): Uint8Array => Buffer.from(one.start);
const wanted = (uid: string, more: Partial<BookingRecord> = {}): Wanted => {
  const one = record(uid, more);
  return { record: one, item: item(one) };
};
const shelf = (...records: BookingRecord[]): Map<string, Published> =>
  new Map(
    records.map((one) => [
      one.accessionNumber,
      { accessionNumber: one.accessionNumber, record: one, item: item(one) },
    ]),
  );
const view = (uids: readonly string[], more: Partial<CalendarView> = {}): CalendarView => ({
  calendar: 'prisma',
  answered: true,
  wanted: uids.map((uid) => wanted(uid)),
  present: new Set(uids),
  outside: new Set(),
  unreadable: new Set(),
  unknown: false,
  suspicion: undefined,
  ...more,
});
const kinds = (actions: readonly Action[]): string[] =>
  actions.map((action) => (action.kind === 'keep' ? `keep ${action.why}` : action.kind)).sort();
const act = (one: CalendarView, published: Map<string, Published>): string[] =>
  kinds(reconcile(one, published, window).actions);

test('publish: new, unchanged, moved, and repaired where a file is missing', () => {
  assert.deepEqual(act(view(['a']), new Map()), ['publish']);
  assert.deepEqual(act(view(['a']), shelf(record('a'))), ['unchanged']);
  assert.deepEqual(act(view(['a']), shelf(record('a', { start: '2026-11-24T08:00:00Z' }))), ['publish']);
  const { accessionNumber } = record('a');
  for (const half of [
    { record: record('a'), item: undefined },
    { record: undefined, item: item(record('a')) },
  ])
    assert.deepEqual(act(view(['a']), new Map([[accessionNumber, { accessionNumber, ...half }]])), [
      'publish',
    ]);
});

test('publish: a restored booking is scheduled again', () => {
  const gone = record('a', { status: 'cancelled' });
  assert.deepEqual(act(view(['a']), shelf(gone)), ['publish']);
});

test('cancel: an event that is gone, cancelled or relabelled', () => {
  assert.deepEqual(act(view(['b']), shelf(record('a'), record('b'))), ['cancel', 'unchanged']);
  assert.deepEqual(act(view([], { present: new Set(['a']) }), shelf(record('a'))), ['cancel']);
  const [action] = reconcile(view(['b']), shelf(record('a')), window).actions.filter(
    ({ kind }) => kind === 'cancel',
  );
  assert.equal(action?.kind === 'cancel' ? action.record.status : undefined, 'cancelled');
});

test('withdraw: a slot that left the window keeps its record', () => {
  const past = record('a', { start: '2026-11-22T09:00:00Z', end: '2026-11-22T10:00:00Z' });
  assert.deepEqual(act(view(['b']), shelf(past, record('b'))), ['unchanged', 'withdraw']);
  assert.deepEqual(act(view(['b'], { outside: new Set(['a']) }), shelf(record('a'), record('b'))), [
    'unchanged',
    'withdraw',
  ]);
});

test('keep: a calendar of which nothing is known, and an event that cannot be read', () => {
  assert.deepEqual(act(view([], { unknown: true, answered: false }), shelf(record('a'))), ['keep unknown']);
  assert.deepEqual(act(view([], { unreadable: new Set(['a']) }), shelf(record('a'))), ['keep unreadable']);
});

test('keep: even of an unknown calendar, past slots leave', () => {
  const past = record('a', { start: '2026-11-22T09:00:00Z', end: '2026-11-22T10:00:00Z' });
  assert.deepEqual(act(view([], { unknown: true, answered: false }), shelf(past)), ['withdraw']);
});

test('others: what another calendar published is not touched', () => {
  const other = record('z', { source: { calendar: 'force', uid: 'z' } });
  assert.deepEqual(act(view(['a']), shelf(record('a'), other)), ['unchanged']);
});

test('shrink: an empty calendar removes nothing until it says so twice', () => {
  const published = shelf(record('a'), record('b'));
  const first = reconcile(view([]), published, window);
  assert.deepEqual(kinds(first.actions), ['keep held', 'keep held']);
  const silent = reconcile(view([], { answered: false, suspicion: first.suspicion }), published, window);
  assert.deepEqual(kinds(silent.actions), ['keep held', 'keep held']);
  const second = reconcile(view([], { suspicion: silent.suspicion }), published, window);
  assert.deepEqual(kinds(second.actions), ['cancel', 'cancel']);
  assert.equal(second.suspicion, undefined);
});

test('shrink: more than half of four or more is suspicious, half is not', () => {
  const published = shelf(...['a', 'b', 'c', 'd'].map((uid) => record(uid)));
  assert.deepEqual(act(view(['a', 'b']), published), ['cancel', 'cancel', 'unchanged', 'unchanged']);
  assert.deepEqual(act(view(['a']), published), ['keep held', 'keep held', 'keep held', 'unchanged']);
  assert.deepEqual(act(view(['a']), shelf(...['a', 'b', 'c'].map((uid) => record(uid)))), [
    'cancel',
    'cancel',
    'unchanged',
  ]);
});

test('shrink: a recovered calendar clears the suspicion, another loss does not confirm it', () => {
  const published = shelf(...['a', 'b', 'c', 'd'].map((uid) => record(uid)));
  const { suspicion } = reconcile(view(['a']), published, window);
  assert.equal(reconcile(view(['a', 'b', 'c', 'd'], { suspicion }), published, window).suspicion, undefined);
  const another = reconcile(view(['b'], { suspicion }), published, window);
  assert.deepEqual(kinds(another.actions), ['keep held', 'keep held', 'keep held', 'unchanged']);
});

test('shrink: relabelling everything loses nothing', () => {
  const published = shelf(...['a', 'b', 'c', 'd'].map((uid) => record(uid)));
  const relabelled = view([], { present: new Set(['a', 'b', 'c', 'd']) });
  assert.deepEqual(act(relabelled, published), ['cancel', 'cancel', 'cancel', 'cancel']);
});

test('sweep: items of no configured calendar leave; without a record only when all calendars were read', () => {
  const calendars = new Set(['prisma']);
  const published = shelf(record('a'), record('z', { source: { calendar: 'old', uid: 'z' } }));
  const swept = sweep(published, { calendars, wanted: new Set(), allRead: false });
  assert.deepEqual(kinds(swept), ['withdraw']);
  const accessionNumber = record('a').accessionNumber;
  const bare = new Map([[accessionNumber, { accessionNumber, record: undefined, item: Buffer.from('x') }]]);
  assert.deepEqual(kinds(sweep(bare, { calendars, wanted: new Set(), allRead: false })), ['keep unknown']);
  assert.deepEqual(kinds(sweep(bare, { calendars, wanted: new Set(), allRead: true })), ['withdraw']);
  assert.deepEqual(sweep(bare, { calendars, wanted: new Set([accessionNumber]), allRead: true }), []);
});
