import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defined, given } from '@scanflow/failure/defined';
import { identify, WALK_IN, type BookingRecord } from '@scanflow/booking';
import { parseConfig, walkInRules } from '@scanflow/config';
import { parseProjects } from '@scanflow/booking';
import { bookingRecord } from '@scanflow/testkit/events';
import { judge, keepWalkIns, timeProblem, type WalkIn } from './plan.ts';

const ID = '11111111-2222-4333-8444-555555555555';
const LABELS = { project: '3010000.01', subject: 'sub-001', session: 'ses-mri01' };
const START = Temporal.Instant.from('2026-11-28T08:00:00Z');
const WALK: WalkIn = {
  id: ID,
  labels: LABELS,
  scanner: 'prisma',
  start: START,
  by: 'console',
  addresses: ['op@example.org'],
};

function configured(calendars: object = {}) {
  const parsed = parseConfig(
    JSON.stringify({
      facility: { name: '-', timezone: 'Europe/Amsterdam' },
      data: '/data',
      scanners: { prisma: { aet: 'PRISMA', modality: 'MR' }, skyra: { aet: 'SKYRA', modality: 'MR' } },
      calendars,
      bookings: { labels: { project: '301[0-9]{4}\\.[0-9]{2}', subject: 'sub-[0-9]{3}' } },
      orthanc: { url: 'http://127.0.0.1' },
      storage: { root: '/project' },
    }),
    '-',
  );
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.config;
}

/** The code of a walk-in, with a list of projects if one is given. */
function code(more: Partial<WalkIn>, list?: readonly object[]): string {
  const parsed = parseProjects(JSON.stringify(list ?? [LABELS.project]));
  assert.ok(parsed.ok);
  const all = walkInRules(configured(), more.scanner ?? 'prisma').map(({ rules }) => ({
    ...rules,
    ...defined({ projects: given(list, () => parsed.projects) }),
  }));
  return judge({ ...WALK, ...more }, all).code;
}

test('walk-in: it becomes the booking that an event with these labels would be', () => {
  const [rules] = walkInRules(configured(), 'prisma').map((one) => one.rules);
  assert.ok(rules);
  const outcome = judge(WALK, [rules]);
  assert.ok(outcome.outcome === 'booking');
  const { record } = outcome;
  assert.deepEqual(
    [record.scanner, record.modality, record.start, record.title, record.operator, record.source.calendar],
    ['prisma', 'MR', '2026-11-28T08:00:00Z', 'Walk-in', 'console', WALK_IN],
  );
  assert.equal(Temporal.Instant.from(record.end).since(START).total('milliseconds'), rules.defaultLength);
  const identity = identify({ calendar: WALK_IN, uid: `${ID}@walk-in.scanflow` }, LABELS);
  assert.equal(record.accessionNumber, identity.accessionNumber);
  assert.equal(record.studyInstanceUid, identity.studyInstanceUid);
});

test('walk-in: labels are judged as those of a booking', () => {
  const labelled = (more: object): string => code({ labels: { ...LABELS, ...more } });
  assert.deepEqual(
    {
      good: labelled({}),
      name: labelled({ subject: 'Anna Smith' }),
      form: labelled({ project: '999' }),
      open: labelled({ subject: 'sub-xxx' }),
      letter: labelled({ subject: 'sub-O01' }),
      two: labelled({ subject: 'sub-001, sub-002' }),
      reserved: labelled({ session: 'series.json' }),
      path: labelled({ session: '../up' }),
      empty: labelled({ session: '' }),
    },
    {
      good: 'BOOKING',
      name: 'SUBJECT_NO_CODE',
      form: 'LABEL_FORM',
      open: 'SUBJECT_OPEN',
      letter: 'LETTER_O',
      two: 'TWO_SUBJECTS',
      reserved: 'LABEL_RESERVED',
      path: 'LABEL_CHARACTERS',
      empty: 'INCOMPLETE',
    },
  );
});

test('walk-in: by whom, on which scanner and when, as the list of projects says', () => {
  const of = (rule: object, more: Partial<WalkIn> = {}): string =>
    code(more, [{ project: LABELS.project, ...rule }]);
  assert.deepEqual(
    [
      of({ bookers: ['op@example.org'] }),
      of({ bookers: ['example.org'] }),
      of({ bookers: ['jane@example.org'] }),
      of({ bookers: ['op@example.org'] }, { addresses: [] }),
      of({ scanners: ['skyra'] }),
      of({ scanners: ['skyra'] }, { scanner: 'skyra' }),
      of({ until: '2026-11-27' }),
      of({ until: '2026-11-28' }),
      of({ from: '2026-11-29' }),
      code({}, [{ project: '3019999.99' }]),
    ],
    [
      'BOOKING',
      'BOOKING',
      'PROJECT_NOT_YOURS',
      'PROJECT_NOT_YOURS',
      'PROJECT_NOT_HERE',
      'BOOKING',
      'PROJECT_ENDED',
      'BOOKING',
      'PROJECT_NOT_YET',
      'PROJECT_UNKNOWN',
    ],
  );
});

test('walk-in: a scanner is judged as by the calendars that book it; a calendar of another scanner does not count', () => {
  const config = configured({
    mr1: { file: '-', scanner: 'prisma', defaultLength: '30m' },
    both: {
      file: '-',
      scanner: { by: 'location', map: { one: 'prisma', two: 'skyra' }, otherwise: 'skip' },
    },
  });
  const lists = (scanner: string): string[] => walkInRules(config, scanner).map(({ list }) => list);
  assert.deepEqual([lists('prisma'), lists('skyra')], [['mr1', 'both'], ['both']]);
  assert.deepEqual(
    walkInRules(configured(), 'skyra').map(({ list }) => list),
    [WALK_IN],
  );
  const outcome = judge(
    WALK,
    walkInRules(config, 'prisma').map(({ rules }) => rules),
  );
  assert.ok(outcome.outcome === 'booking');
  assert.equal(outcome.record.end, '2026-11-28T08:30:00Z');
});

const HOUR = { hours: 1 };
const window = { from: START.subtract({ hours: 12 }), to: START.add({ hours: 72 }) };

test('walk-in: neither a slot that is over nor one beyond the span of the worklist', () => {
  const at = (hours: number): string | undefined => {
    const start = START.add({ hours });
    return timeProblem({ start: start.toString(), end: start.add(HOUR).toString() }, START, window);
  };
  assert.deepEqual([at(0), at(71)], [undefined, undefined]);
  assert.match(at(-1) ?? '', /is over/);
  assert.match(at(72) ?? '', /too far ahead/);
});

const ITEM = Buffer.from('item');
const record = (more: Partial<BookingRecord> = {}): BookingRecord =>
  bookingRecord({
    accessionNumber: 'A1',
    studyInstanceUid: '2.25.1',
    start: START.toString(),
    end: START.add(HOUR).toString(),
    labels: LABELS,
    title: 'Walk-in',
    source: { calendar: WALK_IN, uid: 'x' },
    ...more,
  });

test('walk-in: its item stays as its record, slot and scanner say; a running exam changes nothing', () => {
  const kept = (
    more: Partial<BookingRecord>,
    item: Uint8Array | undefined,
    given: { running?: boolean; gone?: boolean } = {},
  ): string => {
    const [action] = keepWalkIns({
      records: [record(more)],
      published: new Map([['A1', { accessionNumber: 'A1', record: record(more), item }]]),
      window,
      frozen: new Set(given.running === true ? ['A1'] : []),
      itemOf: () => (given.gone === true ? undefined : ITEM),
    });
    return action?.kind ?? '';
  };
  const over = { start: '2026-11-27T01:00:00Z', end: '2026-11-27T02:00:00Z' };
  assert.deepEqual(
    {
      there: kept({}, ITEM),
      missing: kept({}, undefined),
      damaged: kept({}, Buffer.from('it')),
      over: kept(over, ITEM),
      overAndGone: kept(over, undefined),
      overAndRunning: kept(over, ITEM, { running: true }),
      withdrawn: kept({ status: 'cancelled' }, ITEM),
      withdrawnAndGone: kept({ status: 'cancelled' }, undefined),
      noScanner: kept({}, ITEM, { gone: true }),
    },
    {
      there: 'unchanged',
      missing: 'publish',
      damaged: 'publish',
      over: 'withdraw',
      overAndGone: 'unchanged',
      overAndRunning: 'keep',
      withdrawn: 'withdraw',
      withdrawnAndGone: 'unchanged',
      noScanner: 'withdraw',
    },
  );
});
