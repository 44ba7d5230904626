import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
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

/** Answers posts by `answer`, and the search for series by two of them. */
async function rig(t: TestContext, answer: (posted: Posted) => Answered | FailureError) {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-actions-'));
  const store = openUsersFile(join(folder, 'users.sqlite'));
  const posts: Posted[] = [];
  const serviceCalled = (service: string): Service => ({
    ask: () => Promise.resolve({ total: 2, series: ['s1', 's2'].map((id) => ({ ...SERIES, id })) }),
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
    facility: { name: 'Here', timezone: 'UTC', titleOf: () => undefined },
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
    audited: async () =>
      (await store.audited(10)).map(({ who, what, subject, result }) => [who, what, subject, result]),
  };
}

const done = (): Answered => ({ status: 200, body: {} });
const once = (): { once: string } => ({ once: randomUUID() });

test('actions: facility IT retries a target, skips a hook and accepts what a calendar lost; the log says who', async (t) => {
  const { post, posts, audited } = await rig(t, done);
  const answers = [
    await post('/series/s1/retry', { ...once(), target: 'pacs', back: 'B1' }),
    await post('/series/s1/skip', { ...once(), target: 'nifti' }),
    await post('/calendars/prisma/accept', once()),
  ];
  assert.deepEqual(
    answers.map(({ statusCode, headers }) => [statusCode, headers.location]),
    [
      [303, '/session/B1?said=retry'],
      [303, '/session/s1?said=skip'],
      [303, '/health?said=accept'],
    ],
  );
  assert.deepEqual(posts, [
    { service: 'streamer', path: '/api/series/s1/retry', body: { by: 'it', target: 'pacs' } },
    { service: 'streamer', path: '/api/series/s1/skip', body: { by: 'it', target: 'nifti' } },
    { service: 'cal2wl', path: '/api/board/accept/prisma', body: {} },
  ]);
  assert.deepEqual(await audited(), [
    ['it', 'accept', 'prisma', 'done'],
    ['it', 'skip', 's1', 'done'],
    ['it', 'retry', 's1', 'done'],
  ]);
});

test('actions: nobody else may, and nothing is sent on', async (t) => {
  const { post, posts } = await rig(t, done);
  const pages = ['/series/s1/retry', '/series/s1/skip', '/series/s1/release', '/series/s1/preview'];
  const many = ['/series/retry', '/series/skip', '/series/release', '/series/move', '/series/many'];
  const others = ['/series/s1/move', '/series/s1/preview-move', '/destinations/pacs/pause'];
  const rest = ['/destinations/pacs/resume', '/destinations/pause', '/calendars/prisma/accept'];
  for (const url of [...pages, ...many, ...others, ...rest])
    for (const who of ['member', 'operator'])
      assert.equal((await post(url, once(), who)).statusCode, 403, `${who} ${url}`);
  const stranger = await post('/series/s1/retry', once(), 'nobody');
  assert.deepEqual([stranger.statusCode, stranger.headers.location], [303, '/sign-in?next=%2F']);
  assert.deepEqual(posts, []);
});

test('actions: a form that comes twice, or without its word, is done at most once', async (t) => {
  const { post, posts, audited } = await rig(t, done);
  const form = once();
  await post('/series/s1/retry', form);
  const again = await post('/series/s1/retry', form);
  assert.equal(again.headers.location, '/session/s1?said=again');
  await post('/series/s1/retry', {});
  assert.equal(posts.length, 1);
  assert.deepEqual(
    (await audited()).map((entry) => entry[3]),
    ['sent twice', 'sent twice', 'done'],
  );
});

test('actions: a refusal says why nothing was done; without an answer nobody says so', async (t) => {
  const away = new FailureError({ kind: 'transient', code: 'SERVICE_AWAY', message: 'it does not answer' });
  const { post, audited } = await rig(t, ({ path }) =>
    path.includes('/refused/') ? { status: 409, body: { error: 'It is <b>stored</b> already.' } } : away,
  );
  const refused = await post('/series/refused/retry', once());
  assert.equal(refused.statusCode, 409);
  assert.match(refused.body, /Nothing was done/);
  assert.match(refused.body, /It is &lt;b&gt;stored&lt;\/b&gt; already\./);
  const unknown = await post('/series/s1/retry', once());
  assert.equal(unknown.statusCode, 503);
  assert.match(unknown.body, /not known whether this was done/);
  assert.doesNotMatch(unknown.body, /Nothing was done/);
  assert.deepEqual(
    (await audited()).map((entry) => entry[3]),
    ['not known: 503', 'refused: 409'],
  );
});

test('actions: a filter is retried after a page that counts; what failed is not counted as done', async (t) => {
  const { post, posts, audited } = await rig(t, ({ path }) => ({
    status: path.includes('/s2/') ? 409 : 200,
    body: {},
  }));
  const asked = await post('/series/retry', { state: 'failed' });
  assert.match(asked.body, /\b2\b/);
  assert.deepEqual(posts, []);
  const confirmed = await post('/series/retry', { ...once(), state: 'failed', confirmed: 'yes' });
  assert.match(confirmed.body, /\b1\b.*\b2\b/s);
  assert.deepEqual(
    posts.map(({ path }) => path),
    ['/api/series/s1/retry', '/api/series/s2/retry'],
  );
  assert.deepEqual(await audited(), [
    ['it', 'retry all', 'state=failed', '1 of 2'],
    ['it', 'retry', 's1', 'done'],
  ]);
  assert.equal((await post('/series/retry', { state: 'odd' })).statusCode, 400);
});

test('actions: a streamer that falls silent is asked no more', async (t) => {
  const away = new FailureError({ kind: 'transient', code: 'SERVICE_AWAY', message: 'it does not answer' });
  const { post, posts, audited } = await rig(t, () => away);
  await post('/series/retry', { ...once(), state: 'failed', confirmed: 'yes' });
  assert.equal(posts.length, 1);
  assert.deepEqual(
    (await audited()).map((entry) => entry[3]),
    ['0 of 2'],
  );
});

test('actions: a destination is paused with a reason and resumed, by name or from the list', async (t) => {
  const { post, posts, audited } = await rig(t, done);
  const answers = [
    await post('/destinations/pause', { ...once(), destination: 'pacs', reason: ' the archive is updated ' }),
    await post('/destinations/pacs/resume', once()),
  ];
  assert.deepEqual(
    answers.map(({ headers }) => headers.location),
    ['/series?said=pause', '/series?said=resume'],
  );
  assert.deepEqual(posts, [
    {
      service: 'streamer',
      path: '/api/destinations/pacs/pause',
      body: { by: 'it', reason: 'the archive is updated' },
    },
    { service: 'streamer', path: '/api/destinations/pacs/resume', body: { by: 'it' } },
  ]);
  assert.deepEqual(await audited(), [
    ['it', 'resume', 'pacs', 'done'],
    ['it', 'pause', 'pacs', 'done'],
  ]);
});

test('actions: a filter is moved after a page with the count and both paths of each, with what was chosen', async (t) => {
  const { post, posts, audited } = await rig(t, ({ path, body }) => ({
    status: 200,
    body: path.endsWith('/preview')
      ? { path: `/project/${JSON.stringify(body).length}/${path.split('/')[4] ?? ''}` }
      : {},
  }));
  const order = {
    'do-project': 'p2',
    'do-subject': 's',
    'do-session': 't',
    'do-reason': 'wrong',
    'do-send': 'yes',
  };
  const form = { action: 'move', project: 'p1', ...order };
  const shown = await post('/series/many', form);
  assert.match(shown.body, /Move 2 series\?/);
  for (const id of ['s1', 's2']) assert.match(shown.body, new RegExp(`/project/\\d+/${id}`));
  assert.match(shown.body, /its hooks run again/);
  assert.ok(posts.every(({ path }) => path.endsWith('/preview')));
  const before = posts.length;
  await post('/series/move', { ...form, ...once(), confirmed: 'yes' });
  const body = { by: 'it', project: 'p2', subject: 's', session: 't', reason: 'wrong', send: true };
  assert.deepEqual(
    posts.slice(before).map((one) => [one.path, one.body]),
    [
      ['/api/series/s1/move', body],
      ['/api/series/s2/move', body],
    ],
  );
  assert.deepEqual((await audited())[0], ['it', 'move all', 'project=p1', '2 of 2']);
});

test('actions: an order of many that lacks something says what, and nothing is asked', async (t) => {
  const { post, posts } = await rig(t, done);
  const bad: readonly (readonly [Record<string, string>, RegExp])[] = [
    [{ action: 'odd' }, /Choose what to do/],
    [{ action: 'skip', 'do-target': 'pacs' }, /Name the hook/],
    [{ action: 'release', 'do-project': 'p' }, /Give project, subject and session/],
    [{ action: 'move', 'do-project': 'p', 'do-subject': 's', 'do-session': 't' }, /Give a reason/],
  ];
  for (const [form, text] of bad) {
    const answer = await post('/series/many', form);
    assert.equal(answer.statusCode, 400);
    assert.match(answer.body, text);
  }
  assert.deepEqual(posts, []);
});
