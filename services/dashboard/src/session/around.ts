/** What stands around a session on its page: earlier bookings of its events, bookings that fit what is quarantined, and what people did. */
import { likelyBookings, type Likely } from '@scanflow/booking';
import { mayDo, type Person } from '../access/roles.ts';
import type { DayBooking } from '../day/facts.ts';
import { seenBy } from '../day/seen.ts';
import { isAway } from '../journey/facts.ts';
import { bookingsAnswer } from '../sources/answers.ts';
import { destinationsAnswer, quarantinedAnswer } from '../sources/streamer-answers.ts';
import { asked, type Found, type Gatherer, type Services } from '../sources/gather.ts';
import { bookingsOf } from '../sources/read.ts';
import type { Access } from '../web/request.ts';
import type { Around } from './events.ts';

export interface AroundOptions extends Access {
  readonly gatherer: Gatherer;
  readonly services: Services;
  /** The scanner of an AE title. */
  readonly scannerOf: ReadonlyMap<string, string>;
}

/** Bookings of the same events under other accession numbers, as far as the person may see them. */
export async function historyOf(
  { bookings }: Found,
  person: Person,
  { gatherer, services }: AroundOptions,
): Promise<DayBooking[]> {
  if (isAway(bookings)) return [];
  const own = new Set(bookings.map(({ accessionNumber }) => accessionNumber));
  const events = [...new Set(bookings.map(({ id }) => id))].slice(0, MOST_EVENTS);
  const all = await Promise.all(
    events.map((event) =>
      gatherer.part('history', async () =>
        bookingsOf(
          await asked(
            services.cal2wl,
            `/api/board/bookings?find=${encodeURIComponent(event)}`,
            bookingsAnswer,
          ),
        ),
      ),
    ),
  );
  const others = all
    .flatMap((part) => (isAway(part) ? [] : part))
    .filter(({ accessionNumber }) => accessionNumber !== undefined && !own.has(accessionNumber));
  const seen = seenBy(person, { bookings: others, exams: [], sessions: [] }).bookings;
  return isAway(seen) ? [] : seen.toSorted((a, b) => a.start - b.start);
}

/** Events, and quarantined series, of one page. */
const MOST_EVENTS = 5;
const MOST_LIKELY = 20;
const DAY_MS = 86_400_000;

/** For whoever may release them: what the images of each quarantined series say, against the bookings around it. */
export async function likelyFor(
  { answer }: Found,
  person: Person,
  options: AroundOptions,
): Promise<Map<string, Likely[]>> {
  const { gatherer } = options;
  if (isAway(answer) || !mayDo(person, 'release')) return new Map();
  const quarantined = answer.sessions
    .flatMap(({ series }) => series)
    .filter(({ state }) => state === 'quarantined')
    .slice(0, MOST_LIKELY);
  const entries = await Promise.all(
    quarantined.map(async (one) => {
      const found = await gatherer.part('likely', () => likelyOf(one, options));
      return [one.id, isAway(found) ? [] : found] as const;
    }),
  );
  return new Map(entries);
}

/** The day of the scan, and whatever carries the same numbers. */
async function likelyOf(
  { id, firstSeen }: { readonly id: string; readonly firstSeen: number },
  { services, scannerOf }: AroundOptions,
): Promise<Likely[]> {
  const path = `/api/series/${encodeURIComponent(id)}`;
  const { series } = await asked(services.streamer, path, quarantinedAnswer);
  const { attributes, acquired, sender } = series;
  const at = acquired ?? firstSeen;
  const find = (keyword: string): string[] => {
    const key = (attributes[keyword] ?? '').trim();
    return key === '' ? [] : [`find=${encodeURIComponent(key)}`];
  };
  const queries = [
    `from=${iso(at - DAY_MS)}&to=${iso(at + DAY_MS)}`,
    ...find('AccessionNumber'),
    ...find('StudyInstanceUID'),
  ];
  const answers = await Promise.all(
    queries.map((query) => asked(services.cal2wl, `/api/board/bookings?${query}`, bookingsAnswer)),
  );
  const all = answers.flatMap(bookingsOf);
  const once = [...new Map(all.map((one) => [`${one.id} ${one.accessionNumber ?? ''}`, one])).values()];
  return likelyBookings({ attributes, acquired, scanner: scannerOf.get(sender ?? '') }, once);
}

const iso = (millis: number): string => Temporal.Instant.fromEpochMilliseconds(millis).toString();

const MOST_AUDITED = 200;

/** What people did is for those who may see everybody's work. */
export async function aroundOf(
  { answer }: Found,
  person: Person,
  { gatherer, services, store }: AroundOptions,
): Promise<Around> {
  if (isAway(answer) || person.role === 'member') return {};
  const subjects = answer.sessions.flatMap(({ id, series }) => [id, ...series.map((one) => one.id)]);
  const audit = await store.auditedOf(subjects.slice(0, MOST_AUDITED), MOST_AUDITED);
  const said = await gatherer.part('destinations', () =>
    asked(services.streamer, '/api/destinations', destinationsAnswer),
  );
  if (isAway(said)) return { audit };
  const open = said.destinations.flatMap(({ name, paused }) =>
    paused === undefined ? [] : [{ destination: name, ...paused }],
  );
  return { audit, pauses: { open, ended: said.ended } };
}
