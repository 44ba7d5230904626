/** What becomes of an event, told to machines by a code and to people by a sentence. */
import type { Booking, Labels } from '../booking.ts';
import type { BookingRecord } from '../booking-record.ts';

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

const GOOD: Note = { code: 'BOOKING', reason: 'The booking goes to the worklist.' };

/** Code and reason of a booking with these warnings. */
export function noteOf(warnings: readonly Note[]): Note {
  const [first] = warnings;
  if (first === undefined) return GOOD;
  return { code: first.code, reason: warnings.map(({ reason }) => reason).join(' ') };
}

/** The booking with one more warning; each code once. */
export function warn(outcome: BookedOutcome, ...notes: readonly Note[]): BookedOutcome {
  const known = new Set(outcome.warnings.map(({ code }) => code));
  const fresh = notes.filter(({ code }) => !known.has(code) && known.add(code));
  if (fresh.length === 0) return outcome;
  const warnings = [...outcome.warnings, ...fresh];
  return { ...outcome, warnings, ...noteOf(warnings) };
}
