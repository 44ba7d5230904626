/** Every code that interpretation gives. docs/booking.md tells each of them to bookers; a test compares the two. */
import type { Note } from './outcome.ts';

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

export type SkipCode = (typeof SKIP_CODES)[number];
export type RejectCode = (typeof REJECT_CODES)[number];
export type WarningCode = (typeof WARNING_CODES)[number];

export type Verdict = Note & { readonly outcome: 'skipped' | 'rejected' };

export const skip = (code: SkipCode, reason: string): Verdict => ({ outcome: 'skipped', code, reason });
export const reject = (code: RejectCode, reason: string): Verdict => ({ outcome: 'rejected', code, reason });
export const warning = (code: WarningCode, reason: string): Note => ({ code, reason });
