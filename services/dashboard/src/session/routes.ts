/**
 * `/session/ID`: by accession number, Study UID, path, or the ID of a session, a series, an exam or an event. With what stands around
 * a session on its page, and its report as CSV.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { likelyBookings, type Likely } from '@scanflow/booking';
import { csvText } from '@scanflow/runtime';
import { type Person, mayDo } from '../access/roles.ts';
import { boardOf } from '../day/board.ts';
import type { Row, DayBooking } from '../day/facts.ts';
import type { Facility } from '../day/routes.ts';
import { seenBy } from '../day/seen.ts';
import { isAway } from '../journey/facts.ts';
import { type Found, asked, type Gatherer, type Services } from '../sources/gather.ts';
import type { Plans } from '../sources/plan.ts';
import { en } from '../texts/en.ts';
import { t } from '../texts/pages.ts';
import { forPerson, notFound, send, type Access } from '../web/request.ts';
import { BIDS_HOOK, plansOf } from './bids.ts';
import { sessionPage } from './page.ts';
import { bookingsAnswer } from '../sources/answers.ts';
import { destinationsAnswer, quarantinedAnswer, type SeriesAnswer } from '../sources/streamer-answers.ts';
import { bookingsOf } from '../sources/read.ts';
import type { Around } from './events.ts';

export interface SessionOptions extends AroundOptions {
  readonly facility: Facility;
  readonly plans: Plans;
}

interface OfSession {
  readonly Params: { readonly id: string };
  readonly Querystring: { readonly said?: string };
}

export function addSessions(app: FastifyInstance, options: SessionOptions): void {
  app.get<OfSession>(
    '/session/:id',
    forPerson<FastifyRequest<OfSession>>(options, ({ params, query }, reply, person) =>
      shown(params.id, query.said, reply, person, options),
    ),
  );
  app.get<OfSession>(
    '/session/:id/report.csv',
    forPerson<FastifyRequest<OfSession>>(options, async ({ params }, reply, person) => {
      const found = await findFor(person, params.id, options);
      if (isAway(found.answer) || rowsOf(found, options).length === 0) return notFound(reply);
      const series = found.answer.sessions.flatMap((one) => one.series);
      return reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', 'attachment; filename="report.csv"')
        .send(sessionCsv(series));
    }),
  );
  app.get<{ Querystring: { text?: string } }>(
    '/find',
    forPerson<FastifyRequest<{ Querystring: { text?: string } }>>(options, ({ query }, reply) =>
      reply.redirect(`/session/${encodeURIComponent((query.text ?? '').trim())}`, 303),
    ),
  );
}

async function shown(
  id: string,
  said: string | undefined,
  reply: FastifyReply,
  person: Person,
  options: SessionOptions,
): Promise<FastifyReply> {
  const found = await findFor(person, id, options);
  const rows = rowsOf(found, options);
  const isDark = [found.bookings, found.sessions].some(isAway) && person.role !== 'member';
  if (rows.length === 0 && !isDark) return notFound(reply);
  const now = Temporal.Instant.fromEpochMilliseconds(options.now());
  const { timezone } = options.facility;
  const known = Object.entries(t.actions.said).find(([key]) => key === said)?.[1];
  const [history, likely, around, plans] = await Promise.all([
    historyOf(found, person, options),
    likelyFor(found, person, options),
    aroundOf(found, person, options),
    plansOf(found, { person, plans: options.plans, hasDataset: options.facility.hasDataset }),
  ]);
  const view = { id, rows, found, person, now, timezone, texts: en, said: known };
  const main = sessionPage({ ...view, history, likely, around, plans });
  return send(reply, { title: t.session.title, path: '/series', main, person });
}

/** What was found, as far as the person may see it. */
export async function findFor(
  person: Person,
  text: string,
  { gatherer }: Pick<SessionOptions, 'gatherer'>,
): Promise<Found> {
  const found = seenBy(person, await gatherer.find(text));
  const { sessions, answer } = found;
  if (isAway(sessions) || isAway(answer)) return found;
  const seen = new Map(sessions.map(({ id, series }) => [id, new Set(series.map((one) => one.id))]));
  const left = answer.sessions.flatMap((one) => {
    const own = seen.get(one.id);
    return own === undefined ? [] : [{ ...one, series: one.series.filter(({ id }) => own.has(id)) }];
  });
  const subjects = new Set(left.flatMap(({ id, series }) => [id, ...series.map((one) => one.id)]));
  // what became of the dataset is of those who may see the session's labels
  const hidden = new Set(
    sessions.flatMap(({ id, labels }) => (person.role === 'member' && labels === undefined ? [id] : [])),
  );
  const hooks = answer.hooks.filter(
    ({ subject, target }) => subjects.has(subject) && !(target === BIDS_HOOK && hidden.has(subject)),
  );
  return { ...found, answer: { sessions: left, hooks } };
}

/** The rows of what was found, whatever their days. */
function rowsOf(found: Found, { facility, now }: SessionOptions): Row[] {
  const { timezone, hasDataset } = facility;
  const rows = daysOf(found, timezone).flatMap((day) =>
    boardOf({ ...found, day, timezone, scanners: [], converts: hasDataset }, now()).scanners.flatMap(
      (scanner) => scanner.rows,
    ),
  );
  return [...new Map(rows.map((row) => [row.id, row])).values()];
}

/** Images without booking and exam stand on the day on which they came. */
function daysOf({ sessions, bookings, exams }: Found, timezone: string): Temporal.PlainDate[] {
  const dayOf = (at: number): Temporal.PlainDate =>
    Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timezone).toPlainDate();
  const times = [
    ...(isAway(sessions) ? [] : sessions.map(({ firstSeen }) => firstSeen)),
    ...(isAway(bookings) ? [] : bookings.map(({ start }) => start)),
    ...(isAway(exams) ? [] : exams.map(({ created }) => created)),
  ];
  return [...new Map(times.map(dayOf).map((day) => [day.toString(), day])).values()];
}

// What stands around a session on its page: earlier bookings of its events, bookings that fit what is quarantined, and what people did.

interface AroundOptions extends Access {
  readonly gatherer: Gatherer;
  readonly services: Services;
  /** The scanner of an AE title. */
  readonly scannerOf: ReadonlyMap<string, string>;
}

/** Bookings of the same events under other accession numbers, as far as the person may see them. */
async function historyOf(
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
async function likelyFor(
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
async function aroundOf(
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

// The report of a session as CSV: a line for each series.

const COLUMNS = ['accession', 'series_number', 'description', 'modality', 'state', 'made', 'here', 'stored'];

function sessionCsv(series: readonly SeriesAnswer[]): string {
  const targets = [...new Set(series.flatMap(({ legs }) => legs.map(({ target }) => target)))]
    .filter((target) => target !== 'storage')
    .sort();
  const lines = series.map(({ images, legs, ...one }) => [
    one.accessionNumber,
    one.seriesNumber,
    one.seriesDescription,
    one.modality,
    one.state,
    one.expected ?? '',
    Math.max(images.inOrthanc, images.stored),
    images.stored,
    ...targets.map((target) => legs.find((leg) => leg.target === target)?.done ?? ''),
  ]);
  return csvText([[...COLUMNS, ...targets.map((target) => `sent_${target}`)], ...lines]);
}
