import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Service } from '../sources/service.ts';
import {
  certificateChecks,
  diskChecks,
  orthancChecks,
  seriesChecks,
  serviceChecks,
  versionChecks,
} from './checks.ts';
import { createLooks } from './look.ts';
import { t } from '../texts/pages.ts';
import { HOSTILE, NOW, iso, rig } from '../web/board-kit.test.ts';
import { randomUUID } from 'node:crypto';

const DAY_MS = 86_400_000;

test('health: disks with little room, and those that do not answer, say what to do; one seen by several services is one', () => {
  const disk = (free: number) => ({ path: '/project', free, total: 100e9 });
  const states = diskChecks([
    { service: 'streamer', machine: { disks: [disk(50e9), disk(4e9), disk(1e9)], certificates: [] } },
    {
      service: 'cal2wl',
      machine: { disks: [disk(50e9), { path: '/data', failure: 'ENOENT' }], certificates: [] },
    },
    { service: 'worklist' },
  ]).map(({ state, todo }) => `${state}${todo === undefined ? '' : ' with what to do'}`);
  assert.deepEqual(states, [
    'good',
    'warn with what to do',
    'bad with what to do',
    'bad with what to do',
    'unknown',
  ]);
});

test('health: certificates that run out within three weeks, have run out, or cannot be read', () => {
  const at = (days: number) => ({ key: `in ${days}`, subject: 'CN=a', ends: days * DAY_MS + 1 });
  const certificates = [at(40), at(21), at(-1), { key: 'unread', failure: 'EACCES' }];
  const states = certificateChecks([{ service: 'a', machine: { disks: [], certificates } }], 0);
  assert.deepEqual(
    states.map(({ name, state }) => [name, state]),
    [
      ['in 40', 'good'],
      ['in 21', 'warn'],
      ['in -1', 'bad'],
      ['unread', 'bad'],
    ],
  );
  assert.equal(certificateChecks([], 0)[0]?.state, 'good');
});

test('health: versions that differ, an Orthanc that is silent, and series that wait for a person', () => {
  const of = (...versions: string[]) =>
    versions.map((version) => ({ name: 'a', version, detail: [], faults: [] }));
  assert.deepEqual(versionChecks(of('0.2.0', '0.2.0')), []);
  assert.equal(versionChecks(of('0.2.0', '0.1.0'))[0]?.state, 'warn');
  const silent = { answers: false, forSeconds: 60, code: 'ORTHANC_UNREACHABLE', message: 'x' };
  assert.deepEqual(
    orthancChecks({ orthanc: silent, ledger: 'ok', warning: 'y' }).map(({ state }) => state),
    ['bad', 'warn'],
  );
  const counts = { series: { failed: 2, quarantined: 1, complete: 5 }, legs: [], waiting: [] };
  assert.equal(seriesChecks(counts).length, 2);
  assert.equal(seriesChecks({ ...counts, series: { complete: 5 } })[0]?.state, 'good');
});

test('health: a button that is pressed and pressed asks once in two seconds; a page that is loaded once in ten', async () => {
  let [asked, time] = [0, 0];
  const away = () => Promise.reject(new Error('away'));
  const silent: Service = { ask: away, askEach: away, look: away, post: away };
  const streamer: Service = {
    ...silent,
    ask: () => {
      asked += 1;
      return Promise.resolve({ roots: [] });
    },
  };
  const looks = createLooks({
    gatherer: { part: (_name, read) => read() },
    services: { cal2wl: silent, worklist: silent, streamer },
    receiver: silent,
    ownMachine: away,
    now: () => time,
  });
  await Promise.all(Array.from({ length: 100 }, () => looks.roots(true)));
  assert.equal(asked, 1);
  time = 1_999;
  await looks.roots(true);
  assert.equal(asked, 1);
  time = 2_000;
  assert.equal((await looks.roots(false)).at, 0, 'what was seen before keeps its time');
  assert.equal(asked, 1, 'nobody pressed');
  assert.equal((await looks.roots(true)).at, 2_000);
  assert.equal(asked, 2);
  time = 12_000;
  await looks.roots(false);
  assert.equal(asked, 3);
});

test('health: a disk is judged by the floor of the configuration, where there is one', () => {
  const of = (free: number, least?: number) =>
    diskChecks([
      {
        service: 'streamer',
        machine: { disks: [{ path: '/p', free, total: 100e9, least }], certificates: [] },
      },
    ])[0];
  assert.equal(of(1e9, 5e8)?.state, 'good');
  assert.equal(of(3e10, 4e10)?.state, 'bad');
  assert.match(of(3e10, 4e10)?.text ?? '', /30\.0 GB of 100\.0 GB free, and storing waits below 40\.0 GB/);
});

test('health: facility IT has a service try things out; what failed says why, and what to do', async (t) => {
  const results = [
    {
      check: 'destination pacs',
      state: 'failed',
      message: '<b>nothing</b> listens',
      code: 'DEST_UNREACHABLE',
      todo: 'Start it.',
    },
    { check: 'destination mirror', state: 'ok', message: 'answers C-ECHO in 3 ms' },
  ];
  const at = Temporal.Instant.fromEpochMilliseconds(NOW).toString();
  const board = await rig(t, ({ path }) =>
    path === '/api/try/destinations' ? { status: 200, body: { at, results } } : { status: 404, body: {} },
  );
  const cookie = await board.signedIn('it');
  const page = async () => (await board.get('/health', { cookie })).body;
  assert.match(await page(), /<form method="post" action="\/health\/check" class="side">/);
  const once = randomUUID();
  const pressed = await board.post('/health/check', { check: 'destinations', once }, cookie);
  assert.equal(pressed.headers.location, '/health?check=destinations#destinations');
  await board.post('/health/check', { check: 'destinations', once }, cookie);
  assert.deepEqual(board.posts, [{ path: '/api/try/destinations', body: {} }], 'a form counts once');
  const shown = await page();
  assert.match(shown, /Tried\s+<time\s+datetime="2026-11-28T08:00:00Z"/);
  assert.match(shown, /&lt;b&gt;nothing&lt;\/b&gt; listens \(DEST_UNREACHABLE\)/);
  assert.match(shown, /Start it\./);
  assert.match(shown, /answers C-ECHO in 3 ms/);
  const [entry] = await board.store.audited(1);
  assert.deepEqual([entry?.what, entry?.subject, entry?.result], ['check', 'destinations', 'bad']);

  // a service of the version before has nothing to try
  await board.post('/health/check', { check: 'storage', once: randomUUID() }, cookie);
  assert.match(await page(), /cannot try it out: it is of another version than the board/);
  await board.post('/health/check', { check: 'certificates', once: randomUUID() }, cookie);
  assert.equal(board.posts.length, 2, 'nothing is tried of certificates');
  board.clock.now += 900_000;
  assert.doesNotMatch(await page(), /C-ECHO/, 'what was tried long ago says nothing of now');

  const operator = await board.signedIn('operator');
  const refused = await board.post('/health/check', { check: 'storage', once: randomUUID() }, operator);
  assert.equal(refused.statusCode, 403);
  assert.doesNotMatch((await board.get('/health', { cookie: operator })).body, /action="\/health\/check"/);
  assert.equal(board.posts.length, 2);
});

test('health: the certificate of the board itself is among those that run out', async (t) => {
  const certificates = [
    { key: 'dashboard.tls.certificate', subject: 'CN=board', ends: '2026-12-05T09:00:00Z' },
  ];
  const board = await rig(t, undefined, {}, () => Promise.resolve({ disks: [], certificates }));
  const { body } = await board.get('/health', { cookie: await board.signedIn('it') });
  assert.match(body, /dashboard\.tls\.certificate<\/b> CN=board: runs out in 7 days/);
});

test('health: whom the receiver and the worklist refused shows, as text, with what to do', async (t) => {
  const caller = (callingAet: string, more = {}) => ({
    ...{ callingAet, calledAet: 'ORTHANC', address: '10.1.2.3', count: 12, last: iso(-5), ...more },
  });
  const many = Array.from({ length: 12 }, (_, index) => caller(`SCANNER${index}`, { count: 1 }));
  const board = await rig(t, undefined, {
    '/api/senders': { senders: [], refused: [caller(HOSTILE, { why: `no \u202e${HOSTILE}` })] },
    '/api/rejected': { rejected: many },
  });
  const { body } = await board.get('/health', { cookie: await board.signedIn('it') });
  const section = (name: string): string =>
    body.split(`<section id="${name}"`)[1]?.split('</section>')[0] ?? '';
  const senders = section('senders');
  assert.match(senders, /<b>&quot;&gt;&lt;img src=x onerror=alert\(1\)&gt;<\/b>/);
  assert.match(senders, /from 10\.1\.2\.3, called ORTHANC, 12 times, last 2026-11-28 08:55:00\+01:00/);
  assert.match(senders, /Reason: no \\u202e/);
  assert.match(senders, /scanners\.NAME\.sends/);
  assert.doesNotMatch(body, /<img/);
  const worklist = section('worklist');
  assert.equal(worklist.match(/called ORTHANC, 1 time,/g)?.length, 10);
  assert.match(worklist, /refused 2 more callers/);
});

test('health: a calendar that takes no answers says why, with its code, and is otherwise good', async (t) => {
  const answer = { code: 'ANSWER_REFUSED', message: 'its server answered 403 <b>' };
  const board = await rig(t, undefined, {
    '/api/calendars': {
      calendars: [
        { calendar: 'prisma', state: 'good', bookings: 1, skipped: 0, rejected: 0, held: 0, answer },
      ],
    },
  });
  const { body } = await board.get('/health', { cookie: await board.signedIn('operator') });
  const calendars = body.split('<section id="calendars"')[1]?.split('</section>')[0] ?? '';
  assert.match(calendars, /class="check warn"/);
  assert.match(calendars, /takes no answers.*answered 403 &lt;b&gt; <code>ANSWER_REFUSED<\/code>/);
});

test('health: a destination that left the configuration shows while something waits for it, with what to do', async (t) => {
  const leg = (target: string, state: string) => ({ target, state, count: 3 });
  const legs = [leg('old-pacs', 'pending'), leg('ancient', 'done'), leg('commitment:old-pacs', 'pending')];
  const board = await rig(t, undefined, { '/api/board/counts': { series: {}, legs, waiting: [] } });
  const cookie = await board.signedIn('it');
  const { body } = await board.get('/health', { cookie });
  const section = body.split('<section id="destinations"')[1]?.split('</section>')[0] ?? '';
  assert.match(section, /old-pacs<\/b> 3 pending, 0 failed.*no longer has this destination/s);
  assert.doesNotMatch(section, /ancient|commitment/);
  const series = (await board.get('/series', { cookie })).body;
  assert.match(series, /<option value="old-pacs"/);
  assert.doesNotMatch(series, /ancient/);
});

test('health: BIDS that failed or waits too long shows with what to do, and a short queue does not', async (t) => {
  const run = (hook: string, more: object) => ({ hook, pending: 1, failed: 0, ...more });
  const counts = (hooks: object[]) => ({ '/api/board/counts': { series: {}, legs: [], waiting: [], hooks } });
  const series = async (hooks: object[]): Promise<string> => {
    const board = await rig(t, undefined, counts(hooks));
    const { body } = await board.get('/health', { cookie: await board.signedIn('operator') });
    return body.split('<section id="series"')[1]?.split('</section>')[0] ?? '';
  };
  const short = await series([run('bids', { waiting: iso(-60) })]);
  assert.doesNotMatch(short, /BIDS/);
  const late = await series([
    run('bids', { waiting: iso(-13 * 60) }),
    run('report', { waiting: iso(-13 * 60) }),
  ]);
  assert.match(late, /class="check warn".*<b>BIDS<\/b> 0 runs failed, 1 pending; the oldest began 13 h ago/s);
  assert.doesNotMatch(late, /report/);
  assert.match(
    await series([run('bids', { failed: 2 })]),
    /class="check bad".*2 runs failed.*scanflow bids status/s,
  );
});

test('health: a service that reports faults shows each with its code; one of a version before shows what it says', () => {
  const fault = {
    state: 'failing',
    code: 'STORE_DISK_FULL',
    message: '1 series waits. Free space.',
  } as const;
  const late = {
    state: 'degraded',
    code: 'CALENDAR_STALE',
    message: 'prisma was read an hour ago.',
  } as const;
  const service = { name: 'streamer', version: '1', detail: ['ledger: broken'] };
  const lines = (status: number, faults: readonly (typeof fault | typeof late)[]) =>
    serviceChecks({ ...service, status, faults }).map(
      ({ state, text, todo }) => `${state} ${text} ${String(todo ?? '')}`,
    );
  assert.deepEqual(lines(503, [fault, late]), [
    `bad ${t.health.failing} Version 1`,
    'bad 1 series waits. Free space. <code>STORE_DISK_FULL</code>',
    'warn prisma was read an hour ago. <code>CALENDAR_STALE</code>',
  ]);
  assert.deepEqual(lines(200, []), [`good ${t.health.ok} Version 1`]);
  assert.deepEqual(lines(503, []), [`bad ${t.health.failing} Version 1 · ledger: broken`]);
});
