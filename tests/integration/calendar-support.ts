/** Calendars and what must become of them: the form of tests/fixtures/calendar. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defined } from '@scanflow/failure/defined';
import type { CalendarEvent, ReadCalendar } from '@scanflow/calendar';

/** An event without what is usual: confirmed, opaque, public, with times, without texts. */
export type EventOutcome = Readonly<Record<string, unknown>> & {
  readonly uid: string;
  readonly start: string;
};

export interface ProblemOutcome {
  readonly uid?: string;
  readonly recurrenceId?: string;
  readonly code: string;
}

export interface Outcome {
  readonly events?: readonly EventOutcome[];
  readonly problems?: readonly ProblemOutcome[];
  /** Code of the feed error. */
  readonly error?: string;
}

/** A `.bookings.json` file. */
export interface Expected extends Outcome {
  /** What the fixture is about, and where the expectation comes from. */
  readonly note: string;
  readonly window: { readonly from: string; readonly to: string };
  /** IANA zone of the scanner. */
  readonly zone: string;
}

export async function readExpected(folder: string, name: string): Promise<Expected> {
  return JSON.parse(await readFile(join(folder, `${name}.bookings.json`), 'utf8')) as Expected;
}

export function outcomeOf(read: ReadCalendar): Outcome {
  if (!read.ok) return { error: read.error.code };
  const problems = read.content.problems.map(({ uid, recurrenceId, code }) => ({
    ...defined({ uid }),
    code,
    ...defined({ recurrenceId }),
  }));
  return { events: read.content.events.map(eventOutcome).sort(byStart), problems };
}

const USUAL: Readonly<Record<string, unknown>> = {
  allDay: false,
  summary: '',
  description: '',
  status: 'CONFIRMED',
  transparency: 'OPAQUE',
  class: 'PUBLIC',
};

function eventOutcome({ start, end, attendees, ...rest }: CalendarEvent): EventOutcome {
  const unusual = Object.entries(rest).filter(([name, value]) => USUAL[name] !== value);
  return {
    ...Object.fromEntries(unusual),
    uid: rest.uid,
    start: start.toString(),
    end: end.toString(),
    ...(attendees.length === 0 ? {} : { attendees }),
  };
}

/** Order of events in an outcome: start, then UID. */
export const byStart = (a: EventOutcome, b: EventOutcome): number =>
  `${a.start} ${a.uid}` < `${b.start} ${b.uid}` ? -1 : 1;
