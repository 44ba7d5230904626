/** What is booked: the vocabulary that every part of Scanflow shares. No I/O. */

/** Names that decide where images go. They are chosen by the booker, verbatim: no padding, no case folding. */
export interface Labels {
  readonly project: string;
  readonly subject: string;
  readonly session: string;
}

export type LabelName = keyof Labels;
export type PartialLabels = Readonly<Partial<Labels>>;
export const LABELS: readonly LabelName[] = ['project', 'subject', 'session'];

/** Where a booking was read. */
export interface BookingSource {
  /** Id of the calendar: its key under `calendars:` of the configuration. */
  readonly calendar: string;
  /** iCalendar UID (RFC 5545 3.8.4.7). */
  readonly uid: string;
  /**
   * Which instance of a recurring event: its original start as a UTC instant, `2026-11-22T08:00:00Z`
   * (RFC 5545 3.8.4.4). Absent for a single event and for the first instance of a series, so that a single
   * event that becomes a series keeps its identity.
   */
  readonly recurrenceId?: string;
}

/** One slot of scanner time for one subject. */
export interface Booking {
  /** Key of the scanner under `scanners:` of the configuration. */
  readonly scanner: string;
  readonly start: Temporal.Instant;
  readonly end: Temporal.Instant;
  readonly labels: Labels;
  readonly title: string;
  /** Who booked, as the calendar names them. */
  readonly operator?: string;
  readonly source: BookingSource;
}
