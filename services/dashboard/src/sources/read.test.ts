import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { spanOf } from '../day/span.ts';
import { bookingsAnswer, performedAnswer } from './answers.ts';
import { asking, createGatherer } from './gather.ts';
import { bookingsOf, examsOf } from './read.ts';

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

test('read: the events of a day are those that touch it in the facility’s zone', () => {
  const answer = bookingsAnswer.parse({
    bookings: [
      event('2026-11-27T22:30:00Z', '2026-11-27T23:00:00Z'),
      event('2026-11-27T22:30:00Z', '2026-11-27T23:30:00Z'),
      event('2026-11-28T22:30:00Z', '2026-11-28T23:30:00Z'),
      event('2026-11-28T23:00:00Z', '2026-11-29T00:00:00Z'),
    ],
    skipped: [],
    rejected: [],
  });
  const ends = bookingsOf(answer, spanOf(DAY, ZONE)).map(({ end }) =>
    Temporal.Instant.fromEpochMilliseconds(end).toString(),
  );
  assert.deepEqual(ends, ['2026-11-27T23:30:00Z', '2026-11-28T23:30:00Z']);
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

const refused = (): Promise<never> => Promise.reject(new Error('refused'));
const empty = { bookings: [], skipped: [], rejected: [] };

test('gather: a service that is away leaves its part away since its first silence, the others stay', async () => {
  let now = 1000;
  const told: string[] = [];
  const gatherer = createGatherer({
    services: {
      cal2wl: () => Promise.resolve(empty),
      worklist: refused,
      streamer: () => Promise.resolve({ sessions: 'none' }),
    },
    timezone: ZONE,
    scanners: [],
    now: () => now,
    onAway: (part) => told.push(part),
  });
  await gatherer.day(DAY);
  now = 2000;
  const { bookings, items, sessions } = await gatherer.day(DAY);
  assert.deepEqual([bookings, items, sessions], [[], { since: 1000 }, { since: 1000 }]);
  assert.deepEqual(told.sort(), ['exams', 'items', 'sessions']);
});

test('ask: the token goes along; an answer that is no JSON, refused, redirected or endless is SERVICE_AWAY', async (t) => {
  const server = createServer((request, response) => {
    if (request.url === '/json') response.end(JSON.stringify({ token: request.headers.authorization }));
    else if (request.url === '/html') response.end('<html>');
    else if (request.url === '/moved') response.writeHead(302, { location: '/json' }).end();
    else if (request.url === '/large') {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(1 << 20, 32)));
      };
      response.on('drain', more).on('error', () => undefined);
      more();
    } else response.writeHead(401).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const ask = asking(`http://127.0.0.1:${port}`, () => Promise.resolve({ authorization: 'Bearer word' }));
  assert.deepEqual(await ask('/json'), { token: 'Bearer word' });
  for (const path of ['/html', '/moved', '/large', '/refused'])
    await assert.rejects(
      ask(path),
      (error) => (error as { failure?: { code: string } }).failure?.code === 'SERVICE_AWAY',
      path,
    );
});
