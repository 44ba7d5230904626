import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeCalendar, startRadicale, type Radicale } from '@scanflow/testkit';
import { openWay, type Way } from './cal2wl-caldav-way.ts';
import { close, startCalendars, type Calendars } from './cal2wl-fetch-support.ts';
import { soon, temporaryFolder } from './cal2wl-support.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let radicale: Radicale;
let way: Way;
let cal2wl: Calendars;

const event = (uid: string, hours: number, more: Parameters<typeof soon>[2] = {}): string =>
  makeCalendar([soon(uid, hours, more)]);

/** Methods and kinds of requests since a moment. */
const since = (from: number): string[] =>
  way.seen
    .slice(from)
    .map(({ method, body }) => `${method} ${/calendar-(?:query|multiget)/.exec(body)?.[0] ?? ''}`.trim());

before(async () => {
  folder = await temporaryFolder();
  radicale = await startRadicale({ folder: join(folder.path, 'radicale') });
  for (const name of ['prisma', 'empty']) await radicale.makeCalendar(name);
  way = await openWay(radicale.url);
  const address = way.server.address();
  assert.ok(address !== null && typeof address === 'object');
  const base = `http://127.0.0.1:${address.port}`;
  const wrong = join(folder.path, 'wrong');
  await writeFile(wrong, 'not the password');
  const login = `username: lab, passwordFile: ${radicale.passwordFile}`;
  for (const uid of ['001', '002', '003'])
    await radicale.put('prisma', `${uid}.ics`, event(uid, Number(uid)));
  cal2wl = await startCalendars(join(folder.path, 'data'), {
    prisma: `caldav: '${base}/lab/prisma/', ${login}`,
    plain: `url: '${radicale.url}/lab/prisma/', ${login}`,
    empty: `caldav: '${radicale.url}/lab/empty', ${login}`,
    account: `caldav: '${radicale.url}/lab/', ${login}`,
    missing: `caldav: '${radicale.url}/lab/nothing/', ${login}`,
    wrong: `caldav: '${radicale.url}/lab/prisma/', username: lab, passwordFile: ${wrong}`,
    nobody: `caldav: '${radicale.url}/lab/prisma/'`,
    token: `caldav: '${base}/lab/prisma/', tokenFile: ${wrong}`,
  });
});

after(async () => {
  await cal2wl.program.stop();
  await radicale.stop();
  await close(way.server);
  await folder.remove();
});

test('caldav: all events of a calendar in one request after one for its tag; without expand and time-range', async () => {
  const view = await cal2wl.see('prisma', { state: 'good', bookings: 3 });
  assert.equal(view.failure, undefined);
  const own = way.seen.filter(({ headers }) => headers.authorization?.startsWith('Basic'));
  assert.deepEqual(
    own.slice(0, 2).map(({ method }) => method),
    ['PROPFIND', 'REPORT'],
  );
  for (const { body } of way.seen) assert.doesNotMatch(body, /expand|time-range/);
});

test('caldav: the collection as a plain address gives the same; without events it is good', async () => {
  await cal2wl.see('plain', { state: 'good', bookings: 3 });
  await cal2wl.see('empty', { state: 'good', bookings: 0 });
});

test('caldav: while nothing changes only the tag is asked for', async () => {
  await cal2wl.see('prisma', { state: 'good' });
  const from = way.seen.length;
  await cal2wl.pass();
  await cal2wl.pass();
  const asked = new Set(since(from));
  assert.deepEqual([...asked], ['PROPFIND']);
});

test('caldav: of a change only the changed event is fetched', async () => {
  const from = way.seen.length;
  await radicale.put(
    'prisma',
    '002.ics',
    event('002', 2, { summary: '3010000.01 sub-002 ses-mri02', sequence: 1 }),
  );
  await radicale.put('prisma', '004.ics', event('004', 5));
  await cal2wl.see('prisma', { state: 'good', bookings: 4 });
  const reports = way.seen.slice(from).filter(({ method }) => method === 'REPORT');
  for (const { body } of reports)
    assert.ok(!body.includes('calendar-query') || !body.includes('calendar-data'), body);
  const fetched = reports.flatMap(({ body }) => [...body.matchAll(/(\d{3})\.ics/g)].map(([, name]) => name));
  assert.deepEqual([...new Set(fetched)].sort(), ['002', '004']);
});

test('caldav: a deleted event is gone, and titles of every kind arrive', async () => {
  await radicale.delete('prisma', '004.ics');
  await cal2wl.see('prisma', { state: 'good', bookings: 3 });
  // more than 64 KiB in one object, with what XML has to escape
  const description = `Grüße & <b>"mehr"</b> ]]> ${'é&>'.repeat(40_000)}\nProject: 3010000.01\nSubject: sub-005\nSession: ses-mri01`;
  await radicale.put('prisma', '005.ics', event('005', 6, { summary: 'x & y < z', description }));
  await cal2wl.see('prisma', { state: 'good', bookings: 4 });
  await cal2wl.see('plain', { state: 'good', bookings: 4 });
  await radicale.delete('prisma', '005.ics');
  await cal2wl.see('prisma', { state: 'good', bookings: 3 });
});

test('caldav: a series with a moved and a removed instance', async () => {
  const booked = soon('006', 7);
  // Radicale takes no zone without its VTIMEZONE in a series
  const first = { ...booked, start: booked.start.withTimeZone('UTC'), end: booked.end.withTimeZone('UTC') };
  const nextDay = first.start.add({ days: 1 });
  await radicale.put(
    'prisma',
    '006.ics',
    makeCalendar([
      { ...first, rrule: 'FREQ=DAILY;COUNT=4', exdates: [first.start.add({ days: 2 })] },
      {
        ...first,
        recurrenceId: nextDay,
        start: nextDay.add({ hours: 2 }),
        end: nextDay.add({ hours: 3 }),
        sequence: 1,
      },
    ]),
  );
  await cal2wl.see('prisma', { state: 'good', bookings: 6 });
  await radicale.delete('prisma', '006.ics');
  await cal2wl.see('prisma', { state: 'good', bookings: 3 });
});

const spoilt: [string, string, (body: string) => string][] = [
  ['cut off', 'FETCH_CUT', (body) => body.slice(0, -60)],
  ['empty', 'FETCH_CUT', () => ''],
  ['a page of HTML', 'FETCH_CUT', () => '<html><body>Please log in</body></html>'],
  ['of no event', 'FETCH_DAV', () => '<d:multistatus xmlns:d="DAV:"></d:multistatus>'],
  ['broken inside', 'FETCH_DAV', (body) => body.replaceAll('<propstat>', '<propstat><broken')],
];

for (const [name, code, spoil] of spoilt)
  test(`caldav: an answer that is ${name} keeps what was good`, async () => {
    way.spoil = spoil;
    const from = way.seen.length;
    try {
      const view = await cal2wl.see('prisma', { state: 'stale' });
      assert.equal(view.failure?.code, code);
      assert.equal(view.bookings, 3);
    } finally {
      way.spoil = undefined;
    }
    assert.ok(way.seen.length > from);
    await cal2wl.see('prisma', { state: 'good', bookings: 3 });
  });

test('caldav: events that an answer leaves out are not taken for deleted', async () => {
  way.spoil = (body) => body.replaceAll(/<C:calendar-data>[^]*?<\/C:calendar-data>/gi, '');
  await radicale.put('prisma', '007.ics', event('007', 8));
  try {
    const view = await cal2wl.see('prisma', { state: 'stale', bookings: 3 });
    assert.equal(view.failure?.code, 'FETCH_DAV');
  } finally {
    way.spoil = undefined;
  }
  await cal2wl.see('prisma', { state: 'good', bookings: 4 });
});

test('caldav: a damaged event is reported and costs no other', async () => {
  way.spoil = (body) =>
    body.replace(/(UID:007[^]*?)END:VEVENT\s*(?:&#13;)?\s*END:VCALENDAR/, (_all, text: string) => text);
  await radicale.put('prisma', '007.ics', event('007', 8, { sequence: 2 }));
  try {
    const view = await cal2wl.see('prisma', { state: 'good', bookings: 3, rejected: 1 });
    assert.equal(view.failure, undefined);
  } finally {
    way.spoil = undefined;
  }
  await radicale.put('prisma', '007.ics', event('007', 8, { sequence: 3 }));
  await cal2wl.see('prisma', { state: 'good', bookings: 4 });
});

test('caldav: what cannot be read says why', async () => {
  const views = await cal2wl.pass();
  const codes = Object.fromEntries(
    ['account', 'missing', 'wrong', 'nobody'].map((name) => [name, views[name]?.failure?.code]),
  );
  assert.deepEqual(codes, {
    account: 'FETCH_DAV',
    missing: 'FETCH_NOT_FOUND',
    wrong: 'FETCH_AUTH',
    nobody: 'FETCH_AUTH',
  });
  for (const name of ['account', 'missing', 'wrong', 'nobody'])
    assert.doesNotMatch(views[name]?.failure?.message ?? '/lab', /\/lab/);
});

test('caldav: a token is sent as bearer, and a refused one not again and again', async () => {
  const views = await cal2wl.pass();
  assert.equal(views['token']?.failure?.code, 'FETCH_AUTH');
  const sent = way.seen.filter(({ headers }) => headers.authorization?.startsWith('Bearer '));
  assert.equal(sent.length, 1);
  assert.equal(sent[0]?.headers.authorization, 'Bearer not the password');
});

test('caldav: after a restart nothing is fetched that is known, and deletions meanwhile are seen', async () => {
  await cal2wl.program.stop('SIGKILL');
  const address = way.server.address();
  assert.ok(address !== null && typeof address === 'object');
  const keys = `caldav: 'http://127.0.0.1:${address.port}/lab/prisma/', username: lab, passwordFile: ${radicale.passwordFile}`;
  let from = way.seen.length;
  cal2wl = await startCalendars(join(folder.path, 'data'), { prisma: keys });
  await cal2wl.see('prisma', { state: 'good', bookings: 4 });
  assert.deepEqual([...new Set(since(from))], ['PROPFIND']);
  await cal2wl.program.stop('SIGKILL');
  await radicale.delete('prisma', '007.ics');
  from = way.seen.length;
  cal2wl = await startCalendars(join(folder.path, 'data'), { prisma: keys });
  await cal2wl.see('prisma', { state: 'good', bookings: 3 });
  assert.equal(since(from).filter((one) => one === 'REPORT calendar-query').length, 1);
});

test('caldav: a server that is gone leaves the worklist as it was', async () => {
  await radicale.stop();
  const view = await cal2wl.see('prisma', { state: 'stale', bookings: 3 });
  assert.ok(view.failure);
});
