/** Orders to services that a test answers, given by people of each role. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { FailureError } from '@scanflow/failure';
import fastify from 'fastify';
import { openUsersFile } from '../access/open.ts';
import type { Answered, Service } from '../sources/service.ts';
import { readForms } from '../web/request.ts';
import { addPauses } from '../pauses/routes.ts';
import { addActions } from './routes.ts';

const NOW = Temporal.Instant.from('2026-11-28T08:00:00Z').epochMilliseconds;
const SERIES = {
  seriesInstanceUid: '1.2',
  studyInstanceUid: '1',
  accessionNumber: 'A1',
  modality: 'MR',
  seriesNumber: '1',
  seriesDescription: 't1',
  state: 'failed',
  firstSeen: '2026-11-28T07:00:00Z',
  images: { inOrthanc: 1, stored: 0 },
  legs: [],
};

interface Posted {
  readonly service: string;
  readonly path: string;
  readonly body: object;
}

/** Answers posts by `answer`, and the search for series by those of `found`. */
export async function rig(
  t: TestContext,
  answer: (posted: Posted) => Answered | FailureError,
  found: () => readonly string[] = () => ['s1', 's2'],
) {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-actions-'));
  const store = openUsersFile(join(folder, 'users.sqlite'));
  const posts: Posted[] = [];
  const asks: string[] = [];
  const serviceCalled = (service: string): Service => ({
    ask: (path) => {
      asks.push(path);
      return Promise.resolve({ total: found().length, series: found().map((id) => ({ ...SERIES, id })) });
    },
    askEach: () => Promise.reject(new Error('not asked')),
    look: () => Promise.reject(new Error('not asked')),
    post: (path, body) => {
      posts.push({ service, path, body });
      const given = answer({ service, path, body });
      return given instanceof FailureError ? Promise.reject(given) : Promise.resolve(given);
    },
  });
  const app = fastify();
  readForms(app);
  const options = {
    store,
    now: () => NOW,
    services: {
      cal2wl: serviceCalled('cal2wl'),
      worklist: serviceCalled('worklist'),
      streamer: serviceCalled('streamer'),
    },
    facility: { name: 'Here', timezone: 'UTC', titleOf: () => undefined, hasDataset: () => false },
    scannerOf: new Map(),
  };
  addActions(app, options);
  addPauses(app, options);
  t.after(async () => {
    await app.close();
    await store.close();
    await rm(folder, { recursive: true });
  });
  const cookies = new Map<string, string>();
  for (const role of ['member', 'operator', 'it'] as const) {
    await store.add({ name: role, role, projects: ['3010000.01'], addresses: [] }, NOW);
    cookies.set(role, `scanflow=${await store.signIn(role, '127.0.0.1', NOW)}`);
  }
  const post = (url: string, form: Record<string, string>, who = 'it') =>
    app.inject({
      method: 'POST',
      url,
      headers: {
        host: '127.0.0.1',
        cookie: cookies.get(who) ?? '',
        'content-type': 'application/x-www-form-urlencoded',
      },
      payload: new URLSearchParams(form).toString(),
    });
  return {
    post,
    posts,
    asks,
    audited: async () =>
      (await store.audited(10)).map(({ who, what, subject, result }) => [who, what, subject, result]),
  };
}

export const done = (): Answered => ({ status: 200, body: {} });
export const once = (): { once: string } => ({ once: randomUUID() });
