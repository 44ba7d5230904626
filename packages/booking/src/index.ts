export type { Booking, BookingSource, Labels } from './booking.ts';
export { identify, type Identity } from './identity.ts';
export { encodeRecord, parseRecord, type BookingRecord, type ParsedRecord } from './record.ts';
export { encodePerformed, joinPerformed, parsePerformed, type ParsedPerformed } from './performed.ts';
export type {
  PerformedItem,
  PerformedLink,
  PerformedRecord,
  PerformedSeries,
  PerformedState,
} from './performed.ts';
export { PatternTooSlow } from './pattern/backtracking.ts';
export { compilePattern, type Match, type Matcher, type Pattern } from './pattern/pattern.ts';
export * from './interpret/index.ts';
