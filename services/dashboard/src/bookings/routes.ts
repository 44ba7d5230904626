/** `/bookings`, and POST `/bookings/try`: a title may hold a name, so it never stands in an address. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { maySee, type Person } from '../access/roles.ts';
import type { Facility } from '../day/routes.ts';
import { isAway } from '../journey/facts.ts';
import type { Html } from '../page/html.ts';
import type { OutcomeAnswer } from '../sources/answers.ts';
import type { CalendarFacts, Gatherer } from '../sources/gather.ts';
import { t } from '../texts/pages.ts';
import { field, forPerson, notFound, send, type Access } from '../web/request.ts';
import { bookingsPage, type BookingsPage, type Judge } from './page.ts';

export interface BookingsOptions extends Access {
  readonly facility: Facility;
  readonly gatherer: Gatherer;
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
  options: BookingsOptions,
  trial?: BookingsPage['trial'],
): Promise<FastifyReply> {
  const facts = await options.gatherer.calendars();
  const main =
    person.role === 'member' || trial !== undefined
      ? mainOf(facts, person, options, trial)
      : madeOnce(facts, person, options);
  // the answer to a form is no page that could be asked anew
  return send(reply, {
    title: t.bookings.title,
    path: trial === undefined ? '/bookings' : undefined,
    main,
    person,
  });
}

/** The page of one second for all who see everything: a change brings everybody back at the same moment. */
const made = new WeakMap<CalendarFacts, { readonly second: number; readonly main: Html }>();

function madeOnce(facts: CalendarFacts, person: Person, options: BookingsOptions): Html {
  const second = Math.floor(options.now() / 1000);
  const before = made.get(facts);
  if (before?.second === second) return before.main;
  const main = mainOf(facts, person, options);
  made.set(facts, { second, main });
  return main;
}

function mainOf(
  { at, calendars, events }: CalendarFacts,
  person: Person,
  { facility, calendars: names, now }: BookingsOptions,
  trial?: BookingsPage['trial'],
): Html {
  const mine = (list: readonly OutcomeAnswer[]): OutcomeAnswer[] =>
    list.filter((one) => maySee(person, one)).toSorted((a, b) => (a.start ?? 0) - (b.start ?? 0));
  const seen = isAway(events)
    ? events
    : { rejected: mine(events.rejected), bookings: mine(events.bookings), skipped: mine(events.skipped) };
  const olderS = Math.max(0, Math.round((now() - at) / 1000));
  return bookingsPage({ calendars, olderS, events: seen, names, trial, timezone: facility.timezone });
}
