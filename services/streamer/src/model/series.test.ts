import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stateOf } from './series.ts';

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
