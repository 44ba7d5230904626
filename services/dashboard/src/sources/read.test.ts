import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAway } from '../journey/facts.ts';
import { spanOf } from '../day/facts.ts';
import { bookingsAnswer, performedAnswer } from './answers.ts';
import { createGatherer } from './gather.ts';
import { bookingsOf, examsOf } from './read.ts';
import type { Service } from './service.ts';

const DAY = Temporal.PlainDate.from('2026-11-28');
const ZONE = 'Europe/Amsterdam';
const event = (start: string, end: string, more = {}): object => ({
  outcome: 'booking',
  code: 'BOOKED',
  reason: '',
  calendar: 'prisma',
  scanner: 'prisma',
  uid: start,
  start,
  end,
  ...more,
});

test('read: an event that is no booking has its title, a booking its labels', () => {
  const labels = { project: '3010000.01', subject: 'sub-007', session: 'ses-mri01' };
  const answer = bookingsAnswer.parse({
    bookings: [
      event('2026-11-27T22:30:00Z', '2026-11-27T23:00:00Z', {
        ...labels,
        summary: 'x',
        accessionNumber: 'A1',
      }),
      event('2026-11-27T22:30:00Z', '2026-11-27T23:30:00Z', { outcome: 'rejected', summary: 'tue Anna' }),
      { ...event('', ''), start: undefined, end: undefined },
    ],
  });
  assert.deepEqual(
    bookingsOf(answer).map(({ labels: own, title, outcome }) => [outcome, own, title]),
    [
      ['booking', labels, undefined],
      ['rejected', undefined, 'tue Anna'],
    ],
  );
});

test('read: a day on which clocks change has 23 or 25 hours', () => {
  const hours = (day: string): number => {
    const { from, to } = spanOf(Temporal.PlainDate.from(day), ZONE);
    return (to - from) / 3_600_000;
  };
  assert.deepEqual([hours('2026-03-29'), hours('2026-10-25'), hours('2026-11-28')], [23, 25, 24]);
});

test('read: an exam that still runs past midnight stands on both days', () => {
  const answer = performedAnswer.parse({
    steps: [
      {
        sopInstanceUid: '1',
        state: 'IN PROGRESS',
        created: '2026-11-28T22:00:00Z',
        updated: '2026-11-28T23:10:00Z',
        stale: false,
        wrongItem: false,
        scanner: null,
        links: [],
        items: [],
        series: [],
      },
    ],
  });
  for (const day of [DAY, DAY.add({ days: 1 })]) assert.equal(examsOf(answer, spanOf(day, ZONE)).length, 1);
  assert.equal(examsOf(answer, spanOf(DAY.add({ days: 2 }), ZONE)).length, 0);
});

const answering = (answer: () => Promise<unknown>): Service => ({
  ask: answer,
  askEach: async () => [await answer()],
  look: async () => ({ status: 200, body: await answer() }),
  post: async () => ({ status: 200, body: await answer() }),
});

test('gather: a service that is away leaves its part away since its first silence, the others stay', async () => {
  let now = 1000;
  const logged: string[] = [];
  const gatherer = createGatherer({
    services: {
      cal2wl: answering(() => Promise.resolve({ bookings: [] })),
      worklist: answering(() => Promise.reject(new Error('refused'))),
      streamer: answering(() => Promise.resolve({ sessions: 'none' })),
    },
    timezone: ZONE,
    scanners: [],
    now: () => now,
    onAway: (part) => logged.push(part),
  });
  await gatherer.day(DAY);
  now = 2000;
  const { bookings, items, sessions } = await gatherer.day(DAY);
  assert.deepEqual([bookings, items, sessions], [[], { since: 1000 }, { since: 1000 }]);
  assert.deepEqual(logged.sort(), ['exams', 'items', 'sessions']);
});

test('gather: the mark changes with what pages show, and not with each pass over the calendars', async () => {
  let bookings: unknown = { at: 'first', bookings: [] };
  const empty = answering(() => Promise.resolve({}));
  const gatherer = createGatherer({
    services: { cal2wl: answering(() => Promise.resolve(bookings)), worklist: empty, streamer: empty },
    timezone: ZONE,
    scanners: [],
    now: () => 0,
    onAway: () => undefined,
  });
  const first = await gatherer.mark();
  bookings = { at: 'second', bookings: [] };
  assert.equal(await gatherer.mark(), first);
  bookings = { at: 'second', bookings: [{}] };
  assert.notEqual(await gatherer.mark(), first);
});

test('calendars: a hundred who ask between two changes cost one reading, and its time stays with it', async () => {
  let [revision, now] = [1, 5_000];
  const asked: string[] = [];
  const page = (path: string): Promise<unknown> => {
    asked.push(path);
    return Promise.resolve({ calendars: [], bookings: [], skipped: [], rejected: [] });
  };
  const cal2wl: Service = { ...answering(() => assert.fail()), ask: page };
  const gatherer = createGatherer({
    services: { cal2wl, worklist: answering(() => assert.fail()), streamer: answering(() => assert.fail()) },
    timezone: ZONE,
    scanners: [],
    now: () => now,
    onAway: (_part, error) => assert.fail(error as Error),
    revision: () => revision,
  });
  const all = await Promise.all(Array.from({ length: 100 }, () => gatherer.calendars()));
  now += 3_000;
  assert.deepEqual(new Set([...all, await gatherer.calendars()]).size, 1, 'the same object');
  assert.equal(all[0]?.at, 5_000);
  assert.deepEqual(asked, ['/api/calendars', '/api/bookings']);
  revision += 1;
  assert.equal((await gatherer.calendars()).at, 8_000);
});

test('day: images are asked for by the bookings and exams of the day; a streamer of before by time alone', async () => {
  const asked: string[] = [];
  let status = 200;
  const sessions = { sessions: [], hooks: [] };
  const streamer: Service = {
    ask: (path) => {
      asked.push(`GET ${path}`);
      return Promise.resolve(sessions);
    },
    askEach: () => assert.fail(),
    look: () => assert.fail(),
    post: (path, body) => {
      asked.push(`POST ${path} ${JSON.stringify(body)}`);
      return Promise.resolve({ status, body: status === 200 ? sessions : {} });
    },
  };
  const booking = {
    ...{ outcome: 'booking', calendar: 'prisma', code: 'BOOKING', reason: 'x', accessionNumber: 'A1' },
    ...{ start: '2026-11-28T08:00:00Z', end: '2026-11-28T09:00:00Z' },
  };
  const gatherer = createGatherer({
    services: {
      cal2wl: answering(() => Promise.resolve({ bookings: [booking] })),
      worklist: {
        ...answering(() => assert.fail()),
        // it takes no filter on either page, and refuses what it does not know
        ask: (path) =>
          path.includes('?') ? assert.fail(path) : Promise.resolve({ items: [], left: [], steps: [] }),
      },
      streamer,
    },
    timezone: 'UTC',
    scanners: [],
    now: () => 0,
    onAway: (_part, error) => assert.fail(error as Error),
  });
  await gatherer.day(DAY);
  status = 404;
  await gatherer.day(DAY);
  const [from, to] = [DAY, DAY.add({ days: 1 })].map((day) => `${day.toString()}T00:00:00Z`);
  const post = `POST /api/board/sessions?from=${from}&to=${to} {"accessions":["A1"],"studies":[],"series":[]}`;
  const [first, last] = [DAY.subtract({ days: 1 }), DAY.add({ days: 8 })].map(
    (day) => `${day.toString()}T00:00:00Z`,
  );
  assert.deepEqual(asked, [post, post, `GET /api/board/sessions?from=${first}&to=${last}`]);
});

test('day: one answer between two changes; what was known of a service that is away stays', async () => {
  let [looks, revision, isAway, now] = [0, 1, false, 1000];
  const bookings = [
    { outcome: 'booking', calendar: 'a', code: 'B', reason: 'x', start: '2026-11-28T08:00:00Z' },
  ];
  const gatherer = createGatherer({
    services: {
      cal2wl: answering(() => {
        looks += 1;
        return isAway ? Promise.reject(new Error('refused')) : Promise.resolve({ bookings });
      }),
      worklist: answering(() => Promise.resolve({ items: [], left: [], steps: [] })),
      streamer: answering(() => Promise.resolve({ sessions: [], hooks: [] })),
    },
    timezone: ZONE,
    scanners: [],
    now: () => now,
    onAway: () => undefined,
    revision: () => (isAway ? undefined : revision),
  });
  const first = await gatherer.day(DAY);
  assert.equal(await gatherer.day(DAY), first, 'the same object');
  assert.equal(looks, 1);
  revision += 1;
  assert.notEqual(await gatherer.day(DAY), first);
  now += 60_000;
  await gatherer.day(DAY);
  assert.equal(looks, 3, 'not for ever');
  isAway = true;
  const dark = await gatherer.day(DAY);
  assert.deepEqual(dark.bookings, { since: now });
  assert.deepEqual(dark.last?.bookings, first.bookings);
  isAway = false;
  revision += 1;
  assert.equal((await gatherer.day(DAY)).last, undefined);
});

test('day: who asks after a change never gets an answer of before it', async () => {
  let [revision, text] = [1, 'before'];
  const waiting: (() => void)[] = [];
  const gatherer = createGatherer({
    services: {
      cal2wl: answering(async () => {
        const calendar = text;
        await new Promise<void>((resolve) => waiting.push(resolve));
        return {
          bookings: [{ outcome: 'booking', calendar, code: 'B', reason: 'x', start: '2026-11-28T08:00:00Z' }],
        };
      }),
      worklist: answering(() => Promise.resolve({ items: [], left: [], steps: [] })),
      streamer: answering(() => Promise.resolve({ sessions: [], hooks: [] })),
    },
    timezone: ZONE,
    scanners: [],
    now: () => 0,
    onAway: () => undefined,
    revision: () => revision,
  });
  const old = gatherer.day(DAY);
  revision += 1;
  text = 'after';
  const both = Promise.all([gatherer.day(DAY), gatherer.day(DAY)]);
  assert.equal(waiting.length, 2, 'the two share one look');
  for (const go of waiting) go();
  await old;
  const [one, two] = await both;
  assert.equal(one, two);
  assert.equal(isAway(one.bookings) ? undefined : one.bookings[0]?.calendar, 'after');
});
