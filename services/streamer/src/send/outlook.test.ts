import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hoursOf } from '../work/pace.ts';
import { createOutlook } from './outlook.ts';
import type { LegView, SeriesView } from '../ledger/rows.ts';

const ZONE = 'Europe/Amsterdam';
const at = (local: string): number =>
  Temporal.PlainDateTime.from(local).toZonedDateTime(ZONE).epochMilliseconds;

const leg = (target: string): LegView => ({
  target,
  state: 'done',
  attempts: 0,
  nextTry: null,
  failure: undefined,
  done: 1,
  total: 1,
  transcoded: 0,
  through: 1,
});

const view: SeriesView = {
  id: 'a',
  state: 'complete',
  due: null,
  firstSeen: 0,
  updated: 0,
  attributes: { Modality: 'MR', SeriesDescription: 'localizer', SendingApplicationEntityTitle: 'PRISMA' },
  labels: { project: '3010000.01', subject: 's', session: 't' },
  reason: undefined,
  path: 'p',
  inOrthanc: 1,
  stored: 1,
  untagged: 0,
  differing: 0,
  expected: undefined,
  increment: 1,
  session: undefined,
  cleaned: null,
  verification: [],
  legs: [leg('storage'), leg('pacs')],
};

test('outlook: a destination that a stored series does not go to says why', () => {
  const destinations = [
    { name: 'pacs', when: undefined, hours: undefined },
    { name: 'ct', when: { modality: ['CT'] }, hours: undefined },
    { name: 'quiet', when: { aet: ['PRISMA'], not: { description: ['*localizer*'] } }, hours: undefined },
    { name: 'new', when: { project: ['3010*'] }, hours: undefined },
  ];
  const { notSent } = createOutlook(destinations, () => 0);
  const found = (one: SeriesView): string[] => notSent(one).map(({ target, code }) => `${target} ${code}`);
  assert.deepEqual(found(view), ['ct DEST_NOT_WANTED', 'quiet DEST_NOT_WANTED', 'new DEST_CAME_LATER']);
  assert.match(notSent(view)[1]?.message ?? '', /when\.not\.description/);
  const none = { ...view, labels: undefined, attributes: { Modality: 'CT' }, legs: [leg('storage')] };
  assert.deepEqual(found(none), [
    'pacs DEST_CAME_LATER',
    'ct DEST_CAME_LATER',
    'quiet DEST_NOT_WANTED',
    'new DEST_UNDECIDED',
  ]);
  assert.deepEqual(notSent({ ...view, stored: 0, legs: [] }), []);
});

test('outlook: what waits for its hours says until when, in the time of the facility', () => {
  const windows = [{ from: '19:00', to: '07:00', days: ['sun', 'mon'] as const }];
  const schedule = { windows, timeZone: ZONE };
  let now = at('2026-11-22T12:00');
  const destinations = [
    { name: 'night', when: undefined, schedule, hours: hoursOf(windows, ZONE) },
    { name: 'always', when: undefined, hours: undefined },
  ];
  const outlook = createOutlook(destinations, () => now);
  assert.deepEqual(outlook.waits('night'), { until: at('2026-11-22T19:00'), message: 'waits until 19:00' });
  assert.equal(outlook.waits('always'), undefined);
  assert.equal(outlook.waits('storage'), undefined);
  assert.deepEqual(outlook.waiting(), { night: 'waits until 19:00' });
  now = at('2026-11-22T19:00');
  assert.deepEqual(outlook.waiting(), {});
  now = at('2026-11-24T12:00');
  assert.deepEqual(outlook.waiting(), { night: 'waits until Sun 19:00' });
});
