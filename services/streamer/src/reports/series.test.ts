import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LegView, SeriesView } from '../ledger/rows.ts';
import { seriesReport, toCsv } from './series.ts';

const leg = (over: Partial<LegView> & { target: string }): LegView => ({
  state: 'pending',
  attempts: 2,
  nextTry: 1_000,
  failure: undefined,
  done: 1,
  total: 2,
  transcoded: 0,
  through: 0,
  ...over,
});

const view: SeriesView = {
  id: 'a',
  state: 'working',
  due: null,
  firstSeen: 0,
  updated: 0,
  attributes: { Modality: 'MR', SeriesNumber: '3', AccessionNumber: '=cmd()', SeriesDescription: 't1' },
  labels: undefined,
  reason: undefined,
  path: 'p/s',
  inOrthanc: 2,
  stored: 1,
  untagged: 0,
  differing: 0,
  expected: undefined,
  increment: 1,
  session: undefined,
  cleaned: null,
  verification: [],
  legs: [
    leg({ target: 'storage', state: 'done', nextTry: null }),
    leg({ target: 'pacs' }),
    leg({ target: 'gone' }),
  ],
};
const report = seriesReport(view, { root: '/project', destinations: new Set(['pacs']) });

test('report: the storage leg has the folder, a pending one its next try', () => {
  const [storage, pacs] = report.legs;
  assert.equal(storage?.path, '/project/p/s');
  assert.equal(storage.nextTry, undefined);
  assert.equal(pacs?.nextTry, '1970-01-01T00:00:01Z');
});

test('report: what waits for a destination that is no longer configured says so', () => {
  assert.equal(report.legs[2]?.failure?.code, 'DEST_NOT_CONFIGURED');
  assert.equal(report.legs[2].nextTry, undefined);
});

test('report: the CSV quotes, and holds no formula', () => {
  const lines = toCsv([{ ...report, modality: 'a"b,c' }]).split('\r\n');
  assert.equal(lines.length, 5);
  assert.ok(lines[1]?.startsWith(`'=cmd(),3,"a""b,c",working,2,1,0,storage,done,1,2,`));
});

test('report: what waits for the hours of its destination says until when', () => {
  const outlook = {
    waits: (target: string) =>
      target === 'storage' ? undefined : { until: 5_000, message: 'waits until 19:00' },
    waiting: () => ({}),
    paused: ({ by, reason }: { by: string; reason: string }) => `paused by ${by}: ${reason}`,
    notSent: () => [{ target: 'ct', code: 'DEST_NOT_WANTED', message: 'no' }],
  };
  const { legs, notSent } = seriesReport(view, { root: '/p', destinations: new Set(['pacs']), outlook });
  assert.deepEqual(legs[1]?.waits, { until: '1970-01-01T00:00:05Z', message: 'waits until 19:00' });
  assert.equal(legs[1].nextTry, '1970-01-01T00:00:05Z');
  assert.equal(legs[0]?.waits, undefined);
  const pause = { destination: 'pacs', since: 0, by: 'anna', reason: 'update' };
  const paused = { ...view, legs: view.legs.map((leg) => ({ ...leg, paused: pause })) };
  const waiting = seriesReport(paused, { root: '/p', destinations: new Set(['pacs']), outlook }).legs[1];
  assert.deepEqual(waiting?.paused, { since: '1970-01-01T00:00:00Z', by: 'anna', reason: 'update' });
  assert.deepEqual(waiting.waits, { message: 'paused by anna: update' });
  assert.equal(waiting.nextTry, undefined, 'nobody knows when');
  assert.deepEqual(
    notSent?.map(({ target }) => target),
    ['ct'],
  );
});
