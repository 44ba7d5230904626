import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StoreGate } from '@scanflow/dimse';
import {
  fullBucket,
  limitOf,
  take,
  type Bucket,
  type Limit,
  hoursOf,
  openingAt,
  type Window,
} from './pace.ts';
import { gateOf } from '../send/open.ts';
import type { Pacing } from '../send/types.ts';
import { Pace } from './wake.ts';

const signal = new AbortController().signal;
/** A timer of Node.js may end a little before its time. */
const EARLY_MS = 3;
const OPEN = { open: true, until: 0 };

function gateFor(held: Partial<Pacing>, until = signal): StoreGate {
  const gate = gateOf({ pace: undefined, hours: undefined, ...held }, () => 0, until);
  assert.ok(gate !== undefined);
  return gate;
}

test('gate: none where there is neither rate nor schedule', () =>
  assert.equal(
    gateOf({ pace: undefined, hours: undefined }, () => 0, signal),
    undefined,
  ));

test('gate: a rate holds over everybody who uses it', async () => {
  const pace = new Pace({ bytesPerSecond: 1_000_000, imagesPerMinute: 1200 });
  const [one, other] = [gateFor({ pace }), gateFor({ pace })];
  const began = performance.now();
  await Promise.all([one.passes(600_000), other.passes(600_000)]);
  // a second's worth passes at once, the rest takes 0.2 s
  assert.ok(performance.now() - began >= 200 - EARLY_MS);
  const images = performance.now();
  // 20 pass at once
  for (let image = 0; image < 17; image += 1) await one.admits();
  for (let image = 0; image < 6; image += 1) await (image % 2 === 0 ? one : other).admits();
  assert.ok(performance.now() - images >= 3 * (50 - EARLY_MS));
});

test('gate: whoever waits is let go when the signal aborts, and nothing more is admitted', async () => {
  const stop = new AbortController();
  const pace = new Pace({ bytesPerSecond: 1, imagesPerMinute: 6 });
  const gate = gateFor({ pace }, stop.signal);
  assert.equal(await gate.admits(), true);
  const waiting = [gate.admits(), gate.passes(1_000_000)];
  stop.abort();
  assert.deepEqual(await Promise.all(waiting), [false, undefined]);
});

test('gate: nothing is admitted once the hours have ended', async () => {
  let opening = OPEN;
  const gate = gateFor({ hours: () => opening });
  assert.equal(await gate.admits(), true);
  opening = { open: false, until: 1 };
  assert.equal(await gate.admits(), false);
});

test('gate: hours that end while an image waits for its turn count', async () => {
  let opening = OPEN;
  const pace = new Pace({ imagesPerMinute: 600 });
  const gate = gateFor({ pace, hours: () => opening });
  for (let image = 0; image < 10; image += 1) assert.equal(await gate.admits(), true);
  const waiting = gate.admits();
  opening = { open: false, until: 1 };
  assert.equal(await waiting, false);
});

/** When each of the amounts passes, all asked for at the same moment. */
function passesAt(limit: Limit, amounts: readonly number[]): number[] {
  let bucket: Bucket = fullBucket(limit, 0);
  return amounts.map((amount) => {
    const taken = take(bucket, limit, amount, 0);
    bucket = taken.bucket;
    return taken.waitMs;
  });
}

test('bucket: what it holds passes at once, the rest evenly', () =>
  assert.deepEqual(passesAt({ perMs: 0.01, burst: 2 }, [1, 1, 1, 1, 1]), [0, 0, 100, 200, 300]));

test('bucket: more than it holds passes too, after its time, and whoever comes next waits behind it', () =>
  assert.deepEqual(passesAt({ perMs: 1, burst: 10 }, [25, 5]), [15, 20]));

test('bucket: it fills while nothing is taken, and never over', () => {
  const limit = { perMs: 1, burst: 10 };
  const { bucket } = take(fullBucket(limit, 0), limit, 10, 0);
  assert.equal(take(bucket, limit, 10, 4).waitMs, 6);
  assert.equal(take(bucket, limit, 11, 1_000_000).waitMs, 1);
});

test('bucket: a clock that goes back gives nothing twice', () => {
  const limit = { perMs: 1, burst: 10 };
  const first = take(fullBucket(limit, 100), limit, 10, 100);
  const second = take(first.bucket, limit, 5, 0);
  assert.equal(second.waitMs, 5);
  assert.equal(take(second.bucket, limit, 0, 105).waitMs, 0);
});

test('bucket: over any time no more passes than the burst and what came in', () => {
  const limit = { perMs: 0.5, burst: 7 };
  let bucket = fullBucket(limit, 0);
  let now = 0;
  let passed = 0;
  for (let step = 0; step < 1000; step += 1) {
    const amount = 1 + (step % 11);
    const taken = take(bucket, limit, amount, now);
    bucket = taken.bucket;
    // whoever took it waits, or dawdles now and then
    now += taken.waitMs + (step % 7 === 0 ? 20 : 0);
    passed += amount;
    assert.ok(passed <= limit.burst + limit.perMs * now + 1e-6, `${passed} after ${now}`);
  }
});

test('bucket: a second in it, and one thing at least', () => {
  assert.deepEqual(limitOf(20_000_000), { perMs: 20_000, burst: 20_000_000 });
  assert.deepEqual(limitOf(0.5), { perMs: 0.0005, burst: 1 });
});

const ZONE = 'Europe/Amsterdam';
const NIGHT: readonly Window[] = [{ from: '19:00', to: '07:00' }];

const at = (local: string): Temporal.Instant =>
  Temporal.PlainDateTime.from(local).toZonedDateTime(ZONE).toInstant();

/** As `open until 2026-11-23T07:00`, in the facility's time. */
function shown(now: Temporal.Instant, windows: readonly Window[], zone = ZONE): string {
  const { open, until } = openingAt(now, windows, zone);
  const local = Temporal.Instant.fromEpochMilliseconds(until).toZonedDateTimeISO(zone).toPlainDateTime();
  return `${open ? 'open' : 'closed'} until ${local.toString({ smallestUnit: 'minute' })}`;
}

test('hours: a window over midnight', () => {
  assert.equal(shown(at('2026-11-22T18:59:59.999'), NIGHT), 'closed until 2026-11-22T19:00');
  assert.equal(shown(at('2026-11-22T19:00'), NIGHT), 'open until 2026-11-23T07:00');
  assert.equal(shown(at('2026-11-23T00:00'), NIGHT), 'open until 2026-11-23T07:00');
  assert.equal(shown(at('2026-11-23T06:59:59.999'), NIGHT), 'open until 2026-11-23T07:00');
  assert.equal(shown(at('2026-11-23T07:00'), NIGHT), 'closed until 2026-11-23T19:00');
});

test('hours: the next opening is now where it is open', () => {
  const now = at('2026-11-22T20:00');
  assert.equal(openingAt(now, NIGHT, ZONE).open, true);
  const noon = openingAt(at('2026-11-22T12:00'), NIGHT, ZONE);
  assert.deepEqual(noon, { open: false, until: at('2026-11-22T19:00').epochMilliseconds });
});

test('hours: days are those on which a window opens', () => {
  // 2026-11-22 is a Sunday
  const weekdays: readonly Window[] = [{ from: '19:00', to: '07:00', days: ['mon', 'fri'] }];
  assert.equal(shown(at('2026-11-22T20:00'), weekdays), 'closed until 2026-11-23T19:00');
  assert.equal(shown(at('2026-11-24T06:00'), weekdays), 'open until 2026-11-24T07:00');
  assert.equal(shown(at('2026-11-24T20:00'), weekdays), 'closed until 2026-11-27T19:00');
  assert.equal(shown(at('2026-11-28T06:00'), weekdays), 'open until 2026-11-28T07:00');
});

test('hours: windows that overlap or touch are one', () => {
  const windows: readonly Window[] = [
    { from: '12:00', to: '13:00' },
    { from: '13:00', to: '14:00' },
    { from: '12:30', to: '12:45' },
  ];
  assert.equal(shown(at('2026-11-22T12:40'), windows), 'open until 2026-11-22T14:00');
  assert.equal(shown(at('2026-11-22T14:00'), windows), 'closed until 2026-11-23T12:00');
});

test('hours: whole days, with 24:00 as their end', () => {
  const weekend: readonly Window[] = [{ from: '00:00', to: '24:00', days: ['sat', 'sun'] }];
  assert.equal(shown(at('2026-11-21T09:00'), weekend), 'open until 2026-11-23T00:00');
  assert.equal(shown(at('2026-11-23T00:00'), weekend), 'closed until 2026-11-28T00:00');
});

test('hours: a night in which the clocks go forward has an hour less, one in which they go back an hour more', () => {
  const length = (day: string): number => {
    const opens = at(`${day}T19:00`);
    return (openingAt(opens, NIGHT, ZONE).until - opens.epochMilliseconds) / 3_600_000;
  };
  assert.equal(length('2026-03-27'), 12);
  assert.equal(length('2026-03-28'), 11);
  assert.equal(length('2026-10-24'), 13);
});

test('hours: a window in the hour that is left out is not there on that day', () => {
  const early: readonly Window[] = [{ from: '02:00', to: '03:00', days: ['sun'] }];
  assert.equal(shown(at('2026-03-28T12:00'), early), 'closed until 2026-04-05T02:00');
  // it begins in that hour, and ends after it
  const later: readonly Window[] = [{ from: '02:30', to: '04:00' }];
  assert.equal(shown(at('2026-03-29T01:59'), later), 'closed until 2026-03-29T03:30');
});

test('hours: of a time that comes twice it is the first', () => {
  const early: readonly Window[] = [{ from: '01:00', to: '02:30' }];
  const opens = at('2026-10-25T01:00');
  assert.equal(openingAt(opens, early, ZONE).until - opens.epochMilliseconds, 90 * 60_000);
  const second = Temporal.ZonedDateTime.from('2026-10-25T02:10+01:00[Europe/Amsterdam]').toInstant();
  assert.equal(shown(second, early), 'closed until 2026-10-26T01:00');
});

test('hours: in the time of the facility, wherever this runs', () => {
  const tokyo = Temporal.Instant.from('2026-11-22T09:59:00Z');
  assert.equal(shown(tokyo, NIGHT, 'Asia/Tokyo'), 'closed until 2026-11-22T19:00');
  assert.equal(shown(tokyo.add({ minutes: 1 }), NIGHT, 'Asia/Tokyo'), 'open until 2026-11-23T07:00');
});

test('hours: every minute of a year is open or closed as the wall clock says', () => {
  let instant = at('2026-01-01T00:00').epochMilliseconds;
  const hours = hoursOf(NIGHT, ZONE);
  assert.ok(hours !== undefined);
  for (let step = 0; step < 365 * 24 * 4; step += 1, instant += 15 * 60_000) {
    const { hour } = Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(ZONE);
    assert.equal(hours(instant).open, hour >= 19 || hour < 7, String(instant));
  }
});

test('hours: what is known is worked out anew when the clock was set back', () => {
  const hours = hoursOf(NIGHT, ZONE);
  assert.ok(hours !== undefined);
  assert.equal(hours(at('2026-11-22T20:00').epochMilliseconds).open, true);
  assert.equal(hours(at('2026-11-22T18:00').epochMilliseconds).open, false);
  assert.equal(hours(at('2026-11-22T19:00').epochMilliseconds).open, true);
});

test('hours: without windows there is nothing to wait for', () =>
  assert.equal(hoursOf(undefined, ZONE), undefined));
