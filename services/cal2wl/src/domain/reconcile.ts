/**
 * What has to change on disk so that it agrees with the calendars. Decides and writes nothing.
 *
 * An item leaves the worklist for its event's own sake only: the event is gone, cancelled or relabelled (its record
 * is marked cancelled), or its slot left the window (its record stays as it is). What cannot be read is kept.
 */
import { encodeRecord, type BookingRecord } from '@scanflow/booking';
import { eventKey, overlaps, type Window } from '@scanflow/calendar';
import { guardShrink } from './shrink.ts';

/** A booking as it is to be published. */
export interface Wanted {
  readonly record: BookingRecord;
  /** The worklist item, a Part 10 file. */
  readonly item: Uint8Array;
}

/** What is on disk under one accession number. */
export interface Published {
  readonly accessionNumber: string;
  /** Undefined where there is none, or none that can be read. */
  readonly record: BookingRecord | undefined;
  readonly item: Uint8Array | undefined;
}

/** What one calendar said in this pass. */
export interface CalendarView {
  readonly calendar: string;
  /** False when this is what it said before: it did not answer. Undefined `content` below then means never. */
  readonly answered: boolean;
  readonly wanted: readonly Wanted[];
  /** Keys (`eventKey`) of all events in the window, whatever became of them. */
  readonly present: ReadonlySet<string>;
  /** Keys of events that live outside the window. */
  readonly outside: ReadonlySet<string>;
  /** UIDs of events that could not be read: what is published of them stays. */
  readonly unreadable: ReadonlySet<string>;
  /** Nothing of the calendar is known: what is published of it stays. */
  readonly unknown: boolean;
  /** What the shrink guard held back at the last pass. */
  readonly suspicion: string | undefined;
}

export type Action =
  | { readonly kind: 'publish'; readonly wanted: Wanted; readonly isNew: boolean }
  | { readonly kind: 'unchanged'; readonly accessionNumber: string }
  /** The item leaves the worklist, the record is marked cancelled. */
  | { readonly kind: 'cancel'; readonly accessionNumber: string; readonly record: BookingRecord }
  /** The item leaves the worklist, the record stays. */
  | { readonly kind: 'withdraw'; readonly accessionNumber: string }
  | {
      readonly kind: 'keep';
      readonly accessionNumber: string;
      readonly why: 'unreadable' | 'unknown' | 'held';
    };

export interface Reconciled {
  readonly actions: readonly Action[];
  /** To be handed in again at the next pass. */
  readonly suspicion: string | undefined;
}

/** Compares one calendar with what is published of it. `published` may hold other calendars' too. */
export function reconcile(
  view: CalendarView,
  published: ReadonlyMap<string, Published>,
  window: Window,
): Reconciled {
  const wanted = new Map(view.wanted.map((one) => [one.record.accessionNumber, one]));
  const ours = [...published.values()].filter(({ record }) => record?.source.calendar === view.calendar);
  const leaving = ours
    .filter(({ accessionNumber, item }) => item !== undefined && !wanted.has(accessionNumber))
    .map((one) => ({ one, fate: fateOf(one, view, window) }));
  const guard = guardShrink({
    answered: view.answered,
    before: view.suspicion,
    listed: ours.filter((one) => one.item !== undefined && inWindow(one, window)).length,
    lost: leaving.filter(({ fate }) => fate === 'lost').map(({ one }) => one.accessionNumber),
    empty: view.present.size === 0,
  });
  return {
    suspicion: guard.suspicion,
    actions: [
      ...[...wanted.values()].map((one) => publishAction(one, published.get(one.record.accessionNumber))),
      ...leaving.map(({ one, fate }) => leaveAction(one, fate === 'lost' && guard.hold ? 'held' : fate)),
    ],
  };
}

/** Items whose record cannot be read or whose calendar is no longer configured. */
export function sweep(
  published: ReadonlyMap<string, Published>,
  {
    calendars,
    wanted,
    allRead,
  }: { calendars: ReadonlySet<string>; wanted: ReadonlySet<string>; allRead: boolean },
): Action[] {
  const stray = [...published.values()].filter(
    ({ accessionNumber, record, item }) =>
      item !== undefined && !wanted.has(accessionNumber) && !calendars.has(record?.source.calendar ?? ''),
  );
  return stray.map(({ accessionNumber, record }) =>
    // without its record an item may belong to a calendar that does not answer
    record === undefined && !allRead
      ? { kind: 'keep', accessionNumber, why: 'unknown' }
      : { kind: 'withdraw', accessionNumber },
  );
}

type Fate = 'past' | 'unknown' | 'unreadable' | 'moved' | 'changed' | 'lost' | 'held';

/** Why a published item is not wanted any more. */
function fateOf({ record }: Published, view: CalendarView, window: Window): Fate {
  if (record === undefined) return 'unknown';
  const { uid, recurrenceId } = record.source;
  if (record.status === 'cancelled') return 'changed';
  if (Temporal.Instant.compare(Temporal.Instant.from(record.end), window.from) <= 0) return 'past';
  if (view.unknown) return 'unknown';
  if (view.unreadable.has(uid)) return 'unreadable';
  const key = eventKey(uid, recurrenceId);
  if (view.present.has(key)) return 'changed';
  return view.outside.has(key) ? 'moved' : 'lost';
}

function leaveAction({ accessionNumber, record }: Published, fate: Fate): Action {
  switch (fate) {
    case 'past':
    case 'moved':
      return { kind: 'withdraw', accessionNumber };
    case 'changed':
    case 'lost':
      return record === undefined
        ? { kind: 'withdraw', accessionNumber }
        : { kind: 'cancel', accessionNumber, record: { ...record, status: 'cancelled' } };
    case 'held':
    case 'unknown':
    case 'unreadable':
      return { kind: 'keep', accessionNumber, why: fate };
  }
}

function publishAction(wanted: Wanted, published: Published | undefined): Action {
  const { accessionNumber } = wanted.record;
  const same =
    published?.record !== undefined &&
    published.item !== undefined &&
    sameRecord(published.record, wanted.record) &&
    sameBytes(published.item, wanted.item);
  return same
    ? { kind: 'unchanged', accessionNumber }
    : { kind: 'publish', wanted, isNew: published?.item === undefined };
}

const inWindow = ({ record }: Published, window: Window): boolean =>
  record?.status === 'scheduled' &&
  overlaps({ start: Temporal.Instant.from(record.start), end: Temporal.Instant.from(record.end) }, window);

const sameRecord = (a: BookingRecord, b: BookingRecord): boolean => encodeRecord(a) === encodeRecord(b);

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, index) => byte === b[index]);
