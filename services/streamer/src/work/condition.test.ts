/** When the ledger counts as away: from the first work that fails until it answers again, and no longer. When the streamer is well. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { transient } from '@scanflow/failure';
import { Condition } from './condition.ts';

const AWAY = transient('LEDGER_UNREACHABLE', 'PostgreSQL does not answer.');
const codes = (condition: Condition): string[] => (condition.health(0).faults ?? []).map(({ code }) => code);

test('condition: a ledger that answers others again is no fault, though the work that failed now waits for an hour', () => {
  const condition = new Condition();
  condition.ledgerFailed('prune', AWAY, 1_000);
  assert.deepEqual(codes(condition), ['LEDGER_UNREACHABLE']);
  condition.worked('waiting', 12_000);
  assert.deepEqual(codes(condition), []);
});

test('condition: work that fails again and again stays a fault, though other work goes through', () => {
  const condition = new Condition();
  for (let now = 1_000; now < 60_000; now += 2_000) {
    condition.ledgerFailed('store', AWAY, now);
    condition.worked('waiting', now + 1_000);
    assert.deepEqual(codes(condition), ['LEDGER_UNREACHABLE']);
  }
  condition.worked('store', 60_000);
  assert.deepEqual(codes(condition), []);
});

test('condition: a round that began before the failure proves nothing', () => {
  const condition = new Condition();
  condition.ledgerFailed('prune', AWAY, 20_000);
  condition.worked('waiting', 15_000);
  assert.deepEqual(codes(condition), ['LEDGER_UNREACHABLE']);
});

test('condition: roots that nobody looked at yet are not called well; a rebuild comes before that look', () => {
  const condition = new Condition();
  const seen = (): unknown[] => {
    const { ok, ready, detail } = condition.health(0);
    return [ok, ready, detail['storage']];
  };
  assert.deepEqual(seen(), [false, false, 'unknown']);
  condition.rebuilding = 0;
  assert.deepEqual(seen(), [true, true, 'unknown']);
  condition.rebuilding = undefined;
  condition.rootsRefused([]);
  assert.deepEqual(seen(), [true, true, 'ok']);
});
