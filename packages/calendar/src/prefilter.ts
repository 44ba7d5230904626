/** Sorting out, by the text alone, the many single events of a calendar that lie far outside the window. */
import type { Window } from './event.ts';
import type { EventBlock } from './feed.ts';

/** Days around the window within which time zones and lengths are looked at exactly. */
const MARGIN = Temporal.Duration.from({ days: 2 });
/** What an event must be parsed for: recurrence, lengths, cancellation. */
const NEEDS_READING = /^(?:RRULE|RDATE|EXDATE|RECURRENCE-ID|DURATION|STATUS:CANCEL)/i;
const PLAIN_TIME = /^DT(START|END)(?:;[^:"]*)?:(\d{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))(?:T\d{6}Z?)?$/;

/** Tells for a block its UID when it is a plain single event outside the window for certain, else undefined. */
export function farOutside(window: Window): (block: EventBlock) => string | undefined {
  const day = (instant: Temporal.Instant): string =>
    instant.toZonedDateTimeISO('UTC').toPlainDate().toString().replaceAll('-', '');
  const [first, last] = [day(window.from.subtract(hours(MARGIN))), day(window.to.add(hours(MARGIN)))];
  return ({ lines, context }) => {
    if (context.method === 'CANCEL') return undefined;
    const { uid, start, end = start } = outline(lines);
    if (uid === undefined || start === undefined || end === undefined || end < start) return undefined;
    return start > last || end < first ? uid : undefined;
  };
}

const hours = (days: Temporal.Duration): Temporal.Duration =>
  Temporal.Duration.from({ hours: days.days * 24 });

interface Outline {
  uid?: string;
  start?: string;
  end?: string;
}

/** Nothing where a line needs reading, or a property stands there twice. */
function outline(lines: readonly string[]): Outline {
  const found: Outline = {};
  for (const line of lines) {
    if (NEEDS_READING.test(line)) return {};
    if (line.startsWith('UID:')) found.uid ??= line.slice(4).trim();
    if ((line.startsWith('DTSTART') || line.startsWith('DTEND')) && !takeTime(line, found)) return {};
  }
  return found.uid === '' ? {} : found;
}

/** False when the line is no plain time, or the second of its name. */
function takeTime(line: string, found: Outline): boolean {
  const [, name, date] = PLAIN_TIME.exec(line) ?? [];
  const key = name === 'START' ? 'start' : 'end';
  if (date === undefined || found[key] !== undefined) return false;
  found[key] = date;
  return true;
}
