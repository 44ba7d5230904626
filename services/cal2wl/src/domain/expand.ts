/** The span of the worklist, and a longer span to read, so that a pass need not read an unchanged calendar again. */
import { eventKey, overlaps, type CalendarContent, type Window } from '@scanflow/calendar';

/** Durations in milliseconds. */
export interface WindowSettings {
  readonly before: number;
  readonly after: number;
}

const AHEAD = Temporal.Duration.from({ hours: 24 });

/** The worklist's span around `now`: slots that ended at most `before` ago, and that start at most `after` ahead. */
export function windowAt(now: Temporal.Instant, { before, after }: WindowSettings): Window {
  return { from: now.subtract({ milliseconds: before }), to: now.add({ milliseconds: after }) };
}

/** The span to read: a day more than the worklist's, so that it serves for a day of passes. */
export const readAhead = ({ from, to }: Window): Window => ({ from, to: to.add(AHEAD) });

/** Whether the content read for `read` covers `wanted`. */
export const covers = (read: Window, wanted: Window): boolean =>
  Temporal.Instant.compare(read.from, wanted.from) <= 0 && Temporal.Instant.compare(read.to, wanted.to) >= 0;

/** The content of a larger window cut down to a smaller one. */
export function cut(content: CalendarContent, window: Window): CalendarContent {
  const events = content.events.filter((event) => overlaps(event, window));
  const inside = new Set(events);
  const alive = content.events.filter((event) => !inside.has(event) && event.status !== 'CANCELLED');
  const outside = alive.map(({ uid, recurrenceId }) => eventKey(uid, recurrenceId));
  return {
    ...content,
    events,
    outside: outside.length === 0 ? content.outside : new Set([...content.outside, ...outside]),
  };
}
