export type { BookableEvent, UnreadableEvent } from './event.ts';
export { REJECT_CODES, SKIP_CODES, WARNING_CODES, warning } from './codes.ts';
export { flagBookings, type History } from './across.ts';
export { interpret, unreadable } from './interpret.ts';
export { noteOf, warn, type BookedOutcome, type Note, type Outcome } from './outcome.ts';
export type { BookingRules, ScannerRule } from './rules.ts';
export type { LabelName, PartialLabels } from './labels.ts';
export type { NormaliseRule, NormaliseRules } from './normalise.ts';
export { parseProjects } from './projects.ts';
