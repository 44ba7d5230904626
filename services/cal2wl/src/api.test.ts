import assert from 'node:assert/strict';
import { test } from 'node:test';
import { healthOf } from './api.ts';
import { emptyReport, type CalendarReport, type PassReport } from './report.ts';

const now = Temporal.Instant.from('2026-11-23T12:00:00Z');
const calendar: CalendarReport = { ...emptyReport('prisma', 'prisma'), state: 'good', lastGood: now };
const report = (more: Partial<PassReport> = {}): PassReport => ({
  at: now,
  ms: 1,
  window: { from: now, to: now },
  calendars: [calendar],
  items: 0,
  unwritten: undefined,
  ...more,
});
const failure = { kind: 'transient', code: 'FETCH_TIMEOUT', message: 'm' } as const;
const every = 60_000;

test('health: not before the first pass', () => {
  assert.equal(healthOf(undefined, now, { every }).ok, false);
  assert.equal(healthOf(report(), now, { every }).ok, true);
});

test('health: a calendar that does not answer degrades and is shown, but is no failure', () => {
  const { ok, detail } = healthOf(report({ calendars: [{ ...calendar, state: 'stale', failure }] }), now, {
    every,
  });
  assert.equal(ok, true);
  assert.equal(detail['degraded'], true);
  assert.deepEqual(detail['calendars'], { prisma: 'stale: FETCH_TIMEOUT' });
});

test('health: a calendar that takes no answers degrades and leaves the service ready; one that cannot be read has that fault alone', () => {
  const refused = { kind: 'permanent', code: 'ANSWER_REFUSED', message: 'secret' } as const;
  const unanswered = (name: string) => (name === 'prisma' ? refused : undefined);
  const { ok, detail, faults = [] } = healthOf(report(), now, { every, unanswered });
  assert.equal(ok, true);
  assert.equal(detail['degraded'], true);
  assert.deepEqual(
    faults.map(({ state, code }) => [state, code]),
    [['degraded', 'ANSWER_REFUSED']],
  );
  assert.doesNotMatch(JSON.stringify(faults), /secret/);
  const stale = report({ calendars: [{ ...calendar, state: 'stale', failure }] });
  const codes = healthOf(stale, now, { every, unanswered }).faults?.map(({ code }) => code);
  assert.deepEqual(codes, ['FETCH_TIMEOUT']);
});

test('health: what cannot be written, and passes that do not end, are failures', () => {
  assert.equal(healthOf(report({ unwritten: failure }), now, { every }).ok, false);
  assert.equal(healthOf(report(), now.add({ minutes: 12 }), { every }).ok, true);
  assert.equal(healthOf(report(), now.add({ minutes: 14 }), { every }).ok, false);
  assert.equal(healthOf(report(), now.add({ hours: 20 }), { every, cron: '0 4 * * *' }).ok, true);
  assert.equal(healthOf(report(), now.add({ hours: 25 }), { every, cron: '0 4 * * *' }).ok, false);
});
