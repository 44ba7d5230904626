import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FailureError } from '@scanflow/failure';
import { done, once, rig } from './order-kit.test.ts';

/** The form that a page shows, as a browser sends it. */
const formIn = (page: string): Record<string, string> =>
  Object.fromEntries(
    [...page.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)].map(
      ([, name = '', value = '']) => [name, value],
    ),
  );

test('actions: a filter is retried after a page that counts; what failed is not counted as done', async (t) => {
  const { post, posts, audited } = await rig(t, ({ path }) => ({
    status: path.includes('/s2/') ? 409 : 200,
    body: {},
  }));
  const asked = await post('/series/retry', { state: 'failed' });
  assert.match(asked.body, /\b2\b/);
  assert.deepEqual(posts, []);
  const confirmed = await post('/series/retry', formIn(asked.body));
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

test('actions: a destination is given up for the series that lack something there, also one that left the configuration', async (t) => {
  const { post, posts, asks, audited } = await rig(t, done);
  const form = { action: 'skip', project: 'p1', 'do-target': 'old-pacs', 'do-reason': 'it is gone' };
  for (const who of ['member', 'operator'])
    assert.equal((await post('/series/many', form, who)).statusCode, 403, who);
  const shown = await post('/series/many', form);
  assert.match(shown.body, /Give up old-pacs for 2 series\?/);
  assert.match(shown.body, /it is gone/);
  const search = new URL(asks.at(-1) ?? '', 'http://x').searchParams;
  assert.deepEqual(
    ['project', 'target', 'leg'].map((key) => search.get(key)),
    ['p1', 'old-pacs', 'open'],
  );
  assert.equal(posts.length, 0);
  assert.equal((await post('/series/skip', formIn(shown.body), 'operator')).statusCode, 403);
  const answer = await post('/series/skip', formIn(shown.body));
  assert.match(answer.body, /Done for 2 of 2 series/);
  const body = { by: 'it', target: 'old-pacs', reason: 'it is gone' };
  assert.deepEqual(
    posts.map((one) => [one.path, one.body]),
    [
      ['/api/series/s1/skip', body],
      ['/api/series/s2/skip', body],
    ],
  );
  assert.deepEqual((await audited())[0], ['it', 'skip all', 'project=p1 old-pacs', '2 of 2']);
});

test('actions: a hook is given up for all series of the filter, since its runs are of sessions, too', async (t) => {
  const { post, asks } = await rig(t, done);
  await post('/series/many', { action: 'skip', 'do-target': 'hook:nifti' });
  assert.equal(new URL(asks.at(-1) ?? '', 'http://x').searchParams.get('leg'), null);
});

test('actions: a streamer that falls silent is asked no more', async (t) => {
  const away = new FailureError({ kind: 'transient', code: 'SERVICE_AWAY', message: 'it does not answer' });
  const { post, posts, audited } = await rig(t, () => away);
  const asked = await post('/series/retry', { state: 'failed' });
  await post('/series/retry', formIn(asked.body));
  assert.equal(posts.length, 1);
  assert.deepEqual(
    (await audited()).map((entry) => entry[3]),
    ['0 of 2'],
  );
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
  await post('/series/move', formIn(shown.body));
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

test('actions: a series that joins the filter after the page is left alone', async (t) => {
  const found = ['s1', 's2'];
  const { post, posts, audited } = await rig(t, done, () => found);
  const page = await post('/series/retry', { state: 'failed' });
  assert.match(page.body, /Retry 2 series\?/);
  found.unshift('s0');
  const answer = await post('/series/retry', formIn(page.body));
  assert.match(answer.body, /Done for 2 of 2 series\./);
  assert.deepEqual(
    posts.map(({ path }) => path),
    ['/api/series/s1/retry', '/api/series/s2/retry'],
  );
  assert.deepEqual((await audited())[0], ['it', 'retry all', 'state=failed', '2 of 2']);
});

test('actions: a series for which no path was shown is neither released nor moved', async (t) => {
  const { post, posts } = await rig(t, ({ path }) =>
    path.endsWith('/s1/preview')
      ? { status: 409, body: { error: 'it is not in quarantine' } }
      : { status: 200, body: path.endsWith('/preview') ? { path: '/project/there' } : {} },
  );
  const labels = { 'do-project': 'p', 'do-subject': 's', 'do-session': 't', 'do-reason': 'wrong' };
  for (const kind of ['release', 'move']) {
    const page = await post(`/series/${kind}`, labels);
    assert.match(page.body, /1 series\?/);
    assert.match(page.body, /1 series has no path and is left alone/);
    posts.length = 0;
    await post(`/series/${kind}`, formIn(page.body));
    assert.deepEqual(
      posts.map(({ path }) => path),
      [`/api/series/s2/${kind}`],
    );
  }
});

test('actions: an order that names series in no way of the page is refused; one that names none shows the page', async (t) => {
  const { post, posts } = await rig(t, done);
  for (const series of ['s1 ../x', 's1  s2', Array.from({ length: 501 }, (_, at) => `s${at}`).join(' ')])
    assert.equal((await post('/series/retry', { ...once(), series })).statusCode, 400, series);
  const page = await post('/series/retry', { ...once(), state: 'failed', confirmed: 'yes' });
  assert.match(page.body, /Retry 2 series\?/);
  assert.deepEqual(posts, []);
});

test('actions: an order of many that lacks something says what, and nothing is asked', async (t) => {
  const { post, posts } = await rig(t, done);
  const bad: readonly (readonly [Record<string, string>, RegExp])[] = [
    [{ action: 'odd' }, /Choose what to do/],
    [{ action: 'skip' }, /Name the destination or the hook/],
    [{ action: 'skip', 'do-target': 'storage' }, /Storage cannot be given up/],
    [{ action: 'skip', 'do-target': 'copy' }, /Name the destination or the hook/],
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
