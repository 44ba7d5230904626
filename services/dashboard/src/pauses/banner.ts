/** A banner on every page for each destination that a person paused. */
import type { FastifyInstance } from 'fastify';
import { onceField } from '../actions/once.ts';
import { mayDo, type Person } from '../access/roles.ts';
import { html, type Html } from '../page/html.ts';
import { clockTime, exactTime, shortTime } from '../page/time.ts';
import { destinationsAnswer, type DestinationAnswer } from '../sources/streamer-answers.ts';
import { asked, type Services } from '../sources/gather.ts';
import { t } from '../texts/pages.ts';
import { signedIn, type Access } from '../web/request.ts';

declare module 'fastify' {
  interface FastifyReply {
    /** Above the page's own part. */
    banner: Html | undefined;
  }
}

export interface BannerOptions extends Access {
  readonly services: Pick<Services, 'streamer'>;
  readonly facility: { readonly timezone: string };
}

/** A streamer that hangs must not hold every page. */
const MOST_WAIT_MS = 1_000;

/** Each page of somebody who signed in gets the banners of this moment; where the streamer is silent, those it named last. */
export function addBanners(app: FastifyInstance, options: BannerOptions): void {
  const { services, facility, now } = options;
  let last: readonly DestinationAnswer[] = [];
  let running: Promise<void> | undefined;
  const look = (): Promise<void> =>
    (running ??= asked(services.streamer, '/api/destinations', destinationsAnswer)
      .then(
        ({ destinations }) => void (last = destinations),
        () => undefined,
      )
      .finally(() => (running = undefined)));
  app.decorateReply('banner', undefined);
  app.addHook('preHandler', async (request, reply) => {
    const { url } = request.routeOptions;
    if (url === undefined || url.startsWith('/assets/') || url === '/events') return;
    const person = await signedIn(request, options);
    if (person === undefined) return;
    await Promise.race([look(), new Promise((go) => setTimeout(go, MOST_WAIT_MS).unref())]);
    reply.banner = banners(last, person, now(), facility.timezone);
  });
}

/** Members read that it is paused; who did it, why, and how many series wait is for operators and facility IT. */
export function banners(
  all: readonly DestinationAnswer[],
  person: Person,
  now: number,
  timezone: string,
): Html | undefined {
  const paused = all.flatMap(({ name, paused: one }) => (one === undefined ? [] : [{ name, ...one }]));
  if (paused.length === 0) return undefined;
  return html`<div class="banners">
    ${paused.map(({ name, since, by, reason, waiting }) => {
      const when = timeOf(since, now, timezone);
      if (person.role === 'member') return banner(name, t.pauses.forMembers(name, when));
      const query = new URLSearchParams({ target: name, leg: 'paused' });
      return banner(
        name,
        html`${t.pauses.paused(name, when, by, reason)}
          <a href="/series?${query.toString()}">${t.pauses.waiting(waiting)}</a>
          ${mayDo(person, 'pause') && resumeForm(name)}`,
      );
    })}
  </div>`;
}

const banner = (name: string, text: Html | string): Html =>
  html`<section class="banner" aria-label="${t.pauses.title(name)}">
    <span aria-hidden="true">‖</span>
    <div>${text}</div>
  </section>`;

const resumeForm = (name: string): Html =>
  html`<form method="post" action="/destinations/${encodeURIComponent(name)}/resume">
    ${onceField()}<button aria-label="${t.pauses.resumeName(name)}">${t.pauses.resume}</button>
  </form>`;

/** `14:02` of today, `28 Nov 14:02` of any other day. */
const timeOf = (at: number, now: number, timezone: string): string =>
  exactTime(at, timezone).slice(0, 10) === exactTime(now, timezone).slice(0, 10)
    ? clockTime(at, timezone)
    : shortTime(at, timezone);
