/** Why a booking that was published is not wanted any more. */
import type { BookingRecord } from '@scanflow/booking';
import { eventKey, type Unreadable, type Window } from '@scanflow/calendar';

/** What one calendar said in this pass. */
export interface CalendarView {
  readonly calendar: string;
  /** False when this is what it said before: it did not answer. */
  readonly answered: boolean;
  /** Keys (`eventKey`) of all events in the window, whatever became of them. */
  readonly present: ReadonlySet<string>;
  /** Keys of events that live outside the window. */
  readonly outside: ReadonlySet<string>;
  /** What the events that could not be read leave unknown: what is published of it stays. */
  readonly unreadable: Unreadable;
  /** Nothing of the calendar is known: what is published of it stays. */
  readonly unknown: boolean;
  /** What the shrink guard held back at the last pass. */
  readonly suspicion: string | undefined;
  /** A person accepts what the shrink guard holds back. */
  readonly accepted: boolean;
}

export type Fate = 'past' | 'unknown' | 'unreadable' | 'moved' | 'changed' | 'lost';

export function fateOf(record: BookingRecord | undefined, view: CalendarView, window: Window): Fate {
  if (record === undefined) return 'unknown';
  const { uid, recurrenceId } = record.source;
  if (record.status !== 'scheduled') return 'changed';
  if (isBeforeOrAt(record.end, window.from)) return 'past';
  if (view.unknown) return 'unknown';
  const key = eventKey(uid, recurrenceId);
  // what can be read counts, whatever else under its UID cannot
  if (view.present.has(key)) return 'changed';
  if (view.outside.has(key)) return 'moved';
  if (view.unreadable.uids.has(uid) || view.unreadable.instances.has(key)) return 'unreadable';
  // of a series, only what is next to the window is told: one further away may well be alive
  const isFar = recurrenceId !== undefined && !isBefore(record.start, window.to);
  return isFar ? 'moved' : 'lost';
}

const compare = (time: string, other: Temporal.Instant): number =>
  Temporal.Instant.compare(Temporal.Instant.from(time), other);
const isBefore = (time: string, other: Temporal.Instant): boolean => compare(time, other) < 0;
const isBeforeOrAt = (time: string, other: Temporal.Instant): boolean => compare(time, other) <= 0;
