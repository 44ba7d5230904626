import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StoreGate } from '@scanflow/dimse';
import { gateOf, Pace, type Held } from './gate.ts';

const signal = new AbortController().signal;
/** A timer of Node.js may end a little before its time. */
const EARLY_MS = 3;
const OPEN = { open: true, until: 0 };

function gateFor(held: Partial<Held>, until = signal): StoreGate {
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
