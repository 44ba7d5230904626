import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calendarsTable } from './calendars.ts';

test('calendars: a line each, with age and the reason below', () => {
  const one = { scanner: 'prisma', bookings: 12, rejected: 0, held: 0 };
  const text = calendarsTable([
    { ...one, calendar: 'prisma', state: 'good', ageSeconds: 59 },
    {
      ...one,
      calendar: 'ct',
      state: 'stale',
      ageSeconds: 7300,
      held: 5,
      failure: { code: 'A', message: 'b\u001b[2J' },
    },
    { ...one, calendar: 'new', state: 'unknown' },
    { ...one, calendar: 'odd', state: 'good', ageSeconds: 1, notes: [{ code: 'C', message: 'd' }] },
  ]);
  assert.deepEqual(text.split('\n'), [
    'calendar  scanner  state    last good  bookings  rejected  held',
    'prisma    prisma   good     59 s ago   12        0         0',
    'ct        prisma   stale    2 h ago    12        0         5',
    '    A: b',
    'new       prisma   unknown  never      12        0         0',
    'odd       prisma   good     1 s ago    12        0         0',
    '    C: d',
    '',
  ]);
});
