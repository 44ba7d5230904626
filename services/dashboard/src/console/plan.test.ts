import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { boardOf } from '../day/board.ts';
import type { DayBooking, DayExam, DayFacts, DaySession } from '../day/facts.ts';
import { exam, MINUTE, NINE, series, TEN } from '../journey/journey-kit.test.ts';
import { consolePlan, type ConsoleFacts, type ConsolePlan } from './plan.ts';

const HOUR = 60 * MINUTE;
const SILENT = 15 * MINUTE;
const AWAY = { since: NINE };

const booked = (id: string, start: number, more: Partial<DayBooking> = {}): DayBooking => ({
  id,
  accessionNumber: id,
  calendar: 'lab',
  scanner: 'prisma',
  outcome: 'booking',
  start,
  end: start + HOUR,
  labels: { project: 'P', subject: id, session: 'S' },
  ...more,
});
const performed = (id: string, of: readonly string[], more: Partial<DayExam> = {}): DayExam => ({
  ...exam(),
  id,
  scanner: 'prisma',
  studyInstanceUids: [],
  accessionNumbers: of,
  ...more,
});
const running = (id: string, of: readonly string[], more: Partial<DayExam> = {}): DayExam => {
  const { ended: _, ...rest } = performed(id, of, more);
  return { ...rest, state: 'IN PROGRESS', updated: more.updated ?? rest.created };
};
const images = (accessionNumber: string): DaySession => ({
  id: `s${accessionNumber}`,
  accessionNumber,
  studyInstanceUids: [],
  complete: true,
  firstSeen: NINE,
  updated: NINE,
  series: [series()],
  deliveries: [],
});

type Given = Partial<DayFacts> & Partial<Pick<ConsoleFacts, 'lastQuery' | 'lastImage'>>;

function planned(now: number, { lastQuery, lastImage, ...more }: Given = {}): ConsolePlan {
  const facts: DayFacts = {
    day: Temporal.PlainDate.from('2026-11-28'),
    timezone: 'Europe/Amsterdam',
    scanners: ['prisma', 'skyra'],
    bookings: [],
    items: [],
    exams: [],
    sessions: [],
    ...more,
  };
  return consolePlan(
    { scanner: 'prisma', board: boardOf(facts, now), exams: facts.exams, lastQuery, lastImage },
    now,
    SILENT,
  );
}

/** Who stands where: subjects are the IDs of bookings. */
function told({ tone, now, next, late }: ConsolePlan): object {
  const who = ({ labels }: { readonly labels?: { readonly subject: string } }): string =>
    labels?.subject ?? '-';
  return {
    tone,
    now: now && `${who(now)}${now.late ? ' late' : ''}`,
    next: next.map(who),
    late: late.map(who),
  };
}

const DAY = [booked('a', NINE), booked('b', TEN), booked('c', TEN + HOUR)];

test('console: before, at and after each slot of a day on which nobody comes', () => {
  const at = (now: number): object => told(planned(now, { bookings: DAY }));
  assert.deepEqual(at(NINE - MINUTE), { tone: 'free', now: undefined, next: ['a', 'b', 'c'], late: [] });
  assert.deepEqual(at(NINE), { tone: 'booked', now: 'a', next: ['b', 'c'], late: [] });
  assert.deepEqual(at(NINE + 6 * MINUTE), { tone: 'booked', now: 'a late', next: ['b', 'c'], late: [] });
  assert.deepEqual(at(TEN), { tone: 'booked', now: 'b', next: ['c'], late: ['a'] });
  assert.deepEqual(at(TEN + 3 * HOUR), { tone: 'free', now: undefined, next: [], late: ['c', 'b', 'a'] });
});

test('console: who is scanned is now, whatever the clock says; whoever waits is late after some minutes', () => {
  const exams = [running('e', ['a'], { created: NINE, updated: TEN })];
  assert.deepEqual(told(planned(TEN + MINUTE, { bookings: DAY, exams })), {
    tone: 'scanning',
    now: 'a',
    next: ['b', 'c'],
    late: [],
  });
  assert.deepEqual(told(planned(TEN + 10 * MINUTE, { bookings: DAY, exams })), {
    tone: 'scanning',
    now: 'a',
    next: ['c'],
    late: ['b'],
  });
  const early = planned(NINE - 30 * MINUTE, {
    bookings: DAY,
    exams: [running('e', ['c'], { created: NINE - 35 * MINUTE })],
  });
  assert.deepEqual(told(early), { tone: 'scanning', now: 'c', next: ['a', 'b'], late: [] });
});

test('console: a booking that was scanned, by its exam or by its images, is neither next nor late', () => {
  const byExam = planned(TEN + HOUR / 2, { bookings: DAY, exams: [performed('e', ['a'])] });
  assert.deepEqual(told(byExam), { tone: 'booked', now: 'b late', next: ['c'], late: [] });
  const byImages = planned(TEN + HOUR / 2, { bookings: DAY, sessions: [images('a')] });
  assert.deepEqual(told(byImages), told(byExam));
  assert.deepEqual(byImages.counts, { booked: 3, scanned: 1, rejected: 0 });
  const mistaken = planned(TEN + HOUR / 2, {
    bookings: DAY,
    exams: [performed('e', ['a'], { state: 'DISCONTINUED', wrongItem: true })],
  });
  assert.deepEqual(told(mistaken), { tone: 'booked', now: 'b late', next: ['c'], late: ['a'] });
});

test('console: rejected, skipped, cancelled and relabelled events are nobody', () => {
  for (const outcome of ['rejected', 'skipped', 'cancelled', 'superseded'] as const) {
    const plan = planned(NINE + 10 * MINUTE, {
      bookings: [booked('a', NINE, { outcome }), booked('b', TEN)],
    });
    assert.deepEqual(told(plan), { tone: 'free', now: undefined, next: ['b'], late: [] }, outcome);
    assert.equal(plan.counts.rejected, outcome === 'rejected' ? 1 : 0);
  }
});

test('console: other scanners do not show, but an exam here of a booking of theirs does', () => {
  const bookings = [booked('a', NINE, { scanner: 'skyra' }), booked('b', TEN)];
  assert.deepEqual(told(planned(NINE + MINUTE, { bookings })), {
    tone: 'free',
    now: undefined,
    next: ['b'],
    late: [],
  });
  const here = planned(NINE + MINUTE, { bookings, exams: [running('e', ['a'], { created: NINE })] });
  assert.deepEqual(told(here), { tone: 'scanning', now: 'a', next: ['b'], late: [] });
  const there = planned(NINE + MINUTE, {
    bookings,
    exams: [running('e', ['b'], { created: NINE, scanner: 'skyra' })],
  });
  assert.deepEqual(told(there), { tone: 'free', now: undefined, next: [], late: [] });
});

test('console: an exam that nobody booked has no name', () => {
  const plan = planned(NINE + MINUTE, { bookings: DAY, exams: [running('e', [], { created: NINE })] });
  assert.deepEqual(told(plan), { tone: 'scanning', now: '-', next: ['a', 'b', 'c'], late: [] });
});

test('console: amber is a running exam without any sign for long: news of the exam, an image, a query', () => {
  const exams = [running('e', ['a'], { created: NINE, updated: NINE })];
  const now = NINE + SILENT;
  const tone = (given: Given = {}, at = now): string => planned(at, { bookings: DAY, exams, ...given }).tone;
  assert.equal(tone({}, now - 1), 'scanning');
  assert.equal(tone(), 'silent');
  assert.equal(tone({ lastImage: now - MINUTE }), 'scanning');
  assert.equal(tone({ lastQuery: { at: now - MINUTE, items: 3 } }), 'scanning');
  assert.equal(tone({ lastImage: NINE, lastQuery: { at: NINE, items: 0 } }), 'silent');
  assert.equal(tone({ exams: [running('e', ['a'], { created: NINE, updated: now - MINUTE })] }), 'scanning');
  assert.equal(tone({ lastQuery: AWAY }), 'silent');
  assert.equal(tone({ lastImage: AWAY }), 'unknown');
  assert.equal(tone({ lastImage: AWAY }, now - 1), 'scanning');
  assert.equal(tone({ exams: [performed('e', ['a'])] }), 'free');
  assert.equal(tone({ exams: [{ ...exams[0], stale: true } as DayExam] }), 'free');
  // a scanner's clock may be wrong
  assert.equal(tone({ exams: [running('e', ['a'], { created: NINE, started: now })] }), 'silent');
});

test('console: a service that is away makes nobody late and nothing amber', () => {
  const now = NINE + 10 * MINUTE;
  assert.equal(planned(now, { bookings: DAY, exams: AWAY }).tone, 'unknown');
  const dark = planned(now, { bookings: AWAY });
  assert.deepEqual(told(dark), { tone: 'unknown', now: undefined, next: [], late: [] });
  assert.deepEqual(dark.away, { bookings: NINE });
});

test('console: each booking that nobody scanned is in one of now, next and late, on any day and in any zone', () => {
  const slot = fc.record({
    at: fc.integer({ min: -600, max: 600 }),
    length: fc.integer({ min: 1, max: 240 }),
    state: fc.constantFrom('open', 'running', 'done', 'images', 'rejected', 'other'),
  });
  fc.assert(
    fc.property(
      fc.array(slot, { maxLength: 12 }),
      fc.integer({ min: 0, max: 20_000 }).map((days) => days * 24 * HOUR),
      fc.constantFrom('Europe/Amsterdam', 'UTC', 'Pacific/Apia', 'America/St_Johns'),
      (slots, now, timezone) => {
        const bookings = slots.map(({ at, length, state }, index) =>
          booked(`b${index}`, now + at * MINUTE, {
            end: now + (at + length) * MINUTE,
            ...(state === 'rejected' && { outcome: 'rejected' as const }),
            ...(state === 'other' && { scanner: 'skyra' }),
          }),
        );
        const of = (wanted: string): string[] =>
          slots.flatMap(({ state }, index) => (state === wanted ? [`b${index}`] : []));
        const times = { created: now, updated: now, started: now };
        const exams = [
          ...of('running').map((id) => running(`e${id}`, [id], times)),
          ...of('done').map((id) => performed(`e${id}`, [id], times)),
        ];
        const plan = planned(now, { bookings, exams, sessions: of('images').map(images), timezone });
        const shown = [
          ...(plan.now !== undefined && plan.now.scanningSince === undefined ? [plan.now] : []),
          ...plan.next,
          ...plan.late,
        ].map(({ labels }) => labels?.subject);
        assert.deepEqual(shown.toSorted(), of('open').toSorted());
        assert.ok(plan.next.every(({ start }) => start > now - 5 * MINUTE));
        assert.ok(plan.late.every(({ start }) => start <= now - 5 * MINUTE));
        if (of('running').length > 0) assert.notEqual(plan.now?.scanningSince, undefined);
      },
    ),
    { numRuns: 200 },
  );
});
