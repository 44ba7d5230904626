import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FailureError } from '@scanflow/failure';
import { done, once, rig } from './order-kit.test.ts';

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
