import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  aged,
  comparedAt,
  comparedFrom,
  filled,
  isMissed,
  LATEST,
  missedIn,
  MOST_GAPS,
  NO_GAPS,
  toRead,
  type Gaps,
} from './gaps.ts';

const T = 1_000_000;
const missing = (after: number, through: number, ...numbers: number[]): Gaps =>
  missedIn(NO_GAPS, { after, through, numbers }, T);
const spans = ({ open }: Gaps): string[] => open.map(({ from, to }) => `${from}-${to}`);

test('gaps: what a page does not have, between the cursor and its end, is missing', () => {
  assert.deepEqual(spans(missing(10, 13, 11, 12, 13)), []);
  assert.deepEqual(spans(missing(10, 20, 11, 14, 15, 20)), ['12-13', '16-19']);
  assert.deepEqual(spans(missing(0, 7, 7)), ['1-6']);
  // an empty page whose end was read a moment later
  assert.deepEqual(spans(missing(10, 12)), ['11-12']);
  assert.deepEqual(spans(missedIn(missing(0, 2, 2), { after: 2, through: 5, numbers: [3, 5] }, T)), [
    '1-1',
    '4-4',
  ]);
});

test('gaps: a number that appears is missing no longer', () => {
  const gaps = missing(10, 20, 15);
  assert.deepEqual([isMissed(gaps, 12), isMissed(gaps, 15), isMissed(gaps, 21)], [true, false, false]);
  assert.deepEqual(spans(filled(gaps, [12])), ['11-11', '13-14', '16-20']);
  assert.deepEqual(spans(filled(gaps, [11, 14, 20, 99])), ['12-13', '16-19']);
});

test('gaps: a gap is read often at first, less often later, and once more when nothing can appear any more', () => {
  const gaps = missing(10, 12, 12);
  const read: number[] = [];
  let [last, now] = [0, T];
  for (; now <= T + LATEST + 1000; now += 100) {
    if (toRead(gaps, last, now, 1000).length > 0) read.push(now - T);
    last = now;
  }
  assert.deepEqual(read.slice(0, 6), [0, 500, 1500, 3500, 7500, 15_500]);
  assert.equal(read.filter((age) => age < LATEST).length, 11);
  assert.ok(read.includes(LATEST));
});

test('gaps: those that fit into a page together are read together', () => {
  const gaps = missing(0, 5000, 3, 10, 900, 4999);
  assert.deepEqual(toRead(gaps, 0, T, 1000), [
    { from: 1, to: 899 },
    { from: 901, to: 4998 },
    { from: 5000, to: 5000 },
  ]);
});

test('gaps: the old ones go; with a clock that stepped back they begin anew', () => {
  const gaps = missing(10, 12, 12);
  assert.equal(aged(gaps, T + LATEST - 1), gaps);
  assert.deepEqual(aged(gaps, T + LATEST), NO_GAPS);
  assert.deepEqual(aged(gaps, T - 5).open, [{ from: 11, to: 11, since: T - 5 }]);
});

test('gaps: of too many, the lowest are forgotten, and everything is compared once they cannot appear', () => {
  const odd = Array.from({ length: MOST_GAPS + 3 }, (_, index) => 2 * index + 2);
  const gaps = missing(0, odd.at(-1) ?? 0, ...odd);
  assert.equal(gaps.open.length, MOST_GAPS);
  assert.deepEqual(gaps.open[0], { from: 7, to: 7, since: T });
  assert.equal(comparedFrom(gaps), T + LATEST);
  assert.equal(comparedFrom(missing(0, 1, 1)), undefined);
  // splitting one has the same bound
  const wide = missedIn(gaps, { after: 2000, through: 2009, numbers: [2000] }, T + 1);
  assert.equal(filled(wide, [2005]).open.length, MOST_GAPS);
});

test('gaps: while more and more are forgotten, the first of them do not wait for the last', () => {
  let [gaps, now, seq] = [NO_GAPS, T, 0];
  const missOne = (): void => {
    gaps = missedIn(gaps, { after: seq, through: seq + 2, numbers: [seq + 2] }, now);
    seq += 2;
  };
  for (; now < T + LATEST; now += 1_000) for (let count = 0; count < 5; count += 1) missOne();
  assert.equal(comparedFrom(gaps), T + LATEST);
  // a comparison finds those that were missed ten minutes before it, and the others wait for the next one
  gaps = comparedAt(gaps, now);
  assert.equal(comparedFrom(gaps), now + LATEST);
  missOne();
  assert.equal(comparedFrom(gaps), now + LATEST);
  assert.equal(comparedFrom(comparedAt(gaps, now + LATEST)), undefined);
});

test('gaps: with a clock that stepped back, those that were forgotten begin anew, too', () => {
  const gaps: Gaps = { open: [], forgotten: T + LATEST, uncompared: T + LATEST };
  assert.equal(comparedFrom(aged(gaps, T)), T + LATEST);
});

test('gaps: whatever the order of commits, each number below the cursor was read, is awaited, or was forgotten', () => {
  const number = fc.integer({ min: 1, max: 60 });
  const order = fc.shuffledSubarray(
    Array.from({ length: 60 }, (_, index) => index + 1),
    { minLength: 1 },
  );
  fc.assert(
    fc.property(order, fc.array(number, { minLength: 1, maxLength: 12 }), (commits, polls) => {
      const visible = new Set<number>();
      const seen = new Set<number>();
      let [seq, gaps] = [0, NO_GAPS];
      const waiting = [...commits];
      for (const many of [...polls, 60]) {
        for (const one of waiting.splice(0, many)) visible.add(one);
        const numbers = [...visible].filter((one) => one > seq).sort((a, b) => a - b);
        const through = Math.max(seq, ...numbers);
        gaps = missedIn(gaps, { after: seq, through, numbers }, T);
        for (const one of numbers) seen.add(one);
        seq = through;
        for (const { from, to } of toRead(gaps, 0, T, 10)) {
          const late = [...visible].filter((one) => from <= one && one <= to && isMissed(gaps, one));
          for (const one of late) {
            assert.ok(!seen.has(one), `${one} was read twice`);
            seen.add(one);
          }
          gaps = filled(gaps, late);
        }
        for (let one = 1; one <= seq; one += 1) assert.notEqual(seen.has(one), isMissed(gaps, one));
        assert.ok(
          gaps.open.every(({ from, to }, index) => from <= to && from > (gaps.open[index - 1]?.to ?? 0)),
        );
      }
      assert.deepEqual([...seen].sort(), [...visible].sort());
    }),
  );
});
