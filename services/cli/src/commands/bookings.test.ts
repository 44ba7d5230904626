/** The table for a person: colours on a terminal only, reasons below, and nothing for a terminal to obey. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outcome } from '@scanflow/booking';
import { rowsOf, tableOf } from './bookings.ts';

const at = (time: string): Temporal.Instant => Temporal.Instant.from(`2026-11-21T${time}Z`);
const outcomes: readonly Outcome[] = [
  { outcome: 'rejected', code: 'BAD_RULE', reason: 'It repeats in no way that is known.', uid: 'c' },
  { outcome: 'skipped', code: 'FREE', reason: 'It is free.', uid: 'b', start: at('11:00'), end: at('12:00') },
  {
    outcome: 'rejected',
    code: 'NO_LABELS',
    reason: 'Nothing.',
    uid: 'a',
    start: at('09:00'),
    summary: 'x\u001b[2J',
  },
];
const rows = rowsOf(outcomes, { scannerKnown: true, onlyScanner: undefined });

test('rows: sorted by start, without a start last, and what is absent is left out', () => {
  assert.deepEqual(
    rows.map(({ uid }) => uid),
    ['a', 'b', 'c'],
  );
  assert.deepEqual(rows[2], {
    outcome: 'rejected',
    code: 'BAD_RULE',
    reason: 'It repeats in no way that is known.',
    uid: 'c',
  });
});

test('table: colours by outcome where there is a terminal, none elsewhere', () => {
  const zone = 'Europe/Amsterdam';
  const coloured = tableOf(rows, { zone, colours: true, columns: 80 });
  assert.ok(coloured.includes('\u001b[31m  ✗ 10:00–'), coloured);
  assert.ok(coloured.includes('\u001b[90m  – 12:00–13:00    FREE\u001b[0m'), coloured);
  assert.ok(!coloured.includes('\u001b[2J'), 'a command of the title');
  const plain = tableOf(rows, { zone, colours: false, columns: 80 });
  assert.ok(!plain.includes('\u001b'));
  assert.match(plain, /No time\n.*BAD_RULE\n {6}It repeats in no way/u);
});
