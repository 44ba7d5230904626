export type { Booking, BookingSource, LabelName, Labels, PartialLabels } from './booking.ts';
export { identify, isDerivedAccession, type Identity } from './identity.ts';
export {
  encodeBookingRecord,
  encodeRejected,
  parseBookingRecord,
  parseRejected,
  type BookingRecord,
  type ParsedBookingRecord,
  type Rejected,
} from './booking-record.ts';
export {
  encodeExamRecord,
  examSummaryFromHead,
  joinExamRecord,
  parseExamRecord,
  parseExamSummary,
  type ParsedExamRecord,
} from './exam-record.ts';
export type { ExamItem, ExamLink, ExamRecord, ExamSeries, ExamState, ExamSummary } from './exam-record.ts';
export { compilePattern, PatternTooSlow, type Match, type Matcher, type Pattern } from './pattern/pattern.ts';
export { flagBookings, type History } from './interpret/across.ts';
export { checkLabels } from './interpret/check.ts';
export { interpret, unreadable } from './interpret/interpret.ts';
export { labelProblem, type LabelProblem, type LabelRules } from './interpret/label-rules.ts';
export { LABEL_WORDS, LANGUAGES, withLanguages, type Language } from './interpret/languages.ts';
export {
  noteOf,
  REJECT_CODES,
  rowOf,
  SKIP_CODES,
  warn,
  warning,
  WARNING_CODES,
} from './interpret/outcome.ts';
export type { BookedOutcome, Note, Outcome, OutcomeRow } from './interpret/outcome.ts';
export { parseProjects, type ParsedProjects, type ProjectRule, type Projects } from './interpret/projects.ts';
export type {
  BookableEvent,
  BookingRules,
  NormaliseRule,
  NormaliseRules,
  ScannerRule,
  UnreadableEvent,
} from './interpret/rules.ts';
export { wholeLabels } from './interpret/title.ts';
