import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Service } from '../sources/service.ts';
import { createPlans } from '../sources/plan.ts';
import { HOSTILE, iso, rig } from '../web/board-kit.test.ts';

const ID = 'ab12cd34';
const one = (id: string, project = 'p'): object => ({
  ...{ id, seriesInstanceUid: `1.${id}`, studyInstanceUid: '1', accessionNumber: 'A9', modality: 'MR' },
  ...{ seriesNumber: '1', seriesDescription: id, state: 'complete', firstSeen: iso(-5), legs: [] },
  ...{ images: { inOrthanc: 10, stored: 10 }, labels: { project, subject: 's', session: '1' } },
});
const FOUND = {
  sessions: [
    {
      ...{ id: ID, accessionNumber: 'A9', studyInstanceUids: ['1'], complete: true },
      ...{ firstSeen: iso(-5), updated: iso(-1), labels: { project: 'p', subject: 's', session: '1' } },
      series: [one('t1'), one('fancy'), one('secret', 'q')],
    },
  ],
  hooks: [],
};
const planned = (id: string, more: object = {}): object => ({
  ...{ id, folder: `raw/s/1/00-${id}`, seriesDescription: id, decision: 'convert', reason: 'by ReproIn' },
  ...{ outputs: [{ path: `sub-s/ses-1/anat/sub-s_ses-1_${id}` }], rule: 'ReproIn' },
  ...more,
});
const LEFT = { decision: 'unknown', reason: HOSTILE, outputs: [], suggestion: `- when: {x: '${HOSTILE}'}\n` };
const made = (more: object = {}): object => ({
  ok: true,
  now: {
    ...{ state: 'made', images: { t1: 10, fancy: 4 } },
    plan: {
      series: [planned('t1'), planned('fancy', LEFT), planned('secret')],
      conflicts: [
        { code: 'BIDS_NAME_TAKEN', message: `Two: ${HOSTILE}`, series: ['t1'] },
        { code: 'BIDS_SECRET', message: 'of another project', series: ['secret'] },
      ],
    },
    was: [{ id: 't1', folder: 'raw/s/1/00-t1', images: 8, paths: ['sub-s/ses-1/anat/sub-s_ses-1_old'] }],
    ...more,
  },
});
const PLAN = `/api/bids/plan?session=${ID}`;
const board = (t: Parameters<typeof rig>[0], plan: unknown, answer?: Parameters<typeof rig>[1]) =>
  rig(t, answer, {
    '/api/board/find': FOUND,
    '/api/board/bookings?find=A9': { bookings: [] },
    ...{ '/api/board/bookings?find=ab12cd34': { bookings: [] }, [PLAN]: plan },
  });

test('plan: series with names and reasons, conflicts, what is left with its rule, and what would change; as text', async (t) => {
  const { get, signedIn } = await board(t, made());
  const { statusCode, body } = await get('/session/A9', { cookie: await signedIn('it') });
  assert.equal(statusCode, 200);
  assert.match(body, /00-t1<\/th>[^]*sub-s_ses-1_t1<\/code>[^]*by ReproIn/);
  assert.match(body, /00-fancy<\/th>[^]*no rule takes it[^]*This rule would take 1 series that is left/);
  assert.match(body, /<code>BIDS_NAME_TAKEN<\/code> Two: &quot;/);
  assert.match(body, /1 added, 0 removed, 1 renamed, 0 the same/);
  assert.match(body, /href="\/session\/ab12cd34\/redo"/);
  assert.ok(!body.includes(HOSTILE));
});

test('plan: members see it for their projects without series of others, and may not order anything', async (t) => {
  const { get, post, store, signedIn, posts } = await board(t, made());
  const member = await signedIn('member');
  assert.equal((await get('/session/A9', { cookie: member })).statusCode, 404);
  assert.equal((await get(`/session/${ID}/redo`, { cookie: member })).statusCode, 403);
  assert.equal((await get(`/session/${ID}/redo`, { cookie: await signedIn('operator') })).statusCode, 403);
  await store.add({ name: 'own', role: 'member', projects: ['p'], addresses: [] }, 0);
  const own = `__Host-scanflow=${await store.signIn('own', '127.0.0.1', Temporal.Instant.from(iso(0)).epochMilliseconds)}`;
  const { statusCode, body } = await get('/session/A9', { cookie: own });
  assert.equal(statusCode, 200);
  assert.match(body, /sub-s_ses-1_t1/);
  for (const other of ['secret', 'BIDS_SECRET', '/redo']) assert.ok(!body.includes(other), other);
  assert.equal((await post(`/session/${ID}/redo`, {}, own)).statusCode, 403);
  assert.deepEqual(posts, []);
});

const fieldsIn = (body: string): Record<string, string> =>
  Object.fromEntries(
    [...body.matchAll(/name="(once|seen)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [
      name,
      value,
    ]),
  );

test('redo: shows what changes first, is ordered once, audited, and stands in the time line', async (t) => {
  const { get, post, posts, store, signedIn } = await board(t, made(), () => ({
    status: 200,
    body: { opened: [ID], left: [] },
  }));
  const cookie = await signedIn('it');
  const { body } = await get(`/session/${ID}/redo`, { cookie });
  assert.match(body, /1 added, 0 removed, 1 renamed, 0 the same/);
  assert.match(body, /renamed<\/td>[^]*2 images came[^]*sub-s_ses-1_old<\/code>[^]*sub-s_ses-1_t1<\/code>/);
  assert.ok(!body.includes(HOSTILE));
  const form = fieldsIn(body);
  const done = await post(`/session/${ID}/redo`, form, cookie);
  assert.equal(done.headers.location, `/session/${ID}?said=redo`);
  assert.deepEqual(posts, [{ path: '/api/bids/redo', body: { sessions: [ID], by: 'it' } }]);
  const again = await post(`/session/${ID}/redo`, form, cookie);
  assert.equal(again.headers.location, `/session/${ID}?said=again`);
  assert.equal(posts.length, 1);
  const audited = await store.auditedOf([ID], 9);
  assert.deepEqual(audited.map(({ what, result }) => `${what}: ${result}`).sort(), [
    'redo: done',
    'redo: sent twice',
  ]);
  const page = await get(`/session/${ID}?said=redo`, { cookie });
  assert.match(page.body, /converts the session again next/);
  assert.match(page.body, /it: redo the session/);
});

test('redo: a plan that changed since is shown anew, and a refusal has its reason', async (t) => {
  const pages = { plan: made() };
  const answer = {
    status: 200,
    body: { opened: [], left: [{ id: ID, reason: 'it is being converted now' }] },
  };
  const { get, post, posts, signedIn } = await rig(t, () => answer, {
    '/api/board/find': FOUND,
    '/api/board/bookings': { bookings: [] },
    get [PLAN]() {
      return pages.plan;
    },
  });
  const cookie = await signedIn('it');
  const first = fieldsIn((await get(`/session/${ID}/redo`, { cookie })).body);
  pages.plan = made({ images: { t1: 11 } });
  const changed = await post(`/session/${ID}/redo`, first, cookie);
  assert.equal(changed.statusCode, 409);
  assert.match(changed.body, /The plan changed since you looked/);
  assert.deepEqual(posts, []);
  const refused = await post(`/session/${ID}/redo`, fieldsIn(changed.body), cookie);
  assert.equal(refused.statusCode, 409);
  assert.match(refused.body, /it is being converted now/);
});

test('plan: a service that gives none, is at it, or says nonsense is a sentence, and the page stands', async (t) => {
  const failure = { kind: 'transient', code: 'BIDS_RULES', message: `rules.yaml:3 ${HOSTILE}` };
  for (const [plan, text] of [
    [{ ok: false, failure }, /There is no plan now\. rules\.yaml:3 &quot;/],
    [{ ok: true, now: { state: 'under way', done: 3, of: 12 } }, /3 of 12 series are read/],
    [{ ok: true, now: { state: 'made', plan: 7 } }, /The plan is not known now/],
    ['nonsense', /The plan is not known now/],
  ] as const) {
    const { get, signedIn } = await board(t, plan);
    const cookie = await signedIn('it');
    const { statusCode, body } = await get('/session/A9', { cookie });
    assert.equal(statusCode, 200);
    assert.match(body, text);
    assert.match(body, /<h2>\s*Series/);
    assert.ok(!body.includes(HOSTILE));
    const redo = await get(`/session/${ID}/redo`, { cookie });
    assert.match(redo.body, /Without a plan nothing is ordered here/);
    assert.doesNotMatch(redo.body, /<form method="post" action="\/session/);
  }
});

test('plan: the day asks for none, and a session that still grows neither', async (t) => {
  let asked = 0;
  const growing = FOUND.sessions.map((one) => ({ ...one, complete: false }));
  const pages = {
    '/api/board/find': { sessions: growing, hooks: [] },
    '/api/board/bookings': { bookings: [] },
  };
  // a page of its own, which is read only where it is asked for
  Object.defineProperty(pages, PLAN, {
    get: () => {
      asked += 1;
      return made();
    },
  });
  const { get, signedIn } = await rig(t, () => ({ status: 200, body: FOUND }), pages);
  const cookie = await signedIn('it');
  assert.match((await get('/', { cookie })).body, /p · s · 1/);
  assert.match((await get('/session/A9', { cookie })).body, /once no more images are expected/);
  assert.equal(asked, 0);
  Object.assign(pages, { '/api/board/find': FOUND });
  await get('/session/A9', { cookie });
  assert.equal(asked, 1);
});

test('plan: after a silence nobody waits again for ten seconds', async () => {
  const clock = { now: 0 };
  let asked = 0;
  const silent: Service = {
    ask: () => Promise.reject(new Error('unused')),
    askEach: () => Promise.reject(new Error('unused')),
    post: () => Promise.reject(new Error('unused')),
    look: () => {
      asked += 1;
      return Promise.reject(new Error('The operation was aborted due to timeout'));
    },
  };
  const plans = createPlans(silent, () => clock.now);
  for (const at of [0, 1, 9_999]) {
    clock.now = at;
    assert.equal((await plans(ID)).state, 'none');
  }
  assert.equal(asked, 1);
  clock.now = 10_000;
  await plans(ID);
  assert.equal(asked, 2);
});
