export { eventKey, overlaps, type CalendarEvent, type FeedNote, type Window } from './event.ts';
export { isWholeCalendar } from './feed.ts';
export { readIsolated } from './isolated.ts';
export { toPlain } from './plain.ts';
export { readCalendar, type CalendarContent, type ReadCalendar, type Unreadable } from './read.ts';
export { charsetOfType } from './text.ts';
