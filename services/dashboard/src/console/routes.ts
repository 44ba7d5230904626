/**
 * `/console/NAME`: one scanner's day for a wall, without signing in. Its link has a secret, which a redirect takes out of the
 * address and a cookie replaces. The cookie opens this page and its events, and nothing else. Without it the page is not found.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { boardOf, isOf } from '../day/board.ts';
import type { DayFacts } from '../day/facts.ts';
import type { Facility } from '../day/routes.ts';
import { isAway, type Away } from '../journey/facts.ts';
import { createWatch, type Watch, type Stream } from '../sources/watch.ts';
import { scannersAnswer, sendersAnswer } from '../sources/answers.ts';
import { askedEach, type Gatherer, type Services } from '../sources/gather.ts';
import type { Service } from '../sources/service.ts';
import type { AccessStore } from '../access/store.ts';
import { openStreams } from '../web/events.ts';
import { isSecure, notFound } from '../web/request.ts';
import { consoleFrame } from './page.ts';
import { consolePlan, type ConsoleFacts } from './plan.ts';
import { IDLE_MS, type ConsoleStore } from './store.ts';

export interface ConsoleOptions {
  readonly consoles: ConsoleStore;
  readonly store: AccessStore;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly facility: Facility;
  readonly gatherer: Gatherer;
  readonly services: Services;
  readonly receiver: Service;
  /** Changes of pages; and of what only consoles show: queries, images, and the time. */
  readonly watch: Pick<Watch, 'follow'>;
  readonly consoleWatch: Pick<Watch, 'follow'>;
  readonly silentAfterMs: number;
  /** Names of the scanners of the configuration. */
  readonly scanners: readonly string[];
}

interface OfConsole {
  readonly Params: { readonly name: string };
}

interface Opening {
  readonly Params: { readonly name: string; readonly word: string };
}

const MINUTE_MS = 60_000;

const pathOf = (name: string): string => `/console/${encodeURIComponent(name)}`;

export function addConsoles(app: FastifyInstance, options: ConsoleOptions): void {
  const { consoles, now, store, watch, consoleWatch } = options;
  const open = openStreams();
  app.get<Opening>('/console/:name/open/:word', async (request, reply) => {
    const { name, word } = request.params;
    const cookie = await consoles.open(name, word, now());
    if (cookie === undefined) return notFound(reply);
    const entry = { at: now(), who: '', address: request.ip, what: 'open console', subject: name };
    await store.audit({ ...entry, result: 'done' });
    return reply.header('set-cookie', cookieOf(name, cookie, request)).redirect(pathOf(name), 303);
  });
  app.get<OfConsole>('/console/:name', (request, reply) => shown(request, reply, options));
  app.get<OfConsole>('/console/:name/events', async (request, reply) => {
    const { name } = request.params;
    const isAllowed = (): Promise<boolean> => consoles.counts(name, wordIn(request, name), now());
    const follow: Watch['follow'] = (changed) => {
      const leave = [watch, consoleWatch].map((one) => one.follow(changed));
      return () => leave.forEach((end) => end());
    };
    return (await isAllowed()) ? open(reply, { isAllowed, follow }) : notFound(reply);
  });
}

async function shown(
  request: FastifyRequest<OfConsole>,
  reply: FastifyReply,
  options: ConsoleOptions,
): Promise<FastifyReply> {
  const { name } = request.params;
  const { consoles, facility, now, scanners, silentAfterMs } = options;
  const used = scanners.includes(name) ? await consoles.use(name, wordIn(request, name), now()) : undefined;
  if (used === undefined) return notFound(reply);
  if (used.renewed !== undefined) reply.header('set-cookie', cookieOf(name, used.renewed, request));
  const at = now();
  const plan = consolePlan(await factsOf(name, at, options), at, silentAfterMs);
  const { timezone, titleOf } = facility;
  const view = { scanner: name, title: titleOf(name), plan, now: at, timezone };
  return reply.type('text/html; charset=utf-8').send(consoleFrame(view, `${pathOf(name)}/events`));
}

interface ConsoleWatchOptions {
  readonly worklist: Service;
  readonly receiver: Service;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly everyMs: number;
}

/** What only consoles show has no events: it is compared. It changes at a query, at an image, and each minute. */
export function watchConsoles({ worklist, receiver, now, everyMs }: ConsoleWatchOptions): Watch {
  const digest = async (): Promise<string> => {
    const [queries, images] = await Promise.allSettled([
      askedEach(worklist, '/api/board/scanners', scannersAnswer),
      askedEach(receiver, '/api/senders', sendersAnswer),
    ]);
    const values = [queries, images].map((one) => (one.status === 'fulfilled' ? one.value : 'away'));
    return JSON.stringify([Math.floor(now() / MINUTE_MS), ...values]);
  };
  const silent: Stream = (heard) => {
    heard('missing');
    return Promise.resolve();
  };
  return createWatch({ streams: [silent], digest, everyMs });
}

async function factsOf(
  scanner: string,
  at: number,
  { gatherer, services, receiver, facility }: ConsoleOptions,
): Promise<ConsoleFacts> {
  const day = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(facility.timezone).toPlainDate();
  const [facts, queries, images] = await Promise.all([
    gatherer.day(day),
    gatherer.part('queries', () => askedEach(services.worklist, '/api/board/scanners', scannersAnswer)),
    gatherer.part('images', () => askedEach(receiver, '/api/senders', sendersAnswer)),
  ]);
  const { exams } = facts;
  const isHere = (one: { readonly scanner: string }): boolean => one.scanner === scanner;
  // of several worklists or receivers, the one knows that the scanner called last
  const query = isAway(queries)
    ? queries
    : newest(queries.flatMap(({ scanners }) => scanners.filter(isHere).map(({ lastQuery }) => lastQuery)));
  const image = isAway(images)
    ? images
    : newest(images.flatMap(({ lastImages }) => lastImages.filter(isHere)))?.at;
  return {
    scanner,
    board: boardOf(facts, at),
    exams,
    lastQuery: query,
    lastImage: lastImageOf(image, facts, scanner),
  };
}

const newest = <T extends { readonly at: number }>(all: readonly (T | undefined)[]): T | undefined =>
  all.reduce((one, other) => ((other?.at ?? -Infinity) > (one?.at ?? -Infinity) ? other : one), undefined);

/** The receiver forgets at a restart; the ledger knows when the last series of the day began. */
function lastImageOf(
  image: number | Away | undefined,
  { sessions, bookings, exams }: DayFacts,
  scanner: string,
): ConsoleFacts['lastImage'] {
  if (isAway(sessions)) return image ?? sessions;
  const booked = isAway(bookings) ? [] : bookings.filter((one) => one.scanner === scanner);
  const own = isAway(exams) ? exams : exams.filter((one) => one.scanner === scanner);
  const begun = sessions
    .filter(
      (one) =>
        isOf(one, undefined, own) ||
        booked.some(({ accessionNumber }) => accessionNumber === one.accessionNumber),
    )
    .flatMap(({ series }) => series.map(({ firstSeen }) => firstSeen));
  const latest = Math.max(...begun, typeof image === 'number' ? image : -Infinity);
  return Number.isFinite(latest) ? latest : image;
}

/** A cookie per console: one browser may show several. `__Host-` binds it to this host and to TLS (RFC 6265bis 4.1.3.2). */
const cookieName = (name: string, request: FastifyRequest): string =>
  `${isSecure(request) ? '__Host-' : ''}scanflow-console-${name}`;

const cookieOf = (name: string, word: string, request: FastifyRequest): string =>
  `${cookieName(name, request)}=${word}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${IDLE_MS / 1000}${isSecure(request) ? '; Secure' : ''}`;

/** Empty where there is none. */
function wordIn(request: FastifyRequest, name: string): string {
  const wanted = cookieName(name, request);
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim().split('='));
  return pairs.find(([key]) => key === wanted)?.[1] ?? '';
}

// Links of consoles on the internal port, for `scanflow console`.

export interface LinkOptions {
  readonly consoles: ConsoleStore;
  readonly store: Pick<AccessStore, 'audit'>;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Of the board. */
  readonly address: string;
  /** Names of the scanners of the configuration. */
  readonly scanners: readonly string[];
}

interface LinkOfConsole {
  readonly Params: { readonly name: string };
}

/** GET /api/consoles; POST /api/consoles/NAME/link and /revoke. */
export function addLinks(app: FastifyInstance, options: LinkOptions): void {
  const { consoles, store, now, address, scanners } = options;
  const audit = (what: string, subject: string, from: string): Promise<void> =>
    store.audit({ at: now(), who: 'scanflow console', address: from, what, subject, result: 'done' });
  app.get('/api/consoles', async () => ({
    consoles: (await consoles.list()).map(({ name, made, open, seen }) => ({
      name,
      made: iso(made),
      open,
      ...(seen === undefined ? {} : { seen: iso(seen) }),
    })),
  }));
  app.post<LinkOfConsole>('/api/consoles/:name/link', async ({ params: { name }, ip }, reply) => {
    if (!scanners.includes(name))
      return reply.code(404).send({
        error: `there is no scanner ${name} in the configuration; there are ${scanners.join(', ')}`,
      });
    await audit('link console', name, ip);
    const word = await consoles.link(name, now());
    return { link: `${address}/console/${encodeURIComponent(name)}/open/${word}` };
  });
  app.post<LinkOfConsole>('/api/consoles/:name/revoke', async ({ params: { name }, ip }, reply) => {
    if (!(await consoles.revoke(name)))
      return reply
        .code(404)
        .send({ error: `the console ${name} has no link: scanflow console list shows those that have` });
    await audit('revoke console', name, ip);
    return {};
  });
}

const iso = (millis: number): string =>
  Temporal.Instant.fromEpochMilliseconds(millis).toString({ smallestUnit: 'second' });
