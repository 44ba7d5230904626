/** `/` and `/day/2026-11-28`. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Person } from '../access/roles.ts';
import type { Gatherer } from '../sources/gather.ts';
import { en } from '../texts/en.ts';
import { t } from '../texts/pages.ts';
import { forPerson, send, sendMessage, type Access } from '../web/request.ts';
import { boardOf } from './board.ts';
import { dateIn } from './span.ts';
import { dayPage } from './page.ts';
import { seenBy } from './seen.ts';

/** What pages know of the facility. */
export interface Facility {
  readonly name: string;
  readonly timezone: string;
  /** AE title and place of a scanner, as people know it. */
  readonly titleOf: (scanner: string) => string | undefined;
}

export interface DayOptions extends Access {
  readonly facility: Facility;
  readonly gatherer: Gatherer;
}

interface OfDay {
  readonly Params: { readonly day: string };
}

export function addDays(app: FastifyInstance, options: DayOptions): void {
  app.get(
    '/',
    forPerson(options, (_request, reply, person) => shown(undefined, reply, person, options)),
  );
  app.get<OfDay>(
    '/day/:day',
    forPerson<FastifyRequest<OfDay>>(options, (request, reply, person) => {
      const date = dateIn(request.params.day);
      return date === undefined
        ? sendMessage(reply, 404, t.noDay.title, t.noDay.text)
        : shown(date, reply, person, options);
    }),
  );
}

async function shown(
  date: Temporal.PlainDate | undefined,
  reply: FastifyReply,
  person: Person,
  { facility, gatherer, now }: DayOptions,
): Promise<FastifyReply> {
  const instant = Temporal.Instant.fromEpochMilliseconds(now());
  const day = date ?? instant.toZonedDateTimeISO(facility.timezone).toPlainDate();
  const facts = seenBy(person, await gatherer.day(day));
  const board = boardOf(facts, instant.epochMilliseconds);
  const view = { board, day, now: instant, texts: en, titleOf: facility.titleOf };
  const main = dayPage({ ...view, timezone: facility.timezone, facility: facility.name });
  return send(reply, { title: date?.toString() ?? t.day.today, path: '/', main, person });
}
