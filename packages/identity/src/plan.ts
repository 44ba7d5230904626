/** Judges a calendar's content: an outcome for each event in the window. */
import {
  interpret,
  unreadable,
  type BookingRules,
  type BookingSource,
  type Outcome,
} from '@scanflow/booking';
import { eventKey, type CalendarContent, type CalendarEvent, type Unreadable } from '@scanflow/calendar';

export interface Plan {
  readonly outcomes: readonly Outcome[];
  /** Keys of all events in the window. */
  readonly present: ReadonlySet<string>;
  /** By `eventKey`: recurrence ids as an earlier version read them, if they differ. */
  readonly formerIds: ReadonlyMap<string, string>;
  /** The events that unreadable events leave unknown. */
  readonly unreadable: Unreadable;
}

/** Judges by one set of rules. It does not judge the same event twice. */
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
