import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type KeptSeries, keptBecause, keptSummary } from './plan.ts';

const series = (over: Partial<KeptSeries>): KeptSeries => ({
  id: 'a',
  state: 'complete',
  reason: undefined,
  open: [],
  ...over,
});
const failure = { code: 'HOOK_EXIT', message: 'why' };

test('kept: quarantine, a failed leg, a failed hook, work under way and more images each say so', () => {
  const reason = { code: 'ROUTE_NO_MATCH', message: 'why' };
  assert.equal(keptBecause(series({ state: 'quarantined', reason })).code, 'ROUTE_NO_MATCH');
  const pacs = { target: 'pacs', state: 'failed', failure: { code: 'DEST_REFUSED', message: '' } } as const;
  const hook = { target: 'hook:nifti', state: 'failed', failure } as const;
  assert.match(keptBecause(series({ state: 'failed', open: [pacs] })).message, /retry ID --target pacs\.$/);
  assert.deepEqual(keptBecause(series({ open: [hook] })).code, 'HOOK_EXIT');
  assert.match(keptBecause(series({ open: [hook] })).message, /skip ID --target hook:nifti/);
  // what failed comes before what waits
  const waits = { target: 'archive', state: 'pending', failure: undefined } as const;
  assert.equal(keptBecause(series({ state: 'working', open: [waits, pacs] })).code, 'DEST_REFUSED');
  assert.equal(keptBecause(series({ state: 'working', open: [waits] })).code, 'CLEANUP_WAITS');
  const down = { target: 'archive', state: 'pending', failure: { code: 'DEST_DOWN', message: '' } } as const;
  assert.equal(keptBecause(series({ state: 'working', open: [waits, down] })).code, 'DEST_DOWN');
  assert.equal(keptBecause(series({ state: 'collecting' })).code, 'CLEANUP_WAITS');
});

test('kept: the summary counts by code, and is absent where nothing is kept', () => {
  assert.equal(keptSummary([]), undefined);
  const all = ['A', 'B', 'A'].map((code) => ({ code, message: '' }));
  assert.deepEqual(keptSummary(all), { series: 3, because: { A: 2, B: 1 } });
});
