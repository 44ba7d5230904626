import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clockSkew, httpDate, retryAfter, type HeaderOf } from './answer.ts';

const now = Temporal.Instant.from('2026-11-23T12:00:00Z');
const headers =
  (all: Record<string, string>): HeaderOf =>
  (name) =>
    all[name];

test('moment: IMF-fixdates are read, anything else is none', () => {
  assert.equal(httpDate('Sun, 06 Nov 1994 08:49:37 GMT')?.toString(), '1994-11-06T08:49:37Z');
  for (const text of ['', 'yesterday', 'Sun, 31 Feb 2026 08:49:37 GMT', 'Sun, 06 anF 1994 08:49:37 GMT', '0'])
    assert.equal(httpDate(text), undefined, text);
});

test('moment: Retry-After in seconds, at most a day', () => {
  const of = (value: string): number | undefined => retryAfter(headers({ 'retry-after': value }), now);
  assert.deepEqual(['120', ' 0 ', '999999999', '-1', '1.5', 'soon', ''].map(of), [
    ...[120_000, 0, 86_400_000],
    ...[undefined, undefined, undefined, undefined],
  ]);
  assert.equal(retryAfter(headers({}), now), undefined);
});

test("moment: Retry-After as a date counts on the server's own clock", () => {
  const date = 'Mon, 23 Nov 2026 12:10:00 GMT';
  assert.equal(retryAfter(headers({ 'retry-after': date }), now), 600_000);
  const server = { 'retry-after': date, date: 'Mon, 23 Nov 2026 12:09:00 GMT' };
  assert.equal(retryAfter(headers(server), now), 60_000);
  assert.equal(retryAfter(headers({ ...server, date: 'Mon, 23 Nov 2026 13:00:00 GMT' }), now), 0);
});

test('moment: the difference of clocks, also through a cache', () => {
  const date = 'Mon, 23 Nov 2026 12:10:00 GMT';
  assert.equal(clockSkew(headers({ date }), now), 600_000);
  assert.equal(clockSkew(headers({ date, age: '60' }), now), 660_000);
  assert.equal(clockSkew(headers({ date: 'today' }), now), undefined);
});
