import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  stateOf,
  SERIES_STATES,
  isLegal,
  LEG_TRANSITIONS,
  REQUEST_TRANSITIONS,
  SERIES_TRANSITIONS,
  type Transition,
} from './series.ts';

test('series: its state follows from timer, quarantine and legs', () => {
  const base = { due: null, quarantined: false };
  assert.equal(stateOf({ ...base, due: 1, legs: ['done'] }), 'collecting');
  assert.equal(stateOf({ due: 1, quarantined: true, legs: [] }), 'collecting');
  assert.equal(stateOf({ ...base, quarantined: true, legs: ['pending'] }), 'quarantined');
  assert.equal(stateOf({ ...base, legs: [] }), 'working');
  assert.equal(stateOf({ ...base, legs: ['done', 'pending', 'failed'] }), 'working');
  assert.equal(stateOf({ ...base, legs: ['done', 'failed'] }), 'failed');
  assert.equal(stateOf({ ...base, legs: ['done', 'done'] }), 'complete');
});

/** Where one gets to from a state, by any number of steps. */
function reachable<State extends string>(steps: readonly Transition<State>[], from: State): Set<State> {
  const found = new Set<State>([from]);
  for (const state of found) for (const step of steps) if (step.from === state) found.add(step.to);
  return found;
}

test('transitions: every state is reached, and none is a dead end', () => {
  assert.deepEqual([...reachable(SERIES_TRANSITIONS, 'none')].sort(), ['none', ...SERIES_STATES].sort());
  for (const state of SERIES_STATES) assert.ok(reachable(SERIES_TRANSITIONS, state).has('complete'), state);
  for (const state of ['pending', 'claimed', 'done', 'failed'] as const)
    assert.ok(reachable(LEG_TRANSITIONS, state).has('done'), state);
});

/** Verification finds files missing, or there again. */
const isVerified = (state: string): boolean => state === 'complete' || state === 'failed';

test('transitions: nothing is complete, failed or quarantined without having been worked on', () => {
  for (const from of SERIES_STATES)
    for (const to of ['complete', 'failed', 'quarantined'] as const)
      assert.equal(
        isLegal(from, to),
        from === to || from === 'working' || (isVerified(from) && isVerified(to)),
        `${from} to ${to}`,
      );
  // only where a person sends it to one more destination
  assert.equal(isLegal('complete', 'working'), true);
  assert.equal(isLegal('quarantined', 'working'), false);
});

test('transitions: no request is answered twice, and every one may be', () => {
  for (const state of ['asked', 'accepted', 'expired', 'closed'] as const)
    assert.ok(reachable(REQUEST_TRANSITIONS, state).has('answered'), state);
  assert.deepEqual([...reachable(REQUEST_TRANSITIONS, 'answered')], ['answered']);
});

test('transitions: each stands there once', () => {
  for (const steps of [LEG_TRANSITIONS, SERIES_TRANSITIONS, REQUEST_TRANSITIONS]) {
    const pairs = steps.map(({ from, to }) => `${from} ${to}`);
    assert.equal(new Set(pairs).size, pairs.length);
  }
});
