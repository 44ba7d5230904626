/** `/` and `/day/2026-11-28`. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { mayDo, type Person } from '../access/roles.ts';
import type { Gatherer } from '../sources/gather.ts';
import type { Html } from '../page/html.ts';
import { en } from '../texts/en.ts';
import { t } from '../texts/pages.ts';
import { forPerson, send, sendMessage, type Access } from '../web/request.ts';
import { boardOf } from './board.ts';
import { type DayFacts, dateIn } from './facts.ts';
import { dayPage } from './page.ts';
import { seenBy } from './seen.ts';

/** What pages know of the facility. */
export interface Facility {
  readonly name: string;
  readonly timezone: string;
  /** AE title and place of a scanner, as people know it. */
  readonly titleOf: (scanner: string) => string | undefined;
  /** Whether sessions of the project become BIDS. */
  readonly hasDataset: (project: string) => boolean;
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
  options: DayOptions,
): Promise<FastifyReply> {
  const { facility, gatherer, now } = options;
  const instant = Temporal.Instant.fromEpochMilliseconds(now());
  const day = date ?? instant.toZonedDateTimeISO(facility.timezone).toPlainDate();
  const facts = seenBy(person, await gatherer.day(day));
  const main = madeOnce(facts, instant, mayDo(person, 'walk-in'), options);
  return send(reply, { title: date?.toString() ?? t.day.today, path: '/', main, person });
}

/** Pages of one second that show the same facts: a change brings everybody back at the same moment. */
const made = new WeakMap<DayFacts, { readonly key: string; readonly main: Html }>();

function madeOnce(
  facts: DayFacts,
  now: Temporal.Instant,
  mayAddWalkIn: boolean,
  { facility }: DayOptions,
): Html {
  const key = `${Math.floor(now.epochMilliseconds / 1000)} ${mayAddWalkIn}`;
  const before = made.get(facts);
  if (before?.key === key) return before.main;
  const { name, timezone, titleOf, hasDataset } = facility;
  const board = boardOf({ ...facts, converts: hasDataset }, now.epochMilliseconds);
  const main = dayPage({
    ...{ board, day: facts.day, now, texts: en, titleOf, timezone },
    facility: name,
    mayAddWalkIn,
  });
  made.set(facts, { key, main });
  return main;
}
