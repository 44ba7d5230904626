export type { Booking, BookingSource, Labels } from './booking.ts';
export { identify, isDerivedAccession, type Identity } from './identity.ts';
export { encodeRejected, parseRejected, type Rejected } from './rejected.ts';
export {
  encodeBookingRecord,
  parseBookingRecord,
  type BookingRecord,
  type ParsedBookingRecord,
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
export { PatternTooSlow } from './pattern/backtracking.ts';
export { compilePattern, type Match, type Matcher, type Pattern } from './pattern/pattern.ts';
export * from './interpret/index.ts';
