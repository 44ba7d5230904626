/** What interpretation takes: a calendar event, and the facility's settings, ready to use. Types only. */
import type { LabelRules } from './label-rules.ts';
import type { LabelName, Labels, PartialLabels } from '../booking.ts';
import type { Matcher } from '../pattern/pattern.ts';
import type { Projects } from './projects.ts';

/** Rewrites labels, only ever as the configuration spells it out. */
export interface NormaliseRule {
  readonly case?: 'lower' | 'upper' | undefined;
  /** Put in front where the label does not begin with it, such as `sub-`. */
  readonly prefix?: string | undefined;
  /** The number at the end is filled up with zeros to this many digits. */
  readonly pad?: number | undefined;
}

export type NormaliseRules = Readonly<Partial<Record<keyof Labels, NormaliseRule | undefined>>>;

export interface Vocabulary {
  /** Over SUMMARY, with the named groups project, subject and session; the first that matches counts. */
  readonly patterns: readonly Matcher[];
  /** The words before the colon in lines of the description; case does not matter. */
  readonly keys: Readonly<Record<LabelName, readonly string[]>>;
  readonly normalise: NormaliseRules;
  /** DICOM modality by key of the scanner; its key may stand in front of a title. */
  readonly modalities: Readonly<Record<string, string>>;
}

export type ScannerRule =
  | { readonly name: string }
  | {
      /** What of the event names the scanner. */
      readonly by: 'location' | 'categories' | 'resource';
      /** Text of the calendar → key of the scanner; case does not matter. */
      readonly map: Readonly<Record<string, string>>;
      /** For events that name none of them: a scanner, or what becomes of the event. */
      readonly otherwise: { readonly name: string } | 'skip' | 'reject';
    };

export interface BookingRules extends Vocabulary {
  /** Key of the calendar in the configuration; part of each booking's identity. */
  readonly calendar: string;
  readonly scanner: ScannerRule;
  /** Labels that may be left out, and what they are then. */
  readonly defaults: PartialLabels;
  /** The only projects that are taken; undefined: any. */
  readonly projects?: Projects | undefined;
  /** What labels may be; undefined: as 0.1.0 judged them. */
  readonly labels?: LabelRules | undefined;
  /** IANA zone of the facility, in which projects begin and end. */
  readonly zone: string;
  readonly tentative: 'skip' | 'take' | 'reject';
  /** Events marked as private or confidential, where they show their labels. */
  readonly private: 'skip' | 'take' | 'reject';
  /** Events without details, “Busy”. */
  readonly busy: 'skip' | 'reject';
  /** Milliseconds of a booking whose event has no length. */
  readonly defaultLength: number;
  /** Templates with `{project}`, `{subject}` and `{session}`. */
  readonly patientId: string;
  readonly patientName: string;
}

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
  /** Name of the organizer, or the address if there is no name. */
  readonly organizer?: string;
  readonly attendees: readonly string[];
  /**
   * Mail addresses of who booked: that of the organizer, or of those who attend where there is no organizer. An organizer may
   * invite anybody, so guests do not count beside one.
   */
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
  /** Original start of the instance that it would replace, a UTC instant. That instance is left out. */
  readonly recurrenceId?: string;
  readonly code: string;
  /** A sentence for the person who booked or runs the calendar. */
  readonly message: string;
  /** For the person who looks for the event. Do not log it. */
  readonly summary?: string;
  /** A UTC instant. */
  readonly start?: string;
}
