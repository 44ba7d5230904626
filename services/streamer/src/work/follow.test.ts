import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLog } from '@scanflow/runtime';
import { openLedger } from '../ledger/sqlite.ts';
import type { Ledger } from '../ports.ts';
import { Condition } from './condition.ts';
import { followUp } from './follow.ts';
import { createWakes } from './loop.ts';

type Deps = Parameters<typeof followUp>[0];

test('follow: a wake-up while sessions are looked for is remembered', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-follow-'));
  const ledger = openLedger(join(folder, 'ledger.sqlite'));
  t.after(async () => {
    await ledger.close();
    await rm(folder, { recursive: true, force: true });
  });
  const wakes = createWakes();
  const read: Ledger['read'] = async (work, ...given) => {
    const none = await ledger.read(work, ...given);
    // what it did not see yet
    wakes.follow.notify();
    return none;
  };
  const looking: Ledger = { ...ledger, read };
  const deps = {
    ledger: looking,
    clock: { now: () => 0, random: () => 0.5 },
    condition: new Condition(),
    log: createLog({ service: 'test', level: 'error' }),
    follow: { hooks: [], sessionQuietMs: 600_000, cleanupAfterMs: undefined, notCleaned: new Map() },
    // of the rest, this round takes nothing
  } as unknown as Deps;
  const rounds = new Map(followUp(deps, wakes, t.signal));
  // from here on no time passes: the round ends because it was woken, or not at all
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let ended = false;
  const round = rounds.get('sessions');
  assert.ok(round !== undefined);
  void round().then(() => {
    ended = true;
  });
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(ended);
});
