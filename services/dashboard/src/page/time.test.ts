import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clockTime, exactTime, shortTime, timeTag } from './html.ts';

const at = (text: string): number => Temporal.Instant.from(text).epochMilliseconds;

test('time: each zone has its own day, however often times of another one were shown before', () => {
  const late = at('2026-11-28T23:30:00Z');
  assert.deepEqual(
    ['Europe/Amsterdam', 'UTC', 'America/New_York', 'Europe/Amsterdam'].map((zone) => shortTime(late, zone)),
    ['29 Nov 00:30', '28 Nov 23:30', '28 Nov 18:30', '29 Nov 00:30'],
  );
});

test('time: the hour that comes twice has the offset beside it', () => {
  const [first, second] = ['2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z'].map(at);
  const zone = 'Europe/Amsterdam';
  assert.deepEqual(
    [first, second].map((one) => [clockTime(one ?? 0, zone), exactTime(one ?? 0, zone)]),
    [
      ['02:30', '2026-10-25 02:30:00+02:00'],
      ['02:30', '2026-10-25 02:30:00+01:00'],
    ],
  );
  assert.match(timeTag(first ?? 0, zone).toString(), /title="2026-10-25 02:30:00\+02:00"\s*>25 Oct 02:30</);
});

test('time: thousands of times of a zone share one formatter', (t) => {
  const made = t.mock.method(Intl, 'DateTimeFormat');
  for (let minute = 0; minute < 1_000; minute += 1) shortTime(minute * 60_000, 'Asia/Tokyo');
  assert.equal(made.mock.callCount(), 1);
});
