/** What interpretation asks of a calendar event. The events of packages/calendar are such; no I/O, no parser here. */
import type { PartialLabels } from './groups.ts';

export interface BookableEvent {
  readonly uid: string;
  /** Original start of an instance, a UTC instant; absent for a single event and the first of a series. */
  readonly recurrenceId?: string;
  /** Texts as Scanflow 0.1.0 read them, where it read one otherwise: bookings may be published under them. */
  readonly formerTexts?: {
    readonly summary: string;
    readonly description: string;
    readonly labels: PartialLabels | undefined;
  };
  readonly start: Temporal.Instant;
  readonly end: Temporal.Instant;
  readonly allDay: boolean;
  readonly summary: string;
  readonly description: string;
  readonly location?: string;
  readonly organizer?: string;
  readonly attendees: readonly string[];
  /** Mail addresses of who booked: that of the organizer, or of those who attend where there is no organizer. */
  readonly bookers?: readonly string[];
  /** CATEGORIES, and the names and addresses of attendees that are rooms or resources. */
  readonly categories?: readonly string[];
  readonly resources?: readonly string[];
  /** Values of X-DICOM-PROJECT, X-DICOM-SUBJECT and X-DICOM-SESSION. */
  readonly labels?: PartialLabels;
  readonly status: 'CONFIRMED' | 'TENTATIVE' | 'CANCELLED';
  readonly transparency: 'OPAQUE' | 'TRANSPARENT';
  readonly class: 'PUBLIC' | 'PRIVATE' | 'CONFIDENTIAL';
}

/** An event that could not be read. */
export interface UnreadableEvent {
  readonly uid?: string;
  readonly recurrenceId?: string;
  readonly code: string;
  readonly message: string;
  readonly summary?: string;
  /** A UTC instant. */
  readonly start?: string;
}
