/** Facility IT pauses a destination and resumes it; a banner on every page shows each paused destination. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { answerOf, finish, spend, type ActionOptions, onceField } from '../actions/order.ts';
import { type Person, mayDo } from '../access/roles.ts';
import { html, type Html, clockTime, exactTime, shortTime } from '../page/html.ts';
import { t } from '../texts/pages.ts';
import { field, forAction, signedIn, type Access } from '../web/request.ts';
import { destinationsAnswer, type DestinationAnswer } from '../sources/streamer-answers.ts';
import { asked, type Services } from '../sources/gather.ts';

interface OfDestination {
  readonly Params: { readonly name: string };
}

type Kind = 'pause' | 'resume';

const LONGEST_REASON = 500;

export function addPauses(app: FastifyInstance, options: ActionOptions): void {
  for (const kind of ['pause', 'resume'] as const)
    app.post<OfDestination>(
      `/destinations/:name/${kind}`,
      forAction<FastifyRequest<OfDestination>>(options, 'pause', (request, reply, person) =>
        order(kind, request.params.name, request, reply, person, options),
      ),
    );
  // its name is chosen in the form
  app.post(
    '/destinations/pause',
    forAction(options, 'pause', (request, reply, person) =>
      order('pause', field(request, 'destination'), request, reply, person, options),
    ),
  );
}

async function order(
  kind: Kind,
  name: string,
  request: FastifyRequest,
  reply: FastifyReply,
  person: Person,
  options: ActionOptions,
): Promise<FastifyReply> {
  if (!(await spend(request, person, options, kind, name))) return reply.redirect('/series?said=again', 303);
  const reason = field(request, 'reason').trim();
  const path = `/api/destinations/${encodeURIComponent(name)}/${kind}`;
  const body = { by: person.name, ...(reason === '' ? {} : { reason }) };
  const answer = await answerOf(options.services.streamer, path, body);
  const doing = { request, what: kind, subject: name };
  return finish(answer, `/series?said=${kind}`, reply, person, options, doing);
}

/** Chooses one of the destinations, with the reason. */
export const pauseForm = (destinations: readonly string[]): Html | false =>
  destinations.length > 0 &&
  html`<details class="filters">
    <summary>${t.pauses.open}</summary>
    <form method="post" action="/destinations/pause" class="inline">
      ${onceField()}
      <label
        >${t.series.target}
        <select name="destination">
          ${destinations.map((name) => html`<option value="${name}">${name}</option>`)}
        </select></label
      >
      <label
        >${t.pauses.reason} <input name="reason" required maxlength="${LONGEST_REASON}" autocomplete="off"
      /></label>
      <button>${t.pauses.pause}</button>
      <p class="more">${t.pauses.help}</p>
    </form>
  </details>`;

// A banner on every page for each destination that a person paused.

declare module 'fastify' {
  interface FastifyReply {
    /** Above the page's own part. */
    banner: Html | undefined;
  }
}

interface BannerOptions extends Access {
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
