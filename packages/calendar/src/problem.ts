/** What is wrong with one event; it never costs another. */

export interface EventProblem {
  /** UID, where the event has one. */
  readonly uid?: string;
  /** Original start of the instance that the event would replace, as a UTC instant. That instance is not shown. */
  readonly recurrenceId?: string;
  readonly code: string;
  /** A sentence for the person who booked or runs the calendar. */
  readonly message: string;
  /** When it begins, as a UTC instant, where that can be read; of a series its first instance. */
  readonly start?: string;
  /** Title, for the person who looks for the event. Never to be logged. */
  readonly summary?: string;
}

/** Thrown inside this package while one event is read; caught per UID. */
export class EventError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'EventError';
    this.code = code;
  }
}
