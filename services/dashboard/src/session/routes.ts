/** `/session/ID`: by accession number, Study UID, path, or the ID of a session, a series, an exam or an event. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Person } from '../access/roles.ts';
import { boardOf } from '../day/board.ts';
import type { Row } from '../day/facts.ts';
import type { Facility } from '../day/routes.ts';
import { seenBy } from '../day/seen.ts';
import { isAway } from '../journey/facts.ts';
import type { Found } from '../sources/gather.ts';
import type { Plans } from '../sources/plan.ts';
import { en } from '../texts/en.ts';
import { t } from '../texts/pages.ts';
import { forPerson, notFound, send } from '../web/request.ts';
import { sessionCsv } from './csv.ts';
import { aroundOf, historyOf, likelyFor, type AroundOptions } from './around.ts';
import { BIDS_HOOK, plansOf } from './bids.ts';
import { sessionPage } from './page.ts';

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
