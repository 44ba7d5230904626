/** What all services know of a term: bookings, items of the worklist, exams and series, and how they belong together. */
import type { Config } from '@scanflow/config';
import { askPage, notAdmitted, openPeer } from '../installation.ts';
import { askBookings, type BookingRow } from './likely.ts';
import { dayIn } from './many.ts';
import type { SeriesRow } from './client.ts';

export interface ItemRow {
  readonly accessionNumber: string;
  readonly studyInstanceUid?: string;
  readonly patientId?: string;
  readonly title?: string;
  /** As the item says it, in the facility's time. */
  readonly start?: string;
  readonly scanners?: readonly string[];
  /** `scheduled`, or the state of its exam. */
  readonly state?: string;
  /** Why it is no longer shown. */
  readonly why?: string;
}

export interface ExamRow {
  readonly sopInstanceUid: string;
  readonly state: string;
  readonly created: string;
  readonly started?: string;
  readonly scanner?: string | null;
  readonly images?: number;
  readonly items: readonly { readonly accessionNumber: string }[];
  readonly links: readonly {
    readonly accessionNumber: string;
    readonly studyInstanceUids: readonly string[];
  }[];
  readonly series: readonly { readonly seriesInstanceUid: string }[];
}

interface SessionRow {
  readonly accessionNumber: string;
  readonly studyInstanceUids: readonly string[];
  readonly series: readonly SeriesRow[];
}

export interface Everything {
  readonly bookings: readonly BookingRow[];
  readonly items: readonly ItemRow[];
  readonly exams: readonly ExamRow[];
  readonly series: readonly SeriesRow[];
  /** Services that did not answer, and what is missing for that. */
  readonly missing: readonly string[];
}

const TIMEOUT_MS = 30_000;
/** Numbers that are looked up once more in another service. */
const MOST_KEYS = 20;

export interface Asking {
  readonly config: Config;
  /** The service in whose container this runs. */
  readonly own: string | undefined;
  readonly signal: AbortSignal;
}

/** Asks all services. Rejects only when the signal aborts. */
export async function findEverything(term: string, asking: Asking): Promise<Everything> {
  const missing: string[] = [];
  const noted = <T>(found: readonly T[] | { readonly trouble: string }, what: string): readonly T[] => {
    if (!('trouble' in found)) return found;
    missing.push(`${found.trouble}: ${what} are not shown`);
    return [];
  };
  const day = dayIn(term);
  const span = day && spanOf(day, asking.config.facility.timezone);
  const [bookings, sessions, items, exams] = await Promise.all([
    bookingsBy([span ?? { known: term }], asking),
    listOf<SessionRow>(
      'streamer',
      span ? pathOf('sessions', span) : pathOf('find', { known: term }),
      ['sessions'],
      asking,
    ),
    listOf<ItemRow>('worklist', '/api/worklist', ['items', 'left'], asking),
    listOf<ExamRow>('worklist', '/api/performed', ['steps'], asking),
  ]);
  const first = {
    bookings: noted(bookings, 'bookings'),
    sessions: noted(sessions, 'series'),
    items: noted(items, 'items of the worklist'),
    exams: noted(exams, 'exams'),
  };
  const known = related(term, first);
  const more = await furtherOf(known, first, asking);
  const bookingRows = [...first.bookings, ...more.bookings];
  const sessionRows = [...first.sessions, ...more.sessions];
  const all = related(term, { ...known, bookings: bookingRows, sessions: sessionRows, all: first });
  return {
    bookings: bookingRows.toSorted((a, b) => ((a.start ?? '') < (b.start ?? '') ? -1 : 1)),
    items: all.items,
    exams: all.exams,
    series: sessionRows.flatMap(({ series }) => series),
    missing,
  };
}

const spanOf = (
  day: Temporal.PlainDate,
  timezone: string,
): { readonly from: string; readonly to: string } => ({
  from: day.toZonedDateTime(timezone).toInstant().toString(),
  to: day.add({ days: 1 }).toZonedDateTime(timezone).toInstant().toString(),
});

const pathOf = (page: string, query: Readonly<Record<string, string>>): string =>
  `/api/board/${page}?${new URLSearchParams(query).toString()}`;

const bookingsBy = async (
  queries: readonly Readonly<Record<string, string>>[],
  { config, own, signal }: Asking,
): ReturnType<typeof askBookings> => askBookings(await openPeer(config, 'cal2wl', own), queries, signal);

/** Lists of a page as one; or why they cannot be had. */
async function listOf<T>(
  service: 'worklist' | 'streamer',
  path: string,
  keys: readonly string[],
  { config, own, signal }: Asking,
): Promise<readonly T[] | { readonly trouble: string }> {
  const api = await openPeer(config, service, own);
  const page = await askPage(`${api.url}${path}`, signal, { ...api, timeoutMs: TIMEOUT_MS });
  if ('trouble' in page) return { trouble: `${service} does not answer at ${api.url} (${page.trouble})` };
  if (page.status === 401) return { trouble: notAdmitted(api) };
  const lists = keys.map((key) => page.body[key]);
  if (page.status === 200 && lists.every(Array.isArray)) return lists.flat() as T[];
  const { error } = page.body;
  return { trouble: typeof error === 'string' ? error : `${service} at ${api.url} answered ${page.status}` };
}

interface Facts {
  readonly bookings: readonly BookingRow[];
  readonly sessions: readonly SessionRow[];
  readonly items: readonly ItemRow[];
  readonly exams: readonly ExamRow[];
}

/** `all`: items and exams among which to look; default: those of `facts`. */
type Looking = Facts & { readonly all?: Pick<Facts, 'items' | 'exams'> };

/** The items and exams of a term, and of the bookings and sessions that it found. Pure. */
export function related(
  term: string,
  { bookings, sessions, ...facts }: Looking,
): Pick<Facts, 'items' | 'exams'> {
  const { items, exams } = facts.all ?? facts;
  const day = dayIn(term)?.toString();
  const accessions = new Set([
    term,
    ...[...bookings, ...sessions].flatMap((one) => one.accessionNumber || []),
  ]);
  const studies = new Set([
    term,
    ...bookings.flatMap(({ studyInstanceUid = [] }) => studyInstanceUid),
    ...sessions.flatMap(({ studyInstanceUids }) => studyInstanceUids),
  ]);
  return {
    items: items.filter(
      (item) =>
        accessions.has(item.accessionNumber) ||
        studies.has(item.studyInstanceUid ?? '') ||
        item.patientId === term ||
        (day !== undefined && item.start?.startsWith(day) === true),
    ),
    exams: exams.filter(
      (exam) =>
        exam.sopInstanceUid === term ||
        accessionsOf(exam).some((number) => accessions.has(number)) ||
        exam.links.some(({ studyInstanceUids }) => studyInstanceUids.some((uid) => studies.has(uid))) ||
        exam.series.some(({ seriesInstanceUid }) => seriesInstanceUid === term),
    ),
  };
}

export const accessionsOf = ({ items, links }: ExamRow): string[] => [
  ...new Set([...items, ...links].flatMap(({ accessionNumber }) => accessionNumber || [])),
];

/** One service may know the term, and another one only the accession number that goes with it. */
async function furtherOf(
  { items, exams }: Pick<Facts, 'items' | 'exams'>,
  { bookings, sessions }: Facts,
  asking: Asking,
): Promise<Pick<Facts, 'bookings' | 'sessions'>> {
  const having = (rows: readonly { readonly accessionNumber?: string }[]): Set<string> =>
    new Set(rows.flatMap(({ accessionNumber }) => accessionNumber || []));
  const [booked, came] = [having(bookings), having(sessions)];
  const others = [...items.map(({ accessionNumber }) => accessionNumber), ...exams.flatMap(accessionsOf)];
  const lacking = (known: ReadonlySet<string>): string[] =>
    [...new Set([...booked, ...came, ...others])].filter((number) => !known.has(number)).slice(0, MOST_KEYS);
  const moreBookings = await bookingsBy(
    lacking(booked).map((find) => ({ find })),
    asking,
  );
  const moreSessions = await Promise.all(
    lacking(came).map((text) =>
      listOf<SessionRow>('streamer', pathOf('find', { text }), ['sessions'], asking),
    ),
  );
  return {
    bookings: 'trouble' in moreBookings ? [] : moreBookings,
    sessions: moreSessions.flatMap((found) => ('trouble' in found ? [] : found)),
  };
}
