/** `scanflow bookings`, run as a person and as a program run it. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeCalendar, run, type CalendarEntry, type RunResult } from '@scanflow/testkit';

const folder = await mkdtemp(join(tmpdir(), 'scanflow-bookings-'));
after(() => rm(folder, { recursive: true, force: true }));

const SCANFLOW = fileURLToPath(new URL('../../services/cli/bin/scanflow', import.meta.url));
const scanflow = (...args: string[]): Promise<RunResult> =>
  run(SCANFLOW, ['bookings', ...args], { cwd: folder });
const ZONE = ['--timezone', 'Europe/Amsterdam'];

interface Row {
  readonly outcome: string;
  readonly code: string;
  readonly reason: string;
  readonly start?: string;
  readonly uid?: string;
  readonly scanner?: string;
  readonly subject?: string;
  readonly accessionNumber?: string;
}

const entry = (uid: string, start: string, more: Partial<CalendarEntry> = {}): CalendarEntry => {
  const from = Temporal.PlainDateTime.from(start).toZonedDateTime('Europe/Amsterdam');
  return { uid, start: from, end: from.add({ hours: 1 }), summary: `3010000.01 sub-${uid} ses-01`, ...more };
};
const file = async (name: string, ...entries: CalendarEntry[]): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, makeCalendar(entries));
  return path;
};
const rows = async (...args: string[]): Promise<Row[]> => {
  const { code, stdout, stderr } = await scanflow(...args, '--json');
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Row[];
};

const calendar = await file(
  'prisma.ics',
  entry('003', '2026-11-21T14:00'),
  entry('001', '2026-11-21T10:00', { organizer: 'Jane Doe' }),
  entry('002', '2026-11-21T12:00', { summary: 'Busy' }),
  entry('004', '2026-11-21T16:00', { status: 'TENTATIVE' }),
  entry('005', '2026-11-21T18:00', { rrule: 'FREQ=DAILY;COUNT=2' }),
);
const WINDOW = ['--from', '2026-11-21T00:00:00Z', '--to', '2026-11-22T00:00:00Z'];

test('bookings --json: the whole of a booking, and no key that is not promised', async () => {
  const [first] = await rows(calendar, ...ZONE, ...WINDOW, '--scanner', 'prisma');
  const { accessionNumber, studyInstanceUid, reason, ...rest } = first as Row & { studyInstanceUid?: string };
  assert.deepEqual(rest, {
    outcome: 'booking',
    code: 'BOOKING',
    uid: '001',
    start: '2026-11-21T09:00:00Z',
    end: '2026-11-21T10:00:00Z',
    summary: '3010000.01 sub-001 ses-01',
    scanner: 'prisma',
    project: '3010000.01',
    subject: 'sub-001',
    session: 'ses-01',
  });
  assert.match(String(accessionNumber), /^[0-9A-HJKMNP-TV-Z]{16}$/);
  assert.match(String(studyInstanceUid), /^2\.25\.\d+$/);
  assert.notEqual(reason, '');
});

test('bookings --json: sorted by start, with what was skipped and rejected and why', async () => {
  const found = await rows(calendar, ...ZONE, ...WINDOW);
  assert.deepEqual(
    found.map(({ outcome, code, uid }) => `${uid ?? ''} ${outcome} ${code}`),
    [
      '001 booking BOOKING',
      '002 rejected NO_DETAILS',
      '003 booking BOOKING',
      '004 skipped TENTATIVE',
      '005 booking BOOKING',
    ],
  );
  assert.ok(found.every(({ reason }) => reason !== ''));
  assert.ok(
    found.every((row) => !('scanner' in row)),
    'a scanner that nobody named',
  );
});

test('bookings: the window is half open, and what overlaps it is shown', async () => {
  const uids = async (from: string, to: string): Promise<string[]> =>
    (await rows(calendar, ...ZONE, '--from', from, '--to', to)).map(({ uid }) => uid ?? '');
  assert.deepEqual(await uids('2026-11-21T10:00:00Z', '2026-11-21T11:00:00Z'), []);
  assert.deepEqual(await uids('2026-11-21T09:59:59Z', '2026-11-21T11:00:01Z'), ['001', '002']);
  assert.deepEqual(await uids('2026-11-21T15:00:00Z', '2026-11-21T15:00:01Z'), ['004']);
  assert.deepEqual(await uids('2026-11-22T00:00', '2026-11-23'), ['005']);
});

test('bookings: a moved booking keeps its accession number, a relabelled one does not', async () => {
  const accession = async (name: string, one: CalendarEntry): Promise<string | undefined> =>
    (await rows(await file(name, one), ...ZONE, ...WINDOW))[0]?.accessionNumber;
  const before = await accession('a.ics', entry('001', '2026-11-21T10:00'));
  assert.equal(await accession('b.ics', entry('001', '2026-11-21T15:00')), before);
  const summary = '3010000.01 sub-999 ses-01';
  assert.notEqual(await accession('c.ics', entry('001', '2026-11-21T10:00', { summary })), before);
});

test('bookings: a table for a person, with times of the zone, reasons and counts, and nothing is written', async () => {
  const before = await readdir(folder);
  const { code, stdout } = await scanflow(calendar, ...ZONE, ...WINDOW);
  assert.equal(code, 0);
  assert.match(stdout, /^Sat, 21 Nov 2026$/m);
  assert.match(stdout, /✓ 10:00–11:00 {2}3010000\.01 {2}sub-001 {2}ses-01/);
  assert.match(stdout, /✗ 12:00–13:00 {2}Busy {2}NO_DETAILS\n {6}The calendar shows no details/);
  assert.match(stdout, /^3 bookings, 1 skipped, 1 rejected$/m);
  assert.ok(!stdout.includes('\u001b'), 'colours in a file');
  assert.deepEqual(await readdir(folder), before);
});

test('bookings: no command of a title reaches the terminal', async () => {
  const path = await file('evil.ics', entry('001', '2026-11-21T10:00', { summary: 'a\u001b[2Jb\u0007c' }));
  const { stdout } = await scanflow(path, ...ZONE, ...WINDOW);
  assert.ok(!stdout.includes('\u001b') && !stdout.includes('\u0007'));
});

test('bookings --json: an event without a title has none, and a scanner that is given is that of every event', async () => {
  const path = await file(
    'untitled.ics',
    entry('001', '2026-11-21T10:00', { summary: '' }),
    entry('002', '2026-11-21T12:00', { status: 'TENTATIVE' }),
    entry('003', '2026-11-21T14:00', { rrule: 'FREQ=BANANA' }),
    entry('004', '2026-11-22T14:00', { rrule: 'FREQ=BANANA' }),
  );
  const found = await rows(path, ...ZONE, ...WINDOW, '--scanner', 'prisma');
  assert.deepEqual(
    found.map((row) => [row.code, 'summary' in row, row.scanner, row.start]),
    [
      ['NO_DETAILS', false, 'prisma', '2026-11-21T09:00:00Z'],
      ['TENTATIVE', true, 'prisma', '2026-11-21T11:00:00Z'],
      ['BAD_RULE', true, 'prisma', '2026-11-21T13:00:00Z'],
    ],
  );
});

test('bookings: CalDAV, proxies and certificates of the configuration are used, as cal2wl uses them', async () => {
  await writeFile(
    join(folder, 'special.yaml'),
    [
      'facility: { name: x, timezone: Europe/Amsterdam }',
      'data: /data',
      'scanners: { prisma: { aet: PRISMA, modality: MR } }',
      'calendars:',
      "  dav: { caldav: 'http://127.0.0.1:1/x/', scanner: prisma }",
      "  proxied: { url: 'http://127.0.0.1:1/x.ics', scanner: prisma, proxy: 'http://127.0.0.1:1' }",
      "  known: { url: 'https://127.0.0.1:1/x.ics', scanner: prisma, tls: { ca: ca.pem } }",
      "orthanc: { url: 'http://127.0.0.1:1' }",
      'storage: { root: /project }',
    ].join('\n'),
  );
  for (const [name, reason] of [
    ['dav', /127\.0\.0\.1:1 cannot be reached \(ECONNREFUSED\)/],
    ['proxied', /cannot be reached through the proxy 127\.0\.0\.1:1/],
    ['known', /the file .*ca\.pem cannot be read/],
  ] as const) {
    const { code, stdout, stderr } = await scanflow(name, '--config', 'special.yaml', '--json');
    assert.deepEqual([code, stdout], [2, ''], name);
    assert.match(stderr, reason, name);
  }
});

test('bookings: a calendar that cannot be read exits 2 with the reason', async () => {
  await writeFile(join(folder, 'page.ics'), '<html>Please log in</html>');
  const cases: [string[], RegExp][] = [
    [['nowhere.ics', ...ZONE], /ENOENT/],
    [['page.ics', ...ZONE], /FEED_|calendar/],
    [['http://127.0.0.1:1/x.ics', ...ZONE], /127\.0\.0\.1:1 cannot be reached/],
    [['http://', ...ZONE], /no address; one reads like https:/],
    [[calendar], /--timezone/],
    [[calendar, '--timezone', 'Mars/Olympus'], /--timezone/],
    [[calendar, ...ZONE, '--from', 'yesterday'], /--from/],
    [[calendar, ...ZONE, '--from', '2026-11-22', '--to', '2026-11-21'], /--to must come after/],
    [[calendar, '--config', 'nowhere.yaml'], /nowhere\.yaml/],
    [[], /takes a calendar/],
  ];
  for (const [args, reason] of cases) {
    const { code, stdout, stderr } = await scanflow(...args, '--json');
    assert.deepEqual([code, stdout], [2, ''], args.join(' '));
    assert.match(stderr, reason);
  }
});

test('bookings: an address, with its login but never with it in a message', async () => {
  const seen: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers.authorization);
    const found = request.url === '/prisma.ics';
    response.writeHead(found ? 200 : 403).end(found ? makeCalendar([entry('001', '2026-11-21T10:00')]) : '');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    const url = (path: string): string => `http://lab:geheim@127.0.0.1:${address.port}/${path}`;
    assert.equal((await rows(url('prisma.ics'), ...ZONE, ...WINDOW)).length, 1);
    assert.equal(seen[0], `Basic ${Buffer.from('lab:geheim').toString('base64')}`);
    const { code, stderr } = await scanflow(url('secret-token'), ...ZONE);
    assert.equal(code, 2);
    assert.match(stderr, /answered 403/);
    assert.doesNotMatch(stderr, /geheim|secret-token/);
  } finally {
    server.close();
  }
});

test('bookings: an address that redirects to the metadata service of a cloud leads nowhere', async () => {
  const server = createServer((_request, response) => {
    response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data/iam' }).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    const { code, stderr } = await scanflow(`http://127.0.0.1:${address.port}/x.ics`, ...ZONE);
    assert.equal(code, 2);
    assert.match(stderr, /redirected to 169\.254\.169\.254.*FETCH_INWARD/);
  } finally {
    server.close();
  }
});

test('bookings: with a configuration by name, by file and by scanner, its own patterns and projects', async () => {
  await file(
    'lab.ics',
    entry('001', '2026-11-21T10:00', { summary: 'P7/S12/1' }),
    entry('002', '2026-11-21T12:00', { summary: 'P8/S12/2' }),
  );
  await writeFile(join(folder, 'projects.txt'), '# ours\nP7\n');
  await writeFile(
    join(folder, 'scanflow.yaml'),
    [
      'facility: { name: x, timezone: Europe/Amsterdam }',
      'data: /data',
      'scanners: { prisma: { aet: PRISMA, modality: MR, characterSet: ISO_IR 6 }, skyra: { aet: SKYRA, modality: MR } }',
      'calendars:',
      '  lab:',
      '    file: lab.ics',
      '    scanner: prisma',
      '    projects: { file: projects.txt }',
      "    patterns: ['^(?<project>P\\d+)/(?<subject>S\\d+)/(?<session>\\d+)$']",
      '  other: { file: prisma.ics, scanner: skyra }',
      "orthanc: { url: 'http://127.0.0.1:1' }",
      'storage: { root: /project }',
    ].join('\n'),
  );
  const config = ['--config', 'scanflow.yaml', ...WINDOW];
  const found = await rows('lab', ...config);
  assert.deepEqual(
    found.map(({ code, subject, scanner }) => [code, subject, scanner]),
    [
      ['BOOKING', 'S12', 'prisma'],
      ['PROJECT_UNKNOWN', undefined, 'prisma'],
    ],
  );
  assert.deepEqual(await rows('lab.ics', ...config), found);
  assert.deepEqual((await rows('prisma.ics', ...config))[0]?.scanner, 'skyra');
  const copy = await file('copy.ics', entry('001', '2026-11-21T10:00', { summary: 'P7/S12/1' }));
  assert.equal(
    (await rows(copy, ...config, '--scanner', 'prisma'))[0]?.accessionNumber,
    found[0]?.accessionNumber,
  );
  assert.match((await scanflow(copy, ...config)).stderr, /which calendar/);
  assert.match((await scanflow(copy, ...config, '--scanner', 'nope')).stderr, /no scanner nope/);
});
