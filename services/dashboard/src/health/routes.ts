/** `/health`, and `/health?check=storage` for one section anew. For operators and facility IT. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { mayDo } from '../access/roles.ts';
import type { Facility } from '../day/routes.ts';
import { isAway } from '../journey/facts.ts';
import type { Gatherer, Services } from '../sources/gather.ts';
import type { Service } from '../sources/service.ts';
import { t } from '../texts/pages.ts';
import { forAction, send, type Access } from '../web/request.ts';
import { createLooks, type Looks } from './look.ts';
import { healthPage, type Section } from './page.ts';

export interface HealthOptions extends Access {
  readonly facility: Facility;
  readonly gatherer: Gatherer;
  readonly services: Services;
  readonly receiver: Service;
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
        said: Object.entries(t.actions.said).find(([name]) => name === query.said)?.[1],
      });
      return send(reply, { title: t.health.title, path: '/health', main, person });
    }),
  );
}

/** `pressed`: the section whose button was pressed; others may be some seconds old. */
async function factsOf(looks: Looks, pressed: string | undefined) {
  const is = (...sections: readonly Section[]): boolean => sections.some((one) => one === pressed);
  const [services, machines, calendars, worklist, streamer, roots, senders, counts] = await Promise.all([
    looks.services(is('services')),
    looks.machines(is('disks', 'certificates')),
    looks.calendars(is('calendars')),
    looks.worklist(is('worklist')),
    looks.streamer(is('orthanc', 'ledger')),
    looks.roots(is('storage')),
    looks.senders(is('senders')),
    looks.counts(is('series', 'destinations')),
  ]);
  return {
    ...{ services, machines, worklist, streamer, senders, counts },
    calendars: isAway(calendars) ? calendars : calendars.calendars,
    roots: isAway(roots) ? roots : roots.roots,
  };
}
