import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Person } from '../access/roles.ts';
import * as of from '../journey/journey-kit.test.ts';
import type { DayBooking, DayExam, DaySession } from './facts.ts';
import { seenBy } from './seen.ts';

const anna: Person = { name: 'anna', role: 'member', projects: ['p1'], addresses: ['anna@example.org'] };
const labelsOf = (project: string) => ({ project, subject: 'sub-007', session: 'ses-mri01' });
const booking = (accessionNumber: string, project: string, more: Partial<DayBooking> = {}): DayBooking => ({
  ...of.booking,
  id: accessionNumber,
  calendar: 'prisma',
  scanner: 'prisma',
  accessionNumber,
  labels: labelsOf(project),
  ...more,
});
const session = (id: string, accessionNumber: string, more: Partial<DaySession> = {}): DaySession => ({
  ...of.session(),
  id,
  accessionNumber,
  studyInstanceUids: [`1.${id}`],
  firstSeen: of.NINE,
  ...more,
});
const exam = (id: string, accessionNumber: string): DayExam => ({
  ...of.exam({ series: [] }),
  id,
  studyInstanceUids: [],
  accessionNumbers: [accessionNumber],
});
const NOTHING = { bookings: [], exams: [], sessions: [] };

test('seen: operators and IT see all', () => {
  const facts = { ...NOTHING, bookings: [booking('A1', 'p2')] };
  assert.equal(seenBy({ ...anna, role: 'operator' }, facts), facts);
  assert.equal(seenBy({ ...anna, role: 'it' }, facts), facts);
});

test('seen: a member sees their projects, and what they booked, with its images and exams', () => {
  const facts = {
    bookings: [booking('A1', 'p1'), booking('A2', 'p2'), booking('A3', 'p2', { booker: 'Anna@example.org' })],
    exams: [exam('e1', 'A1'), exam('e2', 'A2'), exam('e3', 'A3')],
    sessions: [
      session('s1', 'A1', { labels: labelsOf('p1') }),
      session('s2', 'A2', { labels: labelsOf('p2') }),
      session('s3', 'A3', { labels: labelsOf('p2') }),
      // waits in quarantine
      session('s4', 'A1'),
      session('s5', 'A2'),
    ],
  };
  const { bookings, exams, sessions } = seenBy(anna, facts);
  assert.deepEqual(
    [bookings, exams, sessions].map((part) => part.map(({ id }) => id)),
    [
      ['A1', 'A3'],
      ['e1', 'e3'],
      ['s1', 's3', 's4'],
    ],
  );
});

test('seen: a member sees what was refused of their bookings, and of nobody else’s', () => {
  const rejected = (id: string, bookers: readonly string[]): DayBooking => {
    const { accessionNumber: _, labels: __, ...rest } = booking(id, 'p2', { outcome: 'rejected', bookers });
    return rest;
  };
  const facts = {
    ...NOTHING,
    bookings: [
      rejected('mine', ['anna@example.org']),
      rejected('other', ['ben@example.org']),
      rejected('none', []),
    ],
  };
  assert.deepEqual(
    seenBy(anna, facts).bookings.map(({ id }) => id),
    ['mine'],
  );
});

test('seen: images of another project under a booking of theirs stay hidden, with labels and folder', () => {
  const [mine, other] = [of.series({ id: 'mine', project: 'p1' }), of.series({ id: 'other', project: 'p2' })];
  const facts = {
    ...NOTHING,
    bookings: [booking('A1', 'p1')],
    sessions: [
      session('moved', 'A1', { labels: labelsOf('p2'), folder: '/project/p2/x', series: [other] }),
      session('both', 'A1', { labels: labelsOf('p2'), folder: '/project/p2/y', series: [other, mine] }),
    ],
  };
  const { sessions } = seenBy(anna, facts);
  assert.deepEqual(
    sessions.map(({ id, labels, folder, series }) => [id, labels, folder, series.map((one) => one.id)]),
    [['both', undefined, undefined, ['mine']]],
  );
});

test('seen: a part that is away stays away', () => {
  const away = { since: of.NINE };
  assert.deepEqual(seenBy(anna, { bookings: away, exams: away, sessions: away }), {
    bookings: away,
    exams: away,
    sessions: away,
  });
});

test('seen: what was known before a service went away is theirs alone, too', () => {
  const known = {
    bookings: [booking('A1', 'p1'), booking('A2', 'p2')],
    exams: [exam('e2', 'A2')],
    sessions: [],
  };
  const away = { since: of.NINE };
  const { last } = seenBy(anna, {
    bookings: away,
    exams: away,
    sessions: away,
    last: { ...known, items: [] },
  });
  assert.deepEqual(
    [last.bookings, last.exams],
    [[booking('A1', 'p1')], []],
    'no booking or exam of another project',
  );
});
