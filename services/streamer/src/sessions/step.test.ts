import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLog } from '@scanflow/runtime';
import { openLedger } from '../ledger/database.ts';
import type { Ledger } from '../ledger/tx.ts';
import { Condition } from '../work/condition.ts';
import { createWakes } from '../work/loop.ts';
import { sessionRound } from './step.ts';

type Deps = Parameters<typeof sessionRound>[0];

test('sessions: a wake-up while sessions are looked for is remembered', async (t) => {
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
    wakes.after.notify();
    return none;
  };
  const looking: Ledger = { ...ledger, read };
  const deps = {
    ledger: looking,
    clock: { now: () => 0, random: () => 0.5 },
    condition: new Condition(),
    log: createLog({ service: 'test', level: 'error' }),
    sessionQuietMs: 600_000,
    wakes,
    // of the rest, this round takes nothing
  } as unknown as Deps;
  // from here on no time passes: the round ends because it was woken, or not at all
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let ended = false;
  void sessionRound(deps, t.signal).then(() => {
    ended = true;
  });
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(ended);
});
