/** Who may book which project, what labels may be, and titles that keep a pattern busy: through the running service. */
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeCalendar, type CalendarEntry } from '@scanflow/testkit';
import type { BookingRecord } from '@scanflow/booking';
import { soon, startCal2wlWith, temporaryFolder, type Cal2wl } from './cal2wl-support.ts';

/** cal2wl over one calendar; `files` lie beside the configuration. */
async function scene(
  { bookings, files = {} }: { bookings: string; files?: Readonly<Record<string, string>> },
  entries: readonly CalendarEntry[],
  play: (cal2wl: Cal2wl, codes: Readonly<Record<string, string>>) => Promise<void>,
): Promise<void> {
  const folder = await temporaryFolder();
  const data = join(folder.path, 'data');
  await mkdir(data, { recursive: true });
  for (const [name, text] of Object.entries({ ...files, 'lab.ics': makeCalendar(entries) }))
    await writeFile(join(data, name), text);
  const cal2wl = await startCal2wlWith(data, [
    'scanners: { prisma: { aet: PRISMA, modality: MR }, skyra: { aet: SKYRA, modality: MR } }',
    'calendars: { lab: { file: lab.ics, scanner: prisma } }',
    `bookings: ${bookings}`,
  ]);
  try {
    await cal2wl.pass();
    const seen = await cal2wl.bookings();
    const all = [...seen.bookings, ...seen.rejected, ...seen.skipped];
    await play(cal2wl, Object.fromEntries(all.map(({ uid, code }) => [uid, code])));
  } finally {
    await cal2wl.program.stop('SIGKILL');
    await folder.remove();
  }
}

const of = (uid: string, project: string, hours: number, lines: readonly string[] = []): CalendarEntry =>
  soon(uid, hours, { summary: `${project} sub-${uid} ses-1`, lines });
const day = (days: number): string =>
  Temporal.Now.zonedDateTimeISO('Europe/Amsterdam').add({ days }).toPlainDate().toString();

test('projects: by whom, on which scanner, and when, as the list says; no name and no address is told', () =>
  scene(
    {
      bookings: '{ every: 100ms, projects: { file: projects.json } }',
      files: {
        'projects.json': JSON.stringify([
          '3010000.01',
          { project: '3010000.02', bookers: ['jane@example.org', 'lab.example.org'] },
          { project: '3010000.03', scanners: ['skyra'] },
          { project: '3010000.04', until: day(-3) },
          { project: '3010000.05', from: day(30) },
        ]),
      },
    },
    [
      of('001', '3010000.01', 1),
      of('002', '3010000.02', 2, ['ORGANIZER;CN=Jane Doe:MAILTO:Jane@Example.org']),
      of('003', '3010000.02', 3, ['ATTENDEE;CN=Somebody Else:mailto:somebody@lab.example.org']),
      of('004', '3010000.02', 4, [
        'ORGANIZER;CN=Mallory Smith:mailto:mallory@example.org',
        'ATTENDEE:mailto:jane@example.org',
      ]),
      of('005', '3010000.02', 5),
      of('006', '3010000.03', 6),
      of('007', '3010000.04', 7),
      of('008', '3010000.05', 8),
      of('009', '3010000.09', 9),
    ],
    async (cal2wl, codes) => {
      assert.deepEqual(codes, {
        '001': 'BOOKING',
        '002': 'BOOKING',
        '003': 'BOOKING',
        '004': 'PROJECT_NOT_YOURS',
        '005': 'PROJECT_NOT_YOURS',
        '006': 'PROJECT_NOT_HERE',
        '007': 'PROJECT_ENDED',
        '008': 'PROJECT_NOT_YET',
        '009': 'PROJECT_UNKNOWN',
      });
      const rejected = await readFile(join(cal2wl.data, 'bookings/rejected.json'), 'utf8');
      for (const text of [rejected, cal2wl.program.output()])
        assert.doesNotMatch(text, /jane|\bdoe\b|mallory|smith|somebody|example\.org/i);
      // the day board compares them, so that members see what they booked
      const { bookings, rejected: refused } = await cal2wl.bookings();
      const [booked] = bookings.filter(({ uid }) => uid === '002');
      const record = await readFile(
        join(cal2wl.data, `bookings/${booked?.accessionNumber ?? ''}.json`),
        'utf8',
      );
      assert.deepEqual((JSON.parse(record) as BookingRecord).bookers, ['jane@example.org']);
      assert.deepEqual(refused.find(({ uid }) => uid === '004')?.bookers, ['mallory@example.org']);
    },
  ));

const label = (uid: string, hours: number, project: string): CalendarEntry =>
  soon(uid, hours, { summary: 'x', description: `Project: ${project}\nSubject: sub-${uid}\nSession: ses-1` });

const STRANGE = [
  label('001', 1, '3010000.01'),
  label('002', 2, 'not-a-project-number'),
  label('003', 3, '301000\u0660.01'),
  label('004', 4, '3010000.0\u04301'),
  label('005', 5, 'scanflow-reports'),
  soon('006', 6, {
    summary: 'x',
    lines: ['X-DICOM-PROJECT:other-lab', 'X-DICOM-SUBJECT:sub-006', 'X-DICOM-SESSION:1'],
  }),
];

test('labels: lines and properties obey the patterns of the configuration, as titles do', () =>
  scene(
    { bookings: String.raw`{ every: 100ms, labels: { project: '\d{7}\.\d{2}' } }` },
    STRANGE,
    (_, codes) => {
      assert.deepEqual(codes, {
        '001': 'BOOKING',
        '002': 'LABEL_FORM',
        '003': 'LABEL_CHARACTERS',
        '004': 'LABEL_CHARACTERS',
        '005': 'LABEL_RESERVED',
        '006': 'LABEL_FORM',
      });
      return Promise.resolve();
    },
  ));

test('labels: a configuration of 0.1.0 keeps its bookings, and is warned', () =>
  scene({ bookings: '{ every: 100ms }' }, STRANGE, (cal2wl, codes) => {
    assert.deepEqual(codes, {
      '001': 'BOOKING',
      '002': 'BOOKING',
      '003': 'LOOKALIKE',
      '004': 'LOOKALIKE',
      '005': 'LABEL_RESERVED',
      '006': 'BOOKING',
    });
    return cal2wl.program.said(/"level":"warn".*"path":"bookings".*write labels/);
  }));

const HOSTILE = `${'a'.repeat(40)}!`;

test('patterns: a title that keeps V8 busy for a minute costs nothing', () =>
  scene(
    {
      bookings: String.raw`{ every: 100ms, patterns: ['^(?<project>(?:\w+[- ]?)+) (?<subject>sub-\d+) (?<session>ses-\d+)$'] }`,
    },
    [soon('001', 1, { summary: HOSTILE }), soon('002', 2, { summary: 'my project sub-2 ses-1' })],
    (_, codes) => {
      assert.deepEqual(codes, { '001': 'NO_LABELS', '002': 'BOOKING' });
      return Promise.resolve();
    },
  ));

test('patterns: with look-ahead, such titles are rejected each for itself, and the service goes on', () =>
  scene(
    {
      bookings: String.raw`{ every: 100ms, patterns: ['^(?!x)(?<project>(?:\w+[- ]?)+) (?<subject>sub-\d+) (?<session>ses-\d+)$'] }`,
    },
    [
      ...Array.from({ length: 30 }, (_, index) => soon(`1${index}`, 1, { summary: `${HOSTILE}${index}!` })),
      soon('002', 2, { summary: 'my project sub-2 ses-1' }),
    ],
    async (cal2wl, codes) => {
      assert.equal(codes['002'], 'BOOKING', JSON.stringify([codes, cal2wl.program.output()]));
      const slow = Object.values(codes).filter((code) => code === 'PATTERN_SLOW');
      assert.equal(slow.length, 30);
      await cal2wl.program.said(/"path":"bookings\.patterns\.0".*looks ahead.*time limit/);
      await cal2wl.pass();
    },
  ));
