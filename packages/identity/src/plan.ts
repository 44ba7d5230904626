/** What a calendar's content means: an outcome for each event in the window, and why a published booking is no longer wanted. */
import {
  interpret,
  unreadable,
  type BookingRules,
  type BookingSource,
  type Outcome,
  type BookingRecord,
} from '@scanflow/booking';
import {
  eventKey,
  type CalendarContent,
  type CalendarEvent,
  type Unreadable,
  type Window,
} from '@scanflow/calendar';

export interface Plan {
  readonly outcomes: readonly Outcome[];
  /** Keys of all events in the window. */
  readonly present: ReadonlySet<string>;
  /** By `eventKey`: recurrence ids as an earlier version read them, if they differ. */
  readonly formerIds: ReadonlyMap<string, string>;
  /** The events that unreadable events leave unknown. */
  readonly unreadable: Unreadable;
}

/**
 * Judges calendars by one set of rules. It remembers its judgement of each event object, so a calendar that is read once
 * costs once.
 */
export function createPlanner(rules: BookingRules): (content: CalendarContent) => Plan {
  const judged = new WeakMap<CalendarEvent, Outcome>();
  const judge = (event: CalendarEvent): Outcome => {
    const outcome = judged.get(event) ?? interpret(event, rules);
    judged.set(event, outcome);
    return outcome;
  };
  return ({ events, problems, unreadable: unknown }) => ({
    outcomes: [...events.map(judge), ...problems.map(unreadable)],
    present: new Set(events.map(({ uid, recurrenceId }) => eventKey(uid, recurrenceId))),
    formerIds: formerIds(events),
    unreadable: unknown,
  });
}

/** Finds the recurrence id that an earlier version gave an instance, if it differs. */
export const formerIdIn =
  ({ formerIds: ids }: Plan) =>
  ({ uid, recurrenceId }: BookingSource): string | undefined =>
    ids.get(eventKey(uid, recurrenceId));

const formerIds = (events: readonly CalendarEvent[]): Map<string, string> =>
  new Map(
    events.flatMap(({ uid, recurrenceId, formerRecurrenceId }) =>
      formerRecurrenceId === undefined ? [] : [[eventKey(uid, recurrenceId), formerRecurrenceId]],
    ),
  );

/** A calendar's state in this pass. */
export interface CalendarView {
  readonly calendar: string;
  /** False if the calendar did not answer, and its last good state counts. */
  readonly answered: boolean;
  /** Keys (`eventKey`) of all events in the window, whatever their outcome. */
  readonly present: ReadonlySet<string>;
  /** Keys of live events outside the window. */
  readonly outside: ReadonlySet<string>;
  /** Events that unreadable events leave unknown. Their published bookings stay. */
  readonly unreadable: Unreadable;
  /** Whether nothing is known of the calendar. Its published bookings stay. */
  readonly unknown: boolean;
  /** The removals that the shrink guard held back at the last pass. */
  readonly suspicion: string | undefined;
  /** Whether a person accepts the removals that the shrink guard holds back. */
  readonly accepted: boolean;
}

export type Fate = 'past' | 'unknown' | 'unreadable' | 'moved' | 'changed' | 'lost';

/** What became of a published booking that its calendar no longer gives. `record` undefined: nobody has its record. */
export function fateOf(record: BookingRecord | undefined, view: CalendarView, window: Window): Fate {
  if (record === undefined) return 'unknown';
  const { uid, recurrenceId } = record.source;
  if (record.status !== 'scheduled') return 'changed';
  if (isBeforeOrAt(record.end, window.from)) return 'past';
  if (view.unknown) return 'unknown';
  const key = eventKey(uid, recurrenceId);
  // a readable event counts, whatever is unreadable under its UID
  if (view.present.has(key)) return 'changed';
  if (view.outside.has(key)) return 'moved';
  if (view.unreadable.uids.has(uid) || view.unreadable.instances.has(key)) return 'unreadable';
  // the reader names only the instances next to the window, so one further away may be alive
  const isFar = recurrenceId !== undefined && !isBefore(record.start, window.to);
  return isFar ? 'moved' : 'lost';
}

const compare = (time: string, other: Temporal.Instant): number =>
  Temporal.Instant.compare(Temporal.Instant.from(time), other);
const isBefore = (time: string, other: Temporal.Instant): boolean => compare(time, other) < 0;
const isBeforeOrAt = (time: string, other: Temporal.Instant): boolean => compare(time, other) <= 0;
