/** Text as it comes: each odd calendar becomes the booking that a person sees in it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { interpret } from '@scanflow/booking';
import { readCalendar } from '@scanflow/calendar';
import { rules } from '@scanflow/testkit/events';
import { ODD_BYTES } from './calendar-odd-bytes.ts';
import { ODD_FEEDS } from './calendar-odd-feeds.ts';
import { USUAL } from './calendar-odd-support.ts';
import { ODD_TEXTS } from './calendar-odd-texts.ts';

const window = {
  from: Temporal.Instant.from('2026-02-20T00:00:00Z'),
  to: Temporal.Instant.from('2026-04-15T00:00:00Z'),
};
const ODD = [...ODD_BYTES, ...ODD_TEXTS, ...ODD_FEEDS];

test('odd: there are at least 100 of them, each once', () => {
  assert.ok(ODD.length >= 100, String(ODD.length));
  assert.equal(new Set(ODD.map(({ name }) => name)).size, ODD.length);
});

for (const { name, bytes, charset, labels = USUAL, reads, notes = [] } of ODD)
  test(`odd: ${name}`, () => {
    const read = readCalendar(bytes, { window, zone: 'Europe/Amsterdam', charset });
    assert.ok(read.ok, JSON.stringify(read));
    const { events, problems, notes: found } = read.content;
    assert.deepEqual(problems, []);
    const told = events.map((event) => {
      const one = interpret(event, rules);
      const booked = one.outcome === 'booking' ? Object.values(one.record.labels).join(' ') : one.reason;
      return `${event.start.toString()} ${booked}`;
    });
    assert.deepEqual(told, [`2026-03-02T08:00:00Z ${labels}`], JSON.stringify(events));
    const texts = events.map(({ summary, description }) => `${summary}\n${description}`).join();
    if (reads !== undefined) assert.ok(texts.includes(reads), texts);
    assert.deepEqual(
      found.map(({ code }) => code),
      notes,
    );
  });
