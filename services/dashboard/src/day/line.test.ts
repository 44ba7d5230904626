import assert from 'node:assert/strict';
import { test } from 'node:test';
import { journeyOf } from '../journey/journey.ts';
import { type Row, spanOf } from './facts.ts';
import { lanesOf, lineOf, shownOf } from './page.ts';

const ZONE = 'Europe/Amsterdam';
const DAY = spanOf(Temporal.PlainDate.from('2026-11-28'), ZONE);
const at = (time: string): number => Temporal.Instant.from(`2026-11-28T${time}+01:00`).epochMilliseconds;
const row = (from: string, to: string, more: Partial<Row> = {}): Row => ({
  id: from,
  kind: 'booking',
  start: at(from),
  end: at(to),
  series: 0,
  images: 0,
  journey: journeyOf({ exams: [] }, at('12:00')),
  ...more,
});
const hours = ({ from, to }: { from: number; to: number }): number[] =>
  [from, to].map((time) => (time - DAY.from) / 3_600_000);

test('line: the usual hours are shown, and whatever more something touches, within the day', () => {
  assert.deepEqual(hours(shownOf([], DAY)), [7, 19]);
  assert.deepEqual(hours(shownOf([row('05:30', '06:00'), row('20:00', '21:10')], DAY)), [5, 22]);
  const night = row('23:00', '23:30', { end: at('23:30') + 3 * 3_600_000, start: DAY.from - 3_600_000 });
  assert.deepEqual(hours(shownOf([night], DAY)), [0, 24]);
  const late = row('09:00', '10:00', { made: { from: at('10:05'), to: at('20:05') } });
  assert.deepEqual(hours(shownOf([late], DAY)), [7, 21]);
});

test('line: a day of 23 or 25 hours ends with the day', () => {
  for (const [day, length] of [
    ['2026-03-29', 23],
    ['2026-10-25', 25],
  ] as const) {
    const span = spanOf(Temporal.PlainDate.from(day), ZONE);
    const all = row('09:00', '10:00', { start: span.from, end: span.to });
    const shown = shownOf([all], span);
    assert.equal((shown.to - shown.from) / 3_600_000, length);
  }
});

test('line: what is at the same time lies in lanes, what follows in the same one', () => {
  const rows = [row('09:00', '10:00'), row('09:30', '11:00'), row('10:00', '11:00')];
  assert.deepEqual(
    lanesOf(rows).map(({ row: { id }, lane }) => [id, lane]),
    [
      ['09:00', 0],
      ['09:30', 1],
      ['10:00', 0],
    ],
  );
  assert.equal(
    Math.max(...lanesOf(Array.from({ length: 50 }, () => row('09:00', '10:00'))).map(({ lane }) => lane)),
    5,
  );
});

test('line: a slot and what was made of it stand in their place; now is there on its day alone; titles are text', () => {
  const shown = shownOf([], DAY);
  const one = row('10:00', '13:00', { title: '<script>', made: { from: at('11:30') } });
  const svg = String(lineOf('prisma', [one], { shown, timezone: ZONE, now: at('13:00') }));
  assert.match(svg, /class="slot [a-z]+"\s+x="25%"\s+y="20"\s+width="25%"/);
  assert.match(svg, /class="made"\s+x="37.5%"\s+y="44"\s+width="12.5%"/);
  assert.match(svg, /class="now" x1="50%"/);
  assert.match(svg, /href="#row-10_00"/);
  assert.equal(svg.includes('<script>'), false);
  const other = String(lineOf('prisma', [one], { shown, timezone: ZONE, now: DAY.to + 1 }));
  assert.equal(other.includes('class="now"'), false);
  assert.equal(lineOf('prisma', [], { shown, timezone: ZONE, now: 0 }), undefined);
  assert.equal(svg.includes('style='), false, 'the policy forbids it');
});
