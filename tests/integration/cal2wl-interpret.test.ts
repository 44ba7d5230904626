/** Interpretation through the running service: settings, lists of projects, what is rejected. */
import assert from 'node:assert/strict';
import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { REJECT_CODES, SKIP_CODES, WARNING_CODES } from '@scanflow/booking';
import { makeCalendar, until, type CalendarEntry } from '@scanflow/testkit';
import {
  giving,
  soon,
  startCal2wlWith,
  startCalendarServer,
  temporaryFolder,
  type Cal2wl,
} from './cal2wl-support.ts';

const SCANNERS = 'scanners: { prisma: { aet: PRISMA, modality: MR }, skyra: { aet: SKYRA, modality: MR } }';

/** cal2wl over one calendar file, whose settings are `calendar`. */
async function scene(
  calendar: readonly string[],
  entries: readonly CalendarEntry[],
  play: (cal2wl: Cal2wl, show: (...shown: CalendarEntry[]) => Promise<void>) => Promise<void>,
): Promise<void> {
  const folder = await temporaryFolder();
  const data = join(folder.path, 'data');
  await mkdir(data, { recursive: true });
  const file = join(data, 'lab.ics');
  await writeFile(file, makeCalendar(entries));
  const cal2wl = await startCal2wlWith(data, [
    SCANNERS,
    'calendars:',
    '  lab:',
    '    file: lab.ics',
    ...calendar.map((line) => `    ${line}`),
    'bookings: { every: 100ms }',
  ]);
  try {
    await cal2wl.pass();
    await play(cal2wl, async (...shown) => {
      await writeFile(file, makeCalendar(shown));
      await cal2wl.pass();
    });
  } finally {
    await cal2wl.program.stop('SIGKILL');
    await folder.remove();
  }
}

test('scanner by location, category and X-DICOM labels of one calendar', () =>
  scene(
    ['scanner: { by: location, map: { Room 1: prisma, Room 2: skyra } }'],
    [
      soon('001', 2, { lines: ['LOCATION:room 1'] }),
      soon('002', 2, { lines: ['LOCATION:Room 2'] }),
      soon('003', 4, { lines: ['LOCATION:Canteen'] }),
      soon('004', 6, {
        summary: 'Sleep study',
        lines: ['LOCATION:Room 1', 'X-DICOM-PROJECT:P1', 'X-DICOM-SUBJECT:s4', 'X-DICOM-SESSION:2'],
      }),
    ],
    async (cal2wl) => {
      const { bookings, rejected } = await cal2wl.bookings();
      assert.deepEqual(
        bookings.map(({ uid, scanner }) => `${uid} ${String(scanner)}`),
        ['001 prisma', '002 skyra', '004 prisma'],
      );
      assert.deepEqual(
        rejected.map(({ code }) => code),
        ['SCANNER_UNKNOWN'],
      );
      const records = await cal2wl.records();
      assert.ok(records.some(({ labels }) => labels.subject === 's4' && labels.project === 'P1'));
    },
  ));

test('scanner by an attendee that is a room or a resource, by its name or its address', () =>
  scene(
    ['scanner: { by: resource, map: { MR 1: prisma, r2@example.org: skyra }, otherwise: skip }'],
    [
      soon('001', 2, { lines: ['ATTENDEE;CUTYPE=ROOM;CN=MR 1:mailto:r1@example.org'] }),
      soon('002', 2, { lines: ['ATTENDEE;CUTYPE=RESOURCE;CN=MR 2:mailto:r2@example.org'] }),
      soon('003', 4, { lines: ['ATTENDEE;CN=MR 1:mailto:somebody@example.org'] }),
    ],
    async (cal2wl) => {
      const { bookings, skipped } = await cal2wl.bookings();
      assert.deepEqual(
        bookings.map(({ uid, scanner }) => `${uid} ${String(scanner)}`),
        ['001 prisma', '002 skyra'],
      );
      assert.deepEqual(
        skipped.map(({ uid, code }) => `${uid} ${code}`),
        ['003 OTHER_PLACE'],
      );
    },
  ));

test('a calendar’s own patterns, defaults, policies and window', () =>
  scene(
    [
      'scanner: prisma',
      "patterns: ['^(?<subject>s\\d+)$']",
      "defaults: { project: P9, session: '1' }",
      'tentative: take',
      'window: { after: 24h }',
    ],
    [
      soon('1', 2, { summary: 's1' }),
      soon('2', 4, { summary: 's2', status: 'TENTATIVE' }),
      soon('3', 40, { summary: 's3' }),
    ],
    async (cal2wl) => {
      const records = await cal2wl.records();
      assert.deepEqual(records.map(({ patientId, labels }) => `${patientId} ${labels.session}`).sort(), [
        'P9_s1 1',
        'P9_s2 1',
      ]);
    },
  ));

test('rejected.json: every rejection with code and reason, no title; written only when it changes', () =>
  scene(
    ['scanner: prisma'],
    [soon('001', 2), soon('002', 4, { summary: 'Jane Doe', organizer: 'Somebody' })],
    async (cal2wl, show) => {
      const path = join(cal2wl.data, 'bookings', 'rejected.json');
      const read = async (): Promise<Record<string, unknown>[]> =>
        (JSON.parse(await readFile(path, 'utf8')) as { rejected: Record<string, unknown>[] }).rejected;
      const [first, ...none] = await read();
      assert.deepEqual(none, []);
      assert.deepEqual(Object.keys(first ?? {}), [
        'calendar',
        'scanner',
        'code',
        'reason',
        'uid',
        'start',
        'end',
      ]);
      assert.deepEqual([first?.['code'], first?.['uid']], ['NO_LABELS', '002']);
      assert.doesNotMatch(await readFile(path, 'utf8'), /Jane|Somebody/);
      assert.equal((await stat(path)).mode & 0o777, 0o640);
      const { mtimeNs } = await stat(path, { bigint: true });
      await cal2wl.pass();
      await cal2wl.pass();
      assert.equal((await stat(path, { bigint: true })).mtimeNs, mtimeNs);
      await show(soon('001', 2), soon('002', 4));
      await until(async () => (await read()).length === 0, { what: 'nothing rejected', timeoutMs: 60_000 });
      assert.doesNotMatch(cal2wl.program.output(), /Jane|Somebody/);
    },
  ));

test('projects: a list by http; while it does not answer, what it last said counts, also after a restart', async () => {
  const folder = await temporaryFolder();
  const data = join(folder.path, 'data');
  const server = await startCalendarServer(giving('# ours\n3010000.01\n'));
  await mkdir(data, { recursive: true });
  await writeFile(
    join(data, 'lab.ics'),
    makeCalendar([soon('001', 2), soon('002', 4, { summary: '3010000.02 sub-002 ses-1' })]),
  );
  const start = (): Promise<Cal2wl> =>
    startCal2wlWith(data, [
      SCANNERS,
      'calendars: { lab: { file: lab.ics, scanner: prisma } }',
      `bookings: { every: 100ms, projects: { url: 'http://127.0.0.1:${server.port}/projects' } }`,
    ]);
  let cal2wl = await start();
  try {
    for (const answers of [true, false]) {
      await cal2wl.pass();
      const { bookings, rejected } = await cal2wl.bookings();
      assert.deepEqual([bookings.length, rejected[0]?.code], [1, 'PROJECT_UNKNOWN'], `answers: ${answers}`);
      await cal2wl.program.stop('SIGKILL');
      server.answer = (_, response) => void response.writeHead(500).end();
      cal2wl = await start();
    }
    await cal2wl.pass();
    const [calendar] = (await cal2wl.get('/api/calendars')).body['calendars'] as {
      projects?: { code: string };
    }[];
    assert.match(String(calendar?.projects?.code), /^FETCH_/);
  } finally {
    await cal2wl.program.stop('SIGKILL');
    await server.close();
    await folder.remove();
  }
});

test('docs/booking-reference.md: tells every code, of interpretation and of reading, and no other', async () => {
  const page = await readFile('docs/booking-reference.md', 'utf8');
  const told = new Set(Array.from(page.matchAll(/^\| `([A-Z_]+)` +\|/gm), ([, code]) => code));
  const sources = 'packages/calendar/src';
  const reading = new Set<string>();
  for (const name of (await readdir(sources)).filter(
    (one) => one.endsWith('.ts') && !one.endsWith('.test.ts'),
  ))
    for (const [, code] of (await readFile(join(sources, name), 'utf8')).matchAll(
      /(?:EventError\(\s*|code: (?:known \? error\.code : )?)'([A-Z_]+)'/g,
    ))
      if (code !== undefined && !code.startsWith('FEED_')) reading.add(code);
  assert.ok(reading.size > 5, 'no codes of reading were found');
  const all = new Set<string>(['BOOKING', ...SKIP_CODES, ...REJECT_CODES, ...WARNING_CODES, ...reading]);
  assert.deepEqual(
    [...all].filter((code) => !told.has(code)),
    [],
    'not in docs/booking-reference.md',
  );
  assert.deepEqual(
    [...told].filter((code) => !all.has(code ?? '')),
    [],
    'in docs/booking-reference.md, but never given',
  );
});
