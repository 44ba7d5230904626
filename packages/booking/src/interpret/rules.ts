/** How one calendar's events are to be understood: the facility's settings, ready to use. */
import type { LabelRules } from './label-rules.ts';
import type { Vocabulary, PartialLabels } from './labels.ts';
import type { Projects } from './projects.ts';

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
