import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as of from '../journey/journey-kit.test.ts';
import { html } from '../page/html.ts';
import { en } from '../texts/en.ts';
import { boardOf } from './board.ts';
import type { DayBooking, DayExam, DayFacts, DaySession } from './facts.ts';
import { dayPage } from './page.ts';
import { nameOf, rowOf } from './row.ts';

const { NINE, TEN, MINUTE } = of;
const labels = { project: '3010000.01', subject: 'sub-007', session: 'ses-mri01' };
const booking: DayBooking = {
  ...of.booking,
  id: 'prisma/a/',
  calendar: 'prisma',
  scanner: 'prisma',
  accessionNumber: 'A1',
  labels,
};
const exam = (more: Partial<DayExam> = {}): DayExam => ({
  ...of.exam(),
  id: '1.9',
  scanner: 'prisma',
  studyInstanceUids: ['1.2'],
  accessionNumbers: ['A1'],
  ...more,
});
const session = (more: Partial<DaySession> = {}): DaySession => ({
  ...of.session(),
  id: 'x1',
  accessionNumber: 'A1',
  studyInstanceUids: ['1.2'],
  firstSeen: NINE + 10 * MINUTE,
  ...more,
});
const facts = (more: Partial<DayFacts> = {}): DayFacts => ({
  day: Temporal.PlainDate.from('2026-11-28'),
  timezone: 'Europe/Amsterdam',
  scanners: ['prisma', 'skyra'],
  bookings: [],
  items: [],
  exams: [],
  sessions: [],
  ...more,
});

/** `prisma: A1 finished, x2 attention` for each scanner. */
const lines = (day: DayFacts): string[] =>
  boardOf(day, TEN + MINUTE).scanners.map(
    ({ scanner, rows }) =>
      `${scanner ?? '?'}: ${rows.map(({ id, journey }) => `${id} ${journey.verdict}`).join(', ')}`,
  );

test('board: a booking, its exam and its images are one row', () => {
  const items = [{ accessionNumber: 'A1', state: 'completed' }] as const;
  assert.deepEqual(lines(facts({ bookings: [booking], items, exams: [exam()], sessions: [session()] })), [
    'prisma: A1 finished',
    'skyra: ',
  ]);
});

test('board: images whose accession number was retyped stand in the row of their exam', () => {
  const retyped = session({ accessionNumber: 'TYPED' });
  const day = facts({ bookings: [booking], exams: [exam()], sessions: [retyped] });
  assert.deepEqual(lines(day), ['prisma: A1 finished', 'skyra: ']);
});

test('board: an exam that nobody booked has its own row, with its images', () => {
  const free = exam({ id: 'free', accessionNumbers: [], scanner: 'skyra' });
  assert.deepEqual(lines(facts({ exams: [free], sessions: [session({ accessionNumber: '' })] })), [
    'prisma: ',
    'skyra: free finished',
  ]);
});

test('board: images without booking and exam have their own row on the day on which they came', () => {
  const alone = session({ accessionNumber: '', studyInstanceUids: ['7'] });
  assert.deepEqual(lines(facts({ sessions: [alone] })), ['prisma: ', 'skyra: ', '?: x1 finished']);
  const nextDay = facts({ sessions: [alone], day: Temporal.PlainDate.from('2026-11-29') });
  assert.deepEqual(lines(nextDay), ['prisma: ', 'skyra: ']);
});

test('board: several sessions of one booking are done only when each is', () => {
  const second = session({
    id: 'x2',
    complete: false,
    series: [of.series({ id: 'b', state: 'collecting', legs: [] })],
  });
  const day = facts({ bookings: [booking], exams: [exam()], sessions: [session(), second] });
  assert.deepEqual(lines(day), ['prisma: A1 running', 'skyra: ']);
});

test('board: rows follow the time, and the counts say what they are', () => {
  const later = { ...booking, id: 'b', accessionNumber: 'A0', start: TEN, end: TEN + 60 * MINUTE };
  const rejected = {
    ...booking,
    id: 'r',
    accessionNumber: undefined,
    outcome: 'rejected',
    start: NINE - MINUTE,
  } as const;
  const { accessionNumber: _, ...rest } = rejected;
  const day = facts({ bookings: [later, booking, rest], exams: [exam()], sessions: [session()] });
  const { scanners, counts } = boardOf(day, TEN + MINUTE);
  assert.deepEqual(
    scanners[0]?.rows.map(({ id }) => id),
    ['r', 'A1', 'A0'],
  );
  assert.deepEqual(counts, { bookings: 2, rejected: 1, finished: 1, attention: 0 });
});

test('board: a service that is away is named, and hides nothing that others know', () => {
  const day = facts({ bookings: [booking], exams: { since: NINE }, sessions: [session()] });
  const { away, scanners } = boardOf(day, TEN);
  assert.deepEqual(away, { exams: NINE });
  assert.equal(scanners[0]?.rows[0]?.images, 20);
});

test('page: what calendars and images say is text, whatever it is', () => {
  const hostile = '"><script>alert(1)</script>';
  const rejected: DayBooking = {
    ...of.booking,
    outcome: 'rejected',
    id: hostile,
    calendar: hostile,
    scanner: hostile,
    title: hostile,
    reason: { code: 'X', message: hostile },
  };
  const labelled = session({
    accessionNumber: hostile,
    labels: { project: hostile, subject: hostile, session: hostile },
    folder: hostile,
  });
  const page = dayPage({
    board: boardOf(facts({ bookings: [rejected], sessions: [labelled] }), TEN),
    day: Temporal.PlainDate.from('2026-11-28'),
    timezone: 'Europe/Amsterdam',
    facility: hostile,
    now: Temporal.Instant.fromEpochMilliseconds(TEN),
    texts: en,
    mayAddWalkIn: true,
    titleOf: () => hostile,
  }).toString();
  assert.equal(page.includes('<script'), false);
  assert.equal(page.includes('"&gt;'), false, 'a quotation mark of a value ends an attribute');
  assert.ok(page.includes(html`${hostile}`.toString()));
});

test('board: a service that went away leaves grey what was known of it, and says nothing new of it', () => {
  const since = NINE + 30 * MINUTE;
  const known = {
    bookings: [booking],
    items: [{ accessionNumber: 'A1', state: 'scheduled' }],
    exams: [],
    sessions: [],
  } as const;
  // the slot is over now: had the services answered, they might know of the exam
  const all = facts({
    bookings: { since },
    items: { since },
    exams: { since },
    sessions: { since },
    last: known,
  });
  const [row] = boardOf(all, TEN + MINUTE).scanners[0]?.rows ?? [];
  assert.equal(row?.journey.verdict, 'unknown');
  assert.deepEqual(
    Object.entries(row.journey.steps).map(
      ([name, { state, stale }]) => `${name} ${state} ${stale === since}`,
    ),
    [
      ...['understood done true', 'worklist done true', 'scanned ahead true', 'arrived ahead true'],
      ...['stored ahead true', 'sent ahead true', 'bids none false', 'done ahead true'],
    ],
  );
  const html = String(
    dayPage({
      board: boardOf(all, TEN + MINUTE),
      day: all.day,
      timezone: all.timezone,
      now: Temporal.Instant.fromEpochMilliseconds(TEN),
      texts: en,
      facility: 'Here',
      titleOf: () => undefined,
    }),
  );
  assert.match(html, /stale since 09:30/);
  assert.match(html, /class="step done stale"/);
});

test('board: while one service is away, the others still tell', () => {
  const since = NINE + 30 * MINUTE;
  const known = { bookings: [booking], items: [], exams: [exam()], sessions: [session()] };
  const day = facts({ ...known, bookings: { since }, last: known });
  const [row] = boardOf(day, TEN + MINUTE).scanners[0]?.rows ?? [];
  assert.equal(row?.id, 'A1', 'the exam stays in the row of its booking');
  assert.deepEqual(
    [row.journey.steps.understood, row.journey.steps.stored].map(({ state, stale }) => [state, stale]),
    [
      ['done', since],
      ['done', undefined],
    ],
  );
  const [alone] = boardOf(facts({ ...known, bookings: { since } }), TEN).scanners[0]?.rows ?? [];
  assert.deepEqual([alone?.id, alone?.journey.steps.understood.state], ['1.9', 'unknown']);
  assert.equal(alone && nameOf(alone), 'Exam', 'nobody knows whether it was booked');
});

test('board: what was made of a booking is from its exam, or from its images', () => {
  const made = (day: Partial<DayFacts>) =>
    boardOf(facts({ bookings: [booking], ...day }), TEN).scanners[0]?.rows[0]?.made;
  assert.equal(made({}), undefined);
  assert.deepEqual(made({ exams: [exam()] }), { from: NINE + 5 * MINUTE, to: TEN - 5 * MINUTE });
  const { ended: _, ...running } = exam({ state: 'IN PROGRESS' });
  assert.deepEqual(made({ exams: [running] }), { from: NINE + 5 * MINUTE }, 'it goes on');
  assert.equal(made({ exams: [exam({ wrongItem: true })] }), undefined);
  assert.deepEqual(made({ sessions: [session()] }), { from: NINE + 10 * MINUTE, to: NINE + 10 * MINUTE });
});

test('board: images without a booking say why, and which booking of the same subject they may belong to', () => {
  const near: DayBooking = { ...booking, id: 'prisma/b/', accessionNumber: 'A2' };
  const far: DayBooking = { ...near, id: 'prisma/c/', accessionNumber: 'A3', start: NINE - 120 * MINUTE };
  const other: DayBooking = {
    ...near,
    id: 'prisma/d/',
    accessionNumber: 'A4',
    labels: { ...labels, subject: 'sub-008' },
  };
  const gone: DayBooking = { ...near, id: 'prisma/e/', accessionNumber: 'A5', outcome: 'cancelled' };
  const alone = session({ id: 'x2', accessionNumber: '', studyInstanceUids: ['7'], labels });
  const typed = session({
    id: 'x3',
    accessionNumber: '4711',
    studyInstanceUids: ['8'],
    labels: { ...labels, subject: 'sub-9' },
  });
  const free = exam({ id: 'free', accessionNumbers: [], studyInstanceUids: ['9'], series: [] });
  const day = facts({
    bookings: [other, gone, far, near],
    exams: [free],
    sessions: [alone, typed],
  });
  const rows = boardOf(day, TEN).scanners.flatMap((one) => one.rows);
  const found = (id: string) => rows.find((row) => row.id === id);
  assert.deepEqual(found('x2')?.likely, { id: 'A2', start: near.start, labels });
  assert.deepEqual(found('x2')?.unbooked, { why: 'noNumber', accessionNumber: '' });
  assert.equal(found('x3')?.likely, undefined);
  assert.deepEqual(found('x3')?.unbooked, { why: 'noBooking', accessionNumber: '4711' });
  assert.deepEqual(found('free')?.unbooked, { why: 'noNumber', accessionNumber: '' });
  assert.equal(found('A2')?.likely, undefined);
  // a booking that has its images already is less likely
  const taken = session({ id: 'x4', accessionNumber: 'A2', studyInstanceUids: ['10'], labels });
  const again = boardOf({ ...day, sessions: [alone, taken] }, TEN).scanners.flatMap((one) => one.rows);
  assert.equal(again.find(({ id }) => id === 'x2')?.likely?.id, 'A3');
  const view = { timezone: day.timezone, now: Temporal.Instant.fromEpochMilliseconds(TEN), texts: en };
  const shown = [found('x2'), found('x3')].map((row) => (row === undefined ? '' : String(rowOf(row, view))));
  assert.match(shown[0] ?? '', /not booked: the images have no accession number/);
  assert.match(shown[0] ?? '', /It may belong to\s+<a href="\/session\/A2"/);
  assert.match(shown[1] ?? '', /not booked: no booking of this day has the accession number 4711/);
});
