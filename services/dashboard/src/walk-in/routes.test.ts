import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { BOOKING, HOSTILE, iso, rig } from '../web/board-kit.test.ts';

const FORM = {
  project: ' 3010000.01 ',
  subject: 'sub-001',
  session: 'ses-mri01',
  scanner: 'prisma',
  start: '2026-11-28T09:30',
};

test('walk-in: an operator sees what it becomes, and adds it; a form that comes twice is done once', async (t) => {
  const made = new Set<string>();
  const { get, post, posts, signedIn, store } = await rig(t, ({ path, body }) => {
    const { id } = body as { id: string };
    if (path.endsWith('/try'))
      return {
        status: 200,
        body: {
          ...BOOKING,
          scanner: 'prisma',
          uid: `${id}@walk-in.scanflow`,
          start: iso(30),
          end: iso(90),
          warnings: [],
        },
      };
    const isNew = !made.has(id);
    made.add(id);
    return { status: 200, body: { accessionNumber: 'A9', isNew } };
  });
  const cookie = await signedIn('operator', ['op@example.org']);
  assert.match((await get('/walk-in', { cookie })).body, /value="2026-11-28T09:00"/);
  const preview = await post('/walk-in/preview', FORM, cookie);
  assert.match(preview.body, /This becomes a booking/);
  assert.doesNotMatch(preview.body, /<img src=x onerror/);
  const [, word = ''] = /name="once" value="([0-9a-f-]{36})"/.exec(preview.body) ?? [];
  const first = await post('/walk-in', { ...FORM, once: word }, cookie);
  assert.deepEqual([first.statusCode, first.headers.location], [303, '/session/A9?said=walkIn']);
  const again = await post('/walk-in', { ...FORM, once: word }, cookie);
  assert.equal(again.headers.location, '/session/A9?said=again');
  assert.deepEqual(posts[1], {
    path: '/api/board/walk-in',
    body: {
      ...FORM,
      project: '3010000.01',
      start: '2026-11-28T08:30:00Z',
      id: word,
      by: 'operator',
      addresses: ['op@example.org'],
    },
  });
  const entries = (await store.audited(10)).map(({ who, what, subject, result }) => [
    who,
    what,
    subject,
    result,
  ]);
  assert.deepEqual(entries, [
    ['operator', 'walk-in', 'A9', 'sent twice'],
    ['operator', 'walk-in', 'A9', 'done'],
  ]);
});

test('walk-in: a refusal stands over the form as it was typed; silence is not known', async (t) => {
  const { post, signedIn, store } = await rig(t, ({ path }) =>
    path.endsWith('/try')
      ? { status: 200, body: { ...BOOKING, outcome: 'rejected', code: 'PROJECT_ENDED', reason: HOSTILE } }
      : { status: 503, body: {} },
  );
  const cookie = await signedIn('it');
  const refused = await post('/walk-in/preview', { ...FORM, subject: HOSTILE }, cookie);
  assert.equal(refused.statusCode, 422);
  assert.match(refused.body, /PROJECT_ENDED/);
  assert.doesNotMatch(refused.body, /<img/);
  assert.match(refused.body, /value="&quot;&gt;&lt;img src=x/);
  const bad = await post('/walk-in/preview', { ...FORM, start: 'soon' }, cookie);
  assert.deepEqual([bad.statusCode, /Give the start/.test(bad.body)], [422, true]);
  const unknown = await post('/walk-in', { ...FORM, once: randomUUID() }, cookie);
  assert.equal(unknown.statusCode, 503);
  assert.match(unknown.body, /not known whether this was done/);
  assert.equal((await store.audited(1))[0]?.result, 'not known: 503');
});

test('walk-in: members may not, nobody unknown may, and a form without its word adds nothing', async (t) => {
  const { get, post, posts, signedIn } = await rig(t);
  const member = await signedIn('member');
  assert.equal((await get('/walk-in', { cookie: member })).statusCode, 403);
  for (const path of ['/walk-in', '/walk-in/preview', '/walk-in/form', '/walk-in/A1/withdraw']) {
    assert.equal((await post(path, { ...FORM, once: randomUUID() }, member)).statusCode, 403, path);
    assert.equal((await post(path, FORM, '')).statusCode, 303, path);
  }
  const without = await post('/walk-in', FORM, await signedIn('operator'));
  assert.deepEqual([without.statusCode, without.headers.location], [303, '/walk-in']);
  assert.deepEqual(posts, []);
});

test('walk-in: it is withdrawn where nobody scanned it', async (t) => {
  const { post, posts, signedIn, store } = await rig(t, () => ({ status: 200, body: { withdrawn: true } }));
  const done = await post('/walk-in/A1/withdraw', { once: randomUUID() }, await signedIn('operator'));
  assert.deepEqual([done.statusCode, done.headers.location], [303, '/session/A1?said=withdrawn']);
  assert.deepEqual(posts, [{ path: '/api/board/walk-in/A1/withdraw', body: {} }]);
  assert.deepEqual((await store.audited(1))[0]?.result, 'done');
});
