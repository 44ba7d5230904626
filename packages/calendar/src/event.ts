/** What the reader of a calendar returns: events, what is wrong with one event, and oddities of the feed. */
import type { BookableEvent } from '@scanflow/booking';

/** One event, or one instance of a recurring event, with its time as instants. */
export interface CalendarEvent extends BookableEvent {
  /** The `recurrenceId` of Scanflow 0.1.0, if it read the time zone differently. */
  readonly formerRecurrenceId?: string;
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

/**
 * A text that names one instance within a calendar: the UID, and of a recurring event the original start.
 *
 * @param recurrenceId original start of the instance as a UTC instant; undefined for an event that does not recur
 */
export const eventKey = (uid: string, recurrenceId: string | undefined): string =>
  recurrenceId === undefined ? uid : `${uid}\n${recurrenceId}`;

/** An error of one event. This package throws it, and catches it per UID. */
export class EventError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'EventError';
    this.code = code;
  }
}

type FeedNoteCode = 'FEED_SECOND_BOM' | 'FEED_TEXT_AROUND' | 'FEED_INDENTED' | 'FEED_NOT_UTF8';

/** A code, and a sentence for the people who run the calendar. */
export interface FeedNote {
  readonly code: FeedNoteCode;
  readonly message: string;
}

const MESSAGES: Readonly<Record<FeedNoteCode, string>> = {
  FEED_SECOND_BOM:
    'The calendar has a byte order mark more than its first one. It was read without them. Let the program that puts it together leave them out.',
  FEED_TEXT_AROUND:
    'There is text outside the calendar, such as an error message of the program that makes it. The calendar in it was read. Open its address in a browser, and mend what the text says.',
  FEED_INDENTED:
    'The lines of the calendar are indented, which RFC 5545 does not allow. They were read without their indentation. Let the program that makes it write lines from their first column.',
  FEED_NOT_UTF8:
    'Some lines of the calendar are not UTF-8. They were read in the character set that was declared, else as Windows-1252. Check names with accents, and let the program that makes it write UTF-8.',
};

export const note = (code: FeedNoteCode): FeedNote => ({ code, message: MESSAGES[code] });
