/** What is wrong with one event. It does not affect other events. */

export interface EventProblem {
  /** UID, if the event has one. */
  readonly uid?: string;
  /** Original start of the instance that the event would replace, as a UTC instant. The reader leaves that instance out. */
  readonly recurrenceId?: string;
  readonly code: string;
  /** A sentence for the person who booked or runs the calendar. */
  readonly message: string;
  /** Start of the event or of the first instance of its series, as a UTC instant, if readable. */
  readonly start?: string;
  /** Title, for the person who looks for the event. Do not log it. */
  readonly summary?: string;
}

/** An error of one event. This package throws it, and catches it per UID. */
export class EventError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'EventError';
    this.code = code;
  }
}
