/** The events that the reader of a calendar returns. */
import type { EventExtras } from './extras.ts';

export type EventStatus = 'CONFIRMED' | 'TENTATIVE' | 'CANCELLED';
export type EventClass = 'PUBLIC' | 'PRIVATE' | 'CONFIDENTIAL';

/** One event, or one instance of a recurring event, with its time as instants. */
export interface CalendarEvent extends EventExtras {
  readonly uid: string;
  /**
   * Original start of an instance as a UTC instant, `2026-11-22T08:00:00Z`. Absent for a single event and for the
   * first instance of a series.
   */
  readonly recurrenceId?: string;
  /** The `recurrenceId` of Scanflow 0.1.0, if it read the time zone differently. */
  readonly formerRecurrenceId?: string;
  /** Texts as 0.1.0 read them, if it read one differently. */
  readonly formerTexts?: FormerTexts;
  readonly start: Temporal.Instant;
  readonly end: Temporal.Instant;
  readonly allDay: boolean;
  readonly summary: string;
  readonly description: string;
  readonly location?: string;
  /** Name of the organizer, or the address if there is no name. */
  readonly organizer?: string;
  readonly attendees: readonly string[];
  readonly status: EventStatus;
  readonly transparency: 'OPAQUE' | 'TRANSPARENT';
  readonly class: EventClass;
}

/** The parts of an event that booking identities derive from. */
export interface FormerTexts {
  readonly summary: string;
  readonly description: string;
  readonly labels: EventExtras['labels'];
}

/** A half-open span of time: it includes `from` and excludes `to`. */
export interface Window {
  readonly from: Temporal.Instant;
  readonly to: Temporal.Instant;
}

/** Whether a span overlaps the window. A span without length counts at its start. */
export function overlaps(
  span: { start: Temporal.Instant; end: Temporal.Instant },
  { from, to }: Window,
): boolean {
  const begins = Temporal.Instant.compare(span.start, to) < 0;
  const ends = Temporal.Instant.compare(span.end, from);
  return begins && (ends > 0 || (ends === 0 && span.start.equals(span.end)));
}

/** Names one instance within a calendar. */
export const eventKey = (uid: string, recurrenceId: string | undefined): string =>
  recurrenceId === undefined ? uid : `${uid}\n${recurrenceId}`;
