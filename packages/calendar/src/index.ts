export { charsetOfType } from './charset.ts';
export type { EventClass, EventStatus } from './event.ts';
export { eventKey, overlaps, type CalendarEvent, type FormerTexts, type Window } from './event.ts';
export type { FeedError } from './feed.ts';
export { isWholeCalendar } from './feed.ts';
export type { FeedNote } from './event.ts';
export { toPlain } from './plain.ts';
export type { EventProblem } from './event.ts';
export {
  readCalendar,
  type CalendarContent,
  type ReadCalendar,
  type ReadOptions,
  type Unreadable,
} from './read.ts';
export { readIsolated, type IsolatedOptions } from './isolated.ts';
