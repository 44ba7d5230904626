/** What becomes of an event, told to machines by a code and to people by a sentence. docs/booking-reference.md explains each code. */
import type { Booking, Labels } from '../booking.ts';
import { defined } from '@scanflow/failure/defined';
import type { BookingRecord } from '../records.ts';

/** A code that stays the same when sentences change, and a sentence for the person who booked. */
export interface Note {
  readonly code: string;
  readonly reason: string;
}

interface Told extends Note {
  readonly uid?: string;
  readonly recurrenceId?: string;
  readonly start?: Temporal.Instant;
  readonly end?: Temporal.Instant;
  readonly summary?: string;
  /** Key of the scanner, where it is known. */
  readonly scanner?: string;
  /** Mail addresses of who booked, in small letters; unproven. */
  readonly bookers?: readonly string[];
}

export interface BookedOutcome extends Told {
  readonly outcome: 'booking';
  readonly booking: Booking;
  readonly record: BookingRecord;
  /** What somebody should look at, though the booking is taken. `code` is that of the first one, else `BOOKING`. */
  readonly warnings: readonly Note[];
  /** The labels as 0.1.0 read the same event, where those were others: its booking may be published under them. */
  readonly formerLabels?: Labels;
  /** The title as 0.1.0 read it, where that was another. */
  readonly formerTitle?: string;
}

export type Outcome = BookedOutcome | (Told & { readonly outcome: 'skipped' | 'rejected' });

/** An outcome for a page or a table. Times are UTC instants; unknown values are absent. */
export interface OutcomeRow extends Note {
  readonly outcome: Outcome['outcome'];
  readonly scanner?: string;
  readonly uid?: string;
  readonly recurrenceId?: string;
  readonly start?: string;
  readonly end?: string;
  readonly summary?: string;
  readonly project?: string;
  readonly subject?: string;
  readonly session?: string;
  readonly accessionNumber?: string;
  readonly studyInstanceUid?: string;
}

/** The outcome as a row; of a booking, the times are those of its record. */
export function rowOf(one: Outcome): OutcomeRow {
  const { outcome, code, reason, scanner, uid, recurrenceId, start, end, summary } = one;
  const record = one.outcome === 'booking' ? one.record : undefined;
  return {
    outcome,
    code,
    reason,
    ...defined({
      scanner,
      uid,
      recurrenceId,
      start: record?.start ?? start?.toString(),
      end: record?.end ?? end?.toString(),
      summary,
    }),
    ...record?.labels,
    ...defined({ accessionNumber: record?.accessionNumber, studyInstanceUid: record?.studyInstanceUid }),
  };
}

const GOOD: Note = { code: 'BOOKING', reason: 'The booking goes to the worklist.' };

/** Code and reason of a booking with these warnings. */
export function noteOf(warnings: readonly Note[]): Note {
  const [first] = warnings;
  if (first === undefined) return GOOD;
  return { code: first.code, reason: warnings.map(({ reason }) => reason).join(' ') };
}

/** The booking with further warnings. A code that it has already is not added again. */
export function warn(outcome: BookedOutcome, ...notes: readonly Note[]): BookedOutcome {
  const known = new Set(outcome.warnings.map(({ code }) => code));
  const fresh = notes.filter(({ code }) => !known.has(code) && known.add(code));
  if (fresh.length === 0) return outcome;
  const warnings = [...outcome.warnings, ...fresh];
  return { ...outcome, warnings, ...noteOf(warnings) };
}

export const SKIP_CODES = [
  'ALL_DAY',
  'BUSY_SKIPPED',
  'CANCELLED',
  'CANCELLED_TITLE',
  'FREE',
  'LONG_BLOCK',
  'MAINTENANCE',
  'OTHER_PLACE',
  'PRIVATE_SKIPPED',
  'TENTATIVE',
] as const;

export const REJECT_CODES = [
  'CONTRADICTION',
  'ID_TOO_LONG',
  'INCOMPLETE',
  'LABEL_CHARACTERS',
  'LABEL_FORM',
  'LABEL_LOOKALIKE',
  'LABEL_RESERVED',
  'LABEL_TOO_LONG',
  'LETTER_O',
  'NO_DETAILS',
  'NO_LABELS',
  'PATTERN_SLOW',
  'PRIVATE_REFUSED',
  'PROJECT_ENDED',
  'PROJECT_NOT_HERE',
  'PROJECT_NOT_YET',
  'PROJECT_NOT_YOURS',
  'PROJECT_UNKNOWN',
  'SCANNER_AMBIGUOUS',
  'SCANNER_UNKNOWN',
  'SUBJECT_NO_CODE',
  'SUBJECT_OPEN',
  'TENTATIVE_REFUSED',
  'TITLE_FORM',
  'TWO_LABELS',
  'TWO_SUBJECTS',
] as const;

export const WARNING_CODES = [
  'BOOKED_TWICE',
  'FROZEN',
  'LOOKALIKE',
  'LONG_BOOKING',
  'NORMALISED',
  'NO_LENGTH',
  'OVERLAP',
  'RENUMBERED',
  'REREAD',
  'SAME_SLOT',
  'SESSION_SHORTENED',
  'SIMILAR_SUBJECT',
  'TEXT_REPLACED',
  'TEXT_SHORTENED',
  'TITLE_GOES_ON',
  'USED_BEFORE',
] as const;

type SkipCode = (typeof SKIP_CODES)[number];
export type RejectCode = (typeof REJECT_CODES)[number];
type WarningCode = (typeof WARNING_CODES)[number];

export type Verdict = Note & { readonly outcome: 'skipped' | 'rejected' };

export const skip = (code: SkipCode, reason: string): Verdict => ({ outcome: 'skipped', code, reason });
export const reject = (code: RejectCode, reason: string): Verdict => ({ outcome: 'rejected', code, reason });
/** Something that a person should look at, of an event that still becomes a booking. */
export const warning = (code: WarningCode, reason: string): Note => ({ code, reason });
