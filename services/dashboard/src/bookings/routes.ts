/** `/bookings`, and POST `/bookings/try`: a title may hold a name, so it never stands in an address. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { maySee, type Person } from '../access/roles.ts';
import type { Facility } from '../day/routes.ts';
import { isAway } from '../journey/facts.ts';
import { calendarsAnswer, outcomesAnswer, type OutcomeAnswer } from '../sources/answers.ts';
import { asked, type Gatherer, type Services } from '../sources/gather.ts';
import { t } from '../texts/pages.ts';
import { field, forPerson, notFound, send, type Access } from '../web/request.ts';
import { bookingsPage, type BookingsPage } from './page.ts';
import type { Judge } from './try-it.ts';

export interface BookingsOptions extends Access {
  readonly facility: Facility;
  readonly gatherer: Gatherer;
  readonly services: Services;
  /** Names of the calendars of the configuration. */
  readonly calendars: readonly string[];
  readonly judge: Judge;
}

export function addBookings(app: FastifyInstance, options: BookingsOptions): void {
  app.get(
    '/bookings',
    forPerson(options, (_request, reply, person) => shown(reply, person, options)),
  );
  app.post(
    '/bookings/try',
    forPerson(options, (request, reply, person) => {
      const [calendar, summary, description] = ['calendar', 'summary', 'description'].map((name) =>
        field(request, name).slice(0, 10_000),
      );
      const trial = { calendar: calendar ?? '', summary: summary ?? '', description: description ?? '' };
      const outcome = options.judge(trial);
      return outcome === undefined
        ? notFound(reply)
        : shown(reply, person, options, { asked: trial, outcome });
    }),
  );
}

async function shown(
  reply: FastifyReply,
  person: Person,
  { facility, gatherer, services, calendars: names }: BookingsOptions,
  trial?: BookingsPage['trial'],
): Promise<FastifyReply> {
  const { cal2wl } = services;
  const [calendars, events] = await Promise.all([
    gatherer.part(
      'calendars',
      async () => (await asked(cal2wl, '/api/calendars', calendarsAnswer)).calendars,
    ),
    gatherer.part('events', () => asked(cal2wl, '/api/bookings', outcomesAnswer)),
  ]);
  const mine = (list: readonly OutcomeAnswer[]): OutcomeAnswer[] =>
    list.filter((one) => maySee(person, one)).toSorted((a, b) => (a.start ?? 0) - (b.start ?? 0));
  const seen = isAway(events)
    ? events
    : { rejected: mine(events.rejected), bookings: mine(events.bookings), skipped: mine(events.skipped) };
  const main = bookingsPage({ calendars, events: seen, names, trial, timezone: facility.timezone });
  // the answer to a form is no page that could be asked anew
  return send(reply, {
    title: t.bookings.title,
    path: trial === undefined ? '/bookings' : undefined,
    main,
    person,
  });
}
