import assert from 'node:assert/strict';
import { test } from 'node:test';
import { identify, type BookingRecord } from '@scanflow/booking';
import type { CalendarView } from '@scanflow/identity';
import { bookingRecord } from '@scanflow/testkit/events';
import {
  reconcile as decide,
  sweep,
  type Action,
  type Published,
  type Reconciled,
  type Wanted,
} from './reconcile.ts';

const window = {
  from: Temporal.Instant.from('2026-11-23T00:00:00Z'),
  to: Temporal.Instant.from('2026-11-30T00:00:00Z'),
};

const record = (uid: string, more: Partial<BookingRecord> = {}): BookingRecord =>
  bookingRecord({
    title: 't',
    patientId: 'p_s1',
    patientName: 'p_s1',
    source: { calendar: 'prisma', uid },
    ...more,
  });
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
interface View extends CalendarView {
  readonly wanted: readonly Wanted[];
}
const view = (uids: readonly string[], more: Partial<View> = {}): View => ({
  calendar: 'prisma',
  answered: true,
  accepted: false,
  wanted: uids.map((uid) => wanted(uid)),
  present: new Set(uids),
  outside: new Set(),
  unreadable: { uids: new Set(), instances: new Set() },
  unknown: false,
  suspicion: undefined,
  ...more,
});
const none: ReadonlySet<string> = new Set();
const reconcile = (one: View, published: Map<string, Published>, span = window, frozen = none): Reconciled =>
  decide({ view: one, wanted: one.wanted, published, window: span, frozen });
const kinds = (actions: readonly Action[]): string[] =>
  actions.map((action) => (action.kind === 'keep' ? `keep ${action.why}` : action.kind)).sort();
const act = (one: View, published: Map<string, Published>): string[] =>
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
  for (const unreadable of [
    { uids: new Set(['a']), instances: none },
    { uids: none, instances: new Set(['a']) },
  ])
    assert.deepEqual(act(view([], { unreadable }), shelf(record('a'))), ['keep unreadable']);
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
  const swept = sweep(published, { calendars, wanted: none, frozen: none, allRead: false });
  assert.deepEqual(kinds(swept), ['withdraw']);
  const accessionNumber = record('a').accessionNumber;
  const bare = new Map([[accessionNumber, { accessionNumber, record: undefined, item: Buffer.from('x') }]]);
  assert.deepEqual(kinds(sweep(bare, { calendars, wanted: none, frozen: none, allRead: false })), [
    'keep unknown',
  ]);
  assert.deepEqual(kinds(sweep(bare, { calendars, wanted: none, frozen: none, allRead: true })), [
    'withdraw',
  ]);
  assert.deepEqual(
    sweep(bare, { calendars, wanted: new Set([accessionNumber]), frozen: none, allRead: true }),
    [],
  );
});

const relabelled = record('a', {
  ...identify({ calendar: 'prisma', uid: 'a' }, { project: 'p', subject: 's2', session: '1' }),
  labels: { project: 'p', subject: 's2', session: '1' },
});
const relabelledView = view([], {
  wanted: [{ record: relabelled, item: item(relabelled) }],
  present: new Set(['a']),
});

test('supersede: a relabelled booking points on to the one that took its place, which comes first', () => {
  const { actions } = reconcile(relabelledView, shelf(record('a')));
  assert.deepEqual(
    actions.map(({ kind }) => kind),
    ['publish', 'supersede'],
  );
  const [, old] = actions;
  assert.ok(old?.kind === 'supersede');
  assert.equal(old.record.status, 'superseded');
  assert.equal(old.record.supersededBy, relabelled.accessionNumber);
});

test('supersede: labels that come back are scheduled again, and the others point back', () => {
  const before = record('a', { status: 'superseded', supersededBy: relabelled.accessionNumber });
  const published = shelf(relabelled);
  published.set(before.accessionNumber, {
    accessionNumber: before.accessionNumber,
    record: before,
    item: undefined,
  });
  const { actions } = reconcile(view(['a']), published);
  const [back, other] = actions;
  assert.ok(back?.kind === 'publish' && other?.kind === 'supersede');
  assert.equal(back.wanted.record.status, 'scheduled');
  assert.equal(other.record.supersededBy, before.accessionNumber);
});

test('supersede: a killed run left the item of a record that points on: only the item goes', () => {
  const old = record('a', { status: 'superseded', supersededBy: relabelled.accessionNumber });
  const { actions } = reconcile(relabelledView, shelf(old, relabelled));
  assert.deepEqual(kinds(actions), ['unchanged', 'withdraw']);
});

test('frozen: while the exam runs nothing of its event changes, then all of it does', () => {
  const one = record('a');
  const frozen = new Set([one.accessionNumber]);
  const of = (what: View, running: ReadonlySet<string>): Reconciled =>
    reconcile(what, shelf(one, record('b')), window, running);
  const moved = view(['b'], {
    wanted: [wanted('a', { start: '2026-11-24T10:00:00Z' }), wanted('b')],
    present: new Set(['a', 'b']),
  });
  const other = { ...relabelledView, wanted: [...relabelledView.wanted, wanted('b')] };
  const cases: [View, string[], string[]][] = [
    [moved, ['keep frozen', 'unchanged'], ['publish', 'unchanged']],
    [other, ['keep frozen', 'unchanged'], ['publish', 'supersede', 'unchanged']],
    [view(['b'], { present: new Set(['a', 'b']) }), ['keep frozen', 'unchanged'], ['cancel', 'unchanged']],
    [view(['b']), ['keep frozen', 'unchanged'], ['cancel', 'unchanged']],
    [view(['b'], { outside: new Set(['a']) }), ['keep frozen', 'unchanged'], ['unchanged', 'withdraw']],
  ];
  for (const [what, running, after] of cases) {
    assert.deepEqual(kinds(of(what, frozen).actions), running);
    assert.deepEqual(kinds(of(what, none).actions), after);
  }
  assert.deepEqual([...of(moved, frozen).waiting], [one.accessionNumber]);
  assert.deepEqual([...of(other, frozen).waiting], [relabelled.accessionNumber]);
});

test('frozen: a booking that did not change is unchanged, one of a removed calendar stays', () => {
  const one = record('a');
  const frozen = new Set([one.accessionNumber]);
  assert.deepEqual(kinds(reconcile(view(['a']), shelf(one), window, frozen).actions), ['unchanged']);
  const swept = sweep(shelf(one), { calendars: none, wanted: none, frozen, allRead: true });
  assert.deepEqual(kinds(swept), ['keep frozen']);
});

test('gone for good: a booking that was moved far ahead and then deleted is cancelled without an item', () => {
  const one = record('a');
  const away = new Map([
    [one.accessionNumber, { accessionNumber: one.accessionNumber, record: one, item: undefined }],
  ]);
  assert.deepEqual(act(view(['b'], { outside: new Set(['a']) }), away), ['publish']);
  assert.deepEqual(act(view(['b']), away), ['cancel', 'publish']);
});

test('gone for good: an instance of a series beyond the window is not known to be gone', () => {
  const source = { calendar: 'prisma', uid: 'a', recurrenceId: '2026-12-08T09:00:00Z' };
  const far = record('a', { source, start: '2026-12-08T09:00:00Z', end: '2026-12-08T10:00:00Z' });
  assert.deepEqual(act(view(['b']), shelf(far)), ['publish', 'withdraw']);
});
