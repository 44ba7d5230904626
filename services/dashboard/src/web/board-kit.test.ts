/** The board over services that answer the same always, for tests of its routes. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import fastify from 'fastify';
import { createLimiter } from '../access/passwords.ts';
import { openConsolesFile, openUsersFile } from '../access/open.ts';
import { createGatherer } from '../sources/gather.ts';
import { createPlans } from '../sources/plan.ts';
import type { Answered, Service } from '../sources/service.ts';
import { addPages } from './app.ts';
import { addLinks } from '../console/routes.ts';

export const NOW = Temporal.Instant.from('2026-11-28T08:00:00Z').epochMilliseconds;
const HOST = 'board.example.org';
export const TLS = { host: HOST, 'x-forwarded-proto': 'https' };
export const HOSTILE = '"><img src=x onerror=alert(1)>';
export const iso = (minutes: number): string =>
  Temporal.Instant.fromEpochMilliseconds(NOW + minutes * 60_000).toString();

export const BOOKING = {
  outcome: 'booking',
  calendar: 'lab',
  code: 'BOOKING',
  reason: '',
  accessionNumber: 'A1',
  summary: 'Anna Smith',
  booker: 'Jane Doe',
  project: HOSTILE,
  subject: HOSTILE,
  session: HOSTILE,
};
const PAGES: Readonly<Record<string, unknown>> = {
  '/api/board/bookings': {
    bookings: [
      { ...BOOKING, scanner: 'prisma', start: iso(-10), end: iso(50) },
      {
        ...BOOKING,
        scanner: 'skyra',
        accessionNumber: 'A2',
        subject: 'sub-of-skyra',
        start: iso(60),
        end: iso(90),
      },
      {
        ...{
          outcome: 'rejected',
          calendar: 'lab',
          scanner: 'prisma',
          code: 'NO_LABELS',
          reason: 'Anna Smith',
        },
        ...{ summary: 'Anna Smith', start: iso(20), end: iso(40) },
      },
    ],
  },
  '/api/worklist': { items: [], left: [] },
  '/api/performed': { steps: [] },
  '/api/board/sessions': { sessions: [], hooks: [] },
  '/api/board/find': { sessions: [], hooks: [] },
  '/api/board/scanners': { scanners: [{ scanner: 'prisma', lastQuery: { at: iso(-2), items: 7 } }] },
  '/api/senders': { lastImages: [{ scanner: 'prisma', at: iso(-3) }] },
};

interface Posted {
  readonly path: string;
  readonly body: object;
}

/** The board over services that answer `PAGES` and `more`, with a query or without, and posts as `answer` says. */
export async function rig(
  t: TestContext,
  answer: (posted: Posted) => Answered = () => ({ status: 500, body: {} }),
  more: Readonly<Record<string, unknown>> = {},
  ownMachine = (): Promise<unknown> => Promise.resolve({ disks: [], certificates: [] }),
) {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-console-'));
  const store = openUsersFile(join(folder, 'users.sqlite'));
  const consoles = openConsolesFile(join(folder, 'consoles.sqlite'));
  const clock = { now: NOW };
  const now = (): number => clock.now;
  const posts: Posted[] = [];
  const ask = (path: string): Promise<unknown> =>
    Promise.resolve(more[path] ?? { ...PAGES, ...more }[path.split('?')[0] ?? ''] ?? { bookings: [] });
  const service: Service = {
    ask,
    // an array is what several instances answer
    askEach: async (path) => [await ask(path)].flat(),
    look: async (path) => ({ status: 200, body: await ask(path) }),
    post: (path, body) => {
      posts.push({ path, body });
      return Promise.resolve(answer({ path, body }));
    },
  };
  const services = { cal2wl: service, worklist: service, streamer: service };
  const followers = new Set<() => void>();
  const watch = {
    follow: (changed: () => void) => {
      followers.add(changed);
      return () => followers.delete(changed);
    },
  };
  const app = fastify({ trustProxy: ['127.0.0.1'], forceCloseConnections: true });
  const gatherer = createGatherer({
    ...{ services, timezone: 'Europe/Amsterdam', scanners: ['prisma', 'skyra'], now },
    onAway: () => undefined,
  });
  const titleOf = (): string => '<img src=x>';
  addPages(app, {
    ...{ store, consoles, now, watch, consoleWatch: watch, gatherer, services, receiver: service },
    limiter: createLimiter(),
    hosts: new Set([HOST]),
    facility: { name: 'Here', timezone: 'Europe/Amsterdam', titleOf, hasDataset: () => true },
    plans: createPlans(service, now),
    ...{
      targets: [],
      destinations: [],
      ownMachine,
      calendars: [],
      scanners: ['prisma', 'skyra'],
      silentAfterMs: 900_000,
    },
    ...{ hooks: [], scannerOf: new Map() },
    judge: () => undefined,
    onError: (route, error) => assert.fail(`${route}: ${String(error)}`),
  });
  const internal = fastify();
  addLinks(internal, {
    ...{ consoles, store, now, scanners: ['prisma', 'skyra'] },
    address: `https://${HOST}`,
  });
  t.after(async () => {
    await Promise.all([app.close(), internal.close()]);
    await store.close();
    await consoles.close();
    await rm(folder, { recursive: true });
  });
  const linkOf = async (name: string): Promise<string> => {
    const made = await internal.inject({ method: 'POST', url: `/api/consoles/${name}/link` });
    return new URL(made.json<{ link: string }>().link).pathname;
  };
  const get = (url: string, headers = {}) =>
    app.inject({ method: 'GET', url, headers: { ...TLS, ...headers } });
  const opened = async (name: string): Promise<string> => {
    const answered = await get(await linkOf(name));
    return String(answered.headers['set-cookie']).split(';')[0] ?? '';
  };
  const signedIn = async (role: 'member' | 'operator' | 'it', addresses: string[] = []): Promise<string> => {
    await store.add({ name: role, role, projects: [], addresses }, NOW);
    return `__Host-scanflow=${await store.signIn(role, '127.0.0.1', NOW)}`;
  };
  const post = (url: string, form: Record<string, string>, cookie: string) =>
    app.inject({
      method: 'POST',
      url,
      headers: {
        ...TLS,
        cookie,
        'sec-fetch-site': 'same-origin',
        'content-type': 'application/x-www-form-urlencoded',
      },
      payload: new URLSearchParams(form).toString(),
    });
  return { app, internal, store, clock, get, post, posts, linkOf, opened, signedIn, followers };
}
