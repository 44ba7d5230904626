/** `/health`, and `/health?check=storage` for one section anew. For operators and facility IT. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { mayDo } from '../access/roles.ts';
import type { Facility } from '../day/routes.ts';
import { isAway } from '../journey/facts.ts';
import type { Gatherer, Services } from '../sources/gather.ts';
import type { Service } from '../sources/service.ts';
import { t } from '../texts/pages.ts';
import { isWord } from '../actions/order.ts';
import { field, forAction, send, type Access } from '../web/request.ts';
import { createTries, isTried, type Tries } from './checks.ts';
import { createLooks, type Looks } from './look.ts';
import { healthPage, type Section } from './page.ts';

export interface HealthOptions extends Access {
  readonly facility: Facility;
  readonly gatherer: Gatherer;
  readonly services: Services;
  readonly receiver: Service;
  /** Where the configuration has `bids`. */
  readonly bids?: Service | undefined;
  readonly ownMachine: () => Promise<unknown>;
  /** Names of the configuration. */
  readonly destinations: readonly string[];
}

const AUDITED = 50;

interface Asked {
  readonly Querystring: { readonly said?: string; readonly check?: string };
}

export function addHealth(app: FastifyInstance, options: HealthOptions): void {
  const { facility, destinations, store, now } = options;
  const looks = createLooks(options);
  const tries = createTries(options);
  addCheckNow(app, tries, options);
  app.get<Asked>(
    '/health',
    forAction<FastifyRequest<Asked>>(options, 'check', async ({ query }, reply, person) => {
      const facts = await factsOf(looks, query.check);
      const main = healthPage({
        ...facts,
        now: now(),
        timezone: facility.timezone,
        destinations,
        audit: await store.audited(AUDITED),
        mayAccept: mayDo(person, 'accept'),
        mayTry: mayDo(person, 'try'),
        tried: tries.last,
        said: Object.entries(t.actions.said).find(([name]) => name === query.said)?.[1],
      });
      return send(reply, { title: t.health.title, path: '/health', main, person });
    }),
  );
}

/** Facility IT has a service try out what a section is about. Nothing is changed by it. */
function addCheckNow(app: FastifyInstance, tries: Tries, options: HealthOptions): void {
  const { store, now } = options;
  app.post(
    '/health/check',
    forAction(options, 'try', async (request, reply, person) => {
      const section = field(request, 'check');
      if (!isTried(section)) return reply.redirect('/health', 303);
      const word = field(request, 'once');
      if (isWord(word) && (await store.spend(word, now()))) {
        const result = await tries.run(section);
        const entry = { who: person.name, address: request.ip, what: 'check', subject: section, result };
        await store.audit({ at: now(), ...entry });
      }
      return reply.redirect(`/health?check=${section}#${section}`, 303);
    }),
  );
}

/** `pressed`: the section whose button was pressed; others may be some seconds old. */
async function factsOf(looks: Looks, pressed: string | undefined) {
  const is = (...sections: readonly Section[]): boolean => sections.some((one) => one === pressed);
  const [services, machines, calendars, worklist, rejected, streamer, roots, senders, refused, counts] =
    await Promise.all([
      looks.services(is('services')),
      looks.machines(is('disks', 'certificates')),
      looks.calendars(is('calendars')),
      looks.worklist(is('worklist')),
      looks.rejected(is('worklist')),
      looks.streamer(is('orthanc', 'ledger')),
      looks.roots(is('storage')),
      looks.senders(is('senders')),
      looks.refused(is('senders')),
      looks.counts(is('series', 'destinations')),
    ]);
  const looked: Readonly<Record<Section, number>> = {
    services: services.at,
    calendars: calendars.at,
    worklist: worklist.at,
    senders: senders.at,
    orthanc: streamer.at,
    ledger: streamer.at,
    storage: roots.at,
    disks: machines.at,
    series: counts.at,
    destinations: counts.at,
    certificates: machines.at,
  };
  return {
    looked,
    services: services.seen,
    machines: machines.seen,
    worklist: worklist.seen,
    streamer: streamer.seen,
    senders: senders.seen,
    counts: counts.seen,
    calendars: isAway(calendars.seen) ? calendars.seen : calendars.seen.calendars,
    roots: isAway(roots.seen) ? roots.seen : roots.seen.roots,
    refused: isAway(refused.seen) ? refused.seen : refused.seen.refused,
    rejected: isAway(rejected.seen) ? rejected.seen : rejected.seen.rejected,
  };
}
