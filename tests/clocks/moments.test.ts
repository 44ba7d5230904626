import assert from 'node:assert/strict';
import { test } from 'node:test';
import { moments } from './moments.ts';
import { bearsShifting, testsOf } from './plan.ts';

const at = (now: string): Record<string, string> =>
  Object.fromEntries(
    [...moments(Temporal.Instant.from(now))].map(([name, moment]) => [name, moment.toString()]),
  );

test('clocks: every critical moment lies ahead, to the minute', () => {
  assert.deepEqual(at('2026-11-28T12:00:00Z'), {
    tomorrow: '2026-11-29T12:00:00Z',
    'in 400 days': '2028-01-02T12:00:00Z',
    'the last minute of a year': '2026-12-31T22:59:00Z',
    'the night when clocks go to +02:00': '2027-03-28T00:59:00Z',
    'the night when clocks go to +01:00': '2027-10-31T00:59:00Z',
    '29 February': '2028-02-29T21:30:00Z',
  });
});

test('clocks: on the critical day itself and after it, the next one counts', () => {
  const summer = at('2028-02-29T22:00:00Z');
  assert.equal(summer['29 February'], '2032-02-29T21:30:00Z');
  assert.equal(at('2026-12-31T23:30:00Z')['the last minute of a year'], '2027-12-31T22:59:00Z');
  assert.equal(at('2026-12-31T22:59:30Z')['the last minute of a year'], '2027-12-31T22:59:00Z');
});

test('clocks: on every push each clock has the unit tests, and all integration tests have a clock', () => {
  const units = ['packages/dicom/src/match.test.ts', 'packages/booking/src/identity.test.ts'];
  const clocks = [...moments(Temporal.Instant.from('2026-11-28T12:00:00Z')).keys()];
  const onPush = clocks.map((_, clock) => testsOf(units, clock));
  for (const tests of onPush) assert.deepEqual(tests.slice(0, -1), ['packages/booking/src/identity.test.ts']);
  const all = testsOf(units).filter((file) => file.startsWith('tests/'));
  assert.deepEqual(new Set(onPush.map((tests) => tests.at(-1) ?? '')), new Set(all));
});

test('clocks: a test that starts Orthanc or PostgreSQL runs by the right clock only', () => {
  assert.equal(bearsShifting("import { startOrthanc } from '@scanflow/testkit';"), false);
  assert.equal(bearsShifting('const postgres = await startPostgres();'), false);
  assert.equal(bearsShifting("import { startOrthancLike } from './support.ts';"), true);
});
