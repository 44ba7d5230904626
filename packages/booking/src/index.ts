export {
  LABELS,
  identify,
  isDerivedAccession,
  labelKey,
  WALK_IN,
  type Booking,
  type BookingSource,
  type Labels,
} from './booking.ts';
export {
  encodeBookingRecord,
  encodeExamRecord,
  encodeRejected,
  examSummaryFromHead,
  isObject,
  joinExamRecord,
  parseBookingRecord,
  parseExamRecord,
  parseExamSummary,
  parseRejected,
  type BookingChange,
  type BookingRecord,
  type ExamItem,
  type ExamLink,
  type ExamRecord,
  type ExamSeries,
  type ExamState,
  type ExamSummary,
  type Parsed,
  type Rejected,
} from './records.ts';
export { likelyBookings, type Clues, type Likely, type Sign, type Slot } from './likely.ts';
export { compilePattern, PatternTooSlow, type Matcher, type Pattern } from './pattern/pattern.ts';
export { flagBookings, type History } from './interpret/across.ts';
export { checkLabels } from './interpret/check.ts';
export { interpret, unreadable } from './interpret/interpret.ts';
export { labelProblem, type LabelRules } from './interpret/rules.ts';
export { LANGUAGES, withLanguages, type Language } from './interpret/words.ts';
export { REJECT_CODES, rowOf, SKIP_CODES, warn, warning, WARNING_CODES } from './interpret/outcome.ts';
export type { BookedOutcome, Note, Outcome, OutcomeRow } from './interpret/outcome.ts';
export { parseProjects, type Projects } from './interpret/projects.ts';
export type { BookableEvent, BookingRules, ScannerRule, UnreadableEvent } from './interpret/rules.ts';
export { wholeLabels } from './interpret/title.ts';
