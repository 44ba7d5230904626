/** `/health`: looked at anew with each load. For operators and facility IT. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { mayDo } from '../access/roles.ts';
import type { Facility } from '../day/routes.ts';
import { calendarsAnswer, countsAnswer, rootsAnswer } from '../sources/answers.ts';
import { asked, type Gatherer, type Services } from '../sources/gather.ts';
import type { Service } from '../sources/service.ts';
import { t } from '../texts/pages.ts';
import { forAction, send, type Access } from '../web/request.ts';
import { healthPage, type ServiceHealth } from './page.ts';

export interface HealthOptions extends Access {
  readonly facility: Facility;
  readonly gatherer: Gatherer;
  readonly services: Services;
  readonly receiver: Service;
  /** Names of the configuration. */
  readonly destinations: readonly string[];
}

const AUDITED = 50;

interface Said {
  readonly Querystring: { readonly said?: string };
}

export function addHealth(app: FastifyInstance, options: HealthOptions): void {
  const { facility, gatherer, services, receiver, destinations, store, now } = options;
  app.get<Said>(
    '/health',
    forAction<FastifyRequest<Said>>(options, 'check', async ({ query }, reply, person) => {
      const { cal2wl, streamer } = services;
      const all = { ...services, receiver };
      const [health, calendars, roots, counts] = await Promise.all([
        Promise.all(Object.entries(all).map(([name, service]) => healthOf(name, service))),
        gatherer.part(
          'calendars',
          async () => (await asked(cal2wl, '/api/calendars', calendarsAnswer)).calendars,
        ),
        gatherer.part('roots', async () => (await asked(streamer, '/api/storage', rootsAnswer)).roots),
        gatherer.part('counts', () => asked(streamer, '/api/board/counts', countsAnswer)),
      ]);
      const main = healthPage({
        ...{
          now: now(),
          timezone: facility.timezone,
          services: health,
          calendars,
          roots,
          counts,
          destinations,
        },
        audit: await store.audited(AUDITED),
        mayAccept: mayDo(person, 'accept'),
        said: Object.entries(t.actions.said).find(([name]) => name === query.said)?.[1],
      });
      return send(reply, { title: t.health.title, path: '/health', main, person });
    }),
  );
}

/** What a service says of itself; only plain values, and none of them a label. */
async function healthOf(name: string, service: Service): Promise<ServiceHealth> {
  try {
    const { status, body } = await service.look('/healthz');
    const { version, ...rest } = body as Readonly<Record<string, unknown>>;
    const detail = Object.entries(rest).flatMap(([key, value]) =>
      ['string', 'number', 'boolean'].includes(typeof value) ? [`${key}: ${String(value)}`] : [],
    );
    return { name, status, detail, ...(typeof version === 'string' ? { version } : {}) };
  } catch {
    return { name, detail: [] };
  }
}
