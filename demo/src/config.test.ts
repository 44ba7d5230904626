import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slotsAround } from './config.ts';

const at = (text: string): Temporal.ZonedDateTime => Temporal.ZonedDateTime.from(`${text}[Europe/Amsterdam]`);

for (const now of [
  '2026-11-22T00:03',
  '2026-11-22T12:00',
  '2026-11-22T23:58',
  '2026-03-29T02:30',
  '2026-10-25T23:00',
])
  for (const count of [1, 5, 24])
    test(`slotsAround: ${count} at ${now} are of that day, in a row, within 12 hours`, () => {
      const slots = slotsAround(at(now), count);
      assert.equal(slots.length, count);
      for (const [index, { start, end }] of slots.entries()) {
        assert.equal(start.toPlainDate().toString(), at(now).toPlainDate().toString());
        assert.ok(Temporal.ZonedDateTime.compare(start, end) < 0);
        assert.ok(Math.abs(start.since(at(now)).total('hours')) < 12);
        if (index > 0) assert.ok(slots[index - 1]?.end.equals(start));
      }
    });
