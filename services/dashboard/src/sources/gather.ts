/** Asks the other services for what a page needs. A service that does not answer leaves its part away, not the page broken. */
import { createHash } from 'node:crypto';
import type { DayExam, DayFacts } from '../day/facts.ts';
import { isAway, type Away } from '../journey/facts.ts';
import {
  bookingsAnswer,
  calendarsAnswer,
  outcomesAnswer,
  performedAnswer,
  worklistAnswer,
  type CalendarAnswer,
  type OutcomeAnswer,
} from './answers.ts';
import { sessionsAnswer, type SessionsAnswer } from './streamer-answers.ts';
import { createDays, shared } from './day.ts';
import { bookingsOf, examsOf, itemsOf, sessionsOf } from './read.ts';
import { asked, type Services } from './service.ts';

export { asked, askedEach, type Services } from './service.ts';

/** What all services know of one booking, exam or session. */
export interface Found extends Pick<DayFacts, 'bookings' | 'items' | 'exams' | 'sessions'> {
  /** As the streamer answers: series with their numbers and descriptions. */
  readonly answer: SessionsAnswer | Away;
}

/** What the calendars say now, and what cal2wl made of it. */
export interface CalendarFacts {
  /** When it was asked: ages count from there. Epoch milliseconds. */
  readonly at: number;
  readonly calendars: readonly CalendarAnswer[] | Away;
  readonly events: Readonly<Record<'rejected' | 'bookings' | 'skipped', readonly OutcomeAnswer[]>> | Away;
}

export interface Gatherer {
  /** What all services know of a day. Never rejects. Who asks between two changes gets the same answer. */
  readonly day: (day: Temporal.PlainDate) => Promise<DayFacts>;
  /** Never rejects. Who asks between two changes gets the same answer. */
  readonly calendars: () => Promise<CalendarFacts>;
  /** By accession number, Study UID, path, or the ID of a session, a series, an exam or an event. Never rejects. */
  readonly find: (text: string) => Promise<Found>;
  /** One page of a service, or since when it does not answer. `name`: of the part. */
  readonly part: <T>(name: string, read: () => Promise<T>) => Promise<T | Away>;
  /** A text that differs after each change that pages show. Never rejects. */
  readonly mark: () => Promise<string>;
}

export interface GatherOptions {
  readonly services: Services;
  readonly timezone: string;
  readonly scanners: readonly string[];
  readonly now: () => number;
  /** A part that could not be read, for the log. */
  readonly onAway: (part: string, error: unknown) => void;
  /** Differs after each change that pages show; undefined while changes may go unheard. Default: always. */
  readonly revision?: () => number | undefined;
}

export function createGatherer(options: GatherOptions): Gatherer {
  const { services, now, onAway, revision = () => undefined } = options;
  const { cal2wl, worklist, streamer } = services;
  const part = parts(now, onAway);
  const items = () =>
    part('items', async () => itemsOf(await asked(worklist, '/api/worklist', worklistAnswer)));
  return {
    part,
    day: createDays({ ...options, part, items, revision }),
    calendars: shared(
      () => calendarFacts(cal2wl, part, now),
      { now, revision },
      ({ calendars, events }) => !isAway(calendars) && !isAway(events),
    ),
    find: (text) => find(text, { services, part, items }),
    mark: async () => {
      const pages = [
        cal2wl.ask('/api/bookings'),
        worklist.ask('/api/worklist'),
        worklist.ask('/api/performed'),
        streamer.ask('/api/board/mark'),
      ];
      const hash = createHash('sha256');
      for (const answer of await Promise.allSettled(pages))
        hash.update(answer.status === 'fulfilled' ? JSON.stringify(answer.value, unlessTime) : 'away');
      return hash.digest('base64');
    },
  };
}

async function calendarFacts(
  cal2wl: Services['cal2wl'],
  part: Gatherer['part'],
  now: () => number,
): Promise<CalendarFacts> {
  const at = now();
  const [calendars, events] = await Promise.all([
    part('calendars', async () => (await asked(cal2wl, '/api/calendars', calendarsAnswer)).calendars),
    part('events', () => asked(cal2wl, '/api/bookings', outcomesAnswer)),
  ]);
  return { at, calendars, events };
}

/** The time of cal2wl's last pass changes with each pass, and pages do not show it. */
const unlessTime = (key: string, value: unknown): unknown =>
  key === 'at' || key === 'from' || key === 'to' ? undefined : value;

/** Reads a part; one that cannot be read is away since its first silence, and is logged once. */
function parts(now: () => number, onAway: GatherOptions['onAway']): Gatherer['part'] {
  const since = new Map<string, number>();
  return async (name, read) => {
    try {
      const value = await read();
      since.delete(name);
      return value;
    } catch (error) {
      if (!since.has(name)) onAway(name, error);
      const first = since.get(name) ?? now();
      since.set(name, first);
      return { since: first };
    }
  };
}

interface Finding {
  readonly services: Services;
  readonly part: Gatherer['part'];
  readonly items: () => Promise<DayFacts['items']>;
}

async function find(text: string, { services, part, items }: Finding): Promise<Found> {
  const { cal2wl, worklist, streamer } = services;
  const bookingsBy = (key: string): Promise<DayFacts['bookings']> =>
    part('bookings', async () =>
      bookingsOf(await asked(cal2wl, `/api/board/bookings?find=${encodeURIComponent(key)}`, bookingsAnswer)),
    );
  const sessionsBy = (key: string): Promise<SessionsAnswer | Away> =>
    part('sessions', () =>
      asked(streamer, `/api/board/find?text=${encodeURIComponent(key)}`, sessionsAnswer),
    );
  const allExams = await part('exams', async () =>
    examsOf(await asked(worklist, '/api/performed', performedAnswer), EVER),
  );
  const exam = isAway(allExams) ? undefined : allExams.find(({ id }) => id === text);
  const key = exam?.accessionNumbers[0] ?? exam?.studyInstanceUids[0] ?? text;
  const [first, second, listed] = await Promise.all([bookingsBy(key), sessionsBy(key), items()]);
  // each may know the other by its accession number alone
  const accession = accessionOf(first) ?? accessionIn(second);
  const known = accession === undefined || accession === key;
  const bookings = known || hasSome(first) ? first : await bookingsBy(accession);
  const answer =
    known || (!isAway(second) && second.sessions.length > 0) ? second : await sessionsBy(accession);
  const exams = isAway(allExams)
    ? allExams
    : allExams.filter((one) => one === exam || isExamOf(one, accession, answer));
  return { bookings, items: listed, exams, answer, sessions: isAway(answer) ? answer : sessionsOf(answer) };
}

function isExamOf(exam: DayExam, accession: string | undefined, answer: SessionsAnswer | Away): boolean {
  if (accession !== undefined && exam.accessionNumbers.includes(accession)) return true;
  const studies = isAway(answer) ? [] : answer.sessions.flatMap((one) => one.studyInstanceUids);
  return exam.studyInstanceUids.some((uid) => studies.includes(uid));
}

const EVER = { from: -Infinity, to: Infinity };

const accessionOf = (bookings: DayFacts['bookings']): string | undefined =>
  isAway(bookings) ? undefined : bookings.find((one) => one.accessionNumber !== undefined)?.accessionNumber;

const accessionIn = (answer: SessionsAnswer | Away): string | undefined =>
  isAway(answer) ? undefined : answer.sessions.find((one) => one.accessionNumber !== '')?.accessionNumber;

const hasSome = (part: readonly unknown[] | Away): boolean => !isAway(part) && part.length > 0;
