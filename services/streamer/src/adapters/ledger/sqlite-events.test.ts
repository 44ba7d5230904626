import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventConformance } from './conformance-events.test.ts';
import { LEASE_MS } from './conformance-kit.test.ts';
import { openLedger } from './sqlite.ts';

eventConformance('events on SQLite', async (t, followers) => {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-ledger-'));
  const path = join(folder, 'ledger.sqlite');
  const open = (): ReturnType<typeof openLedger> => openLedger(path, { leaseMs: LEASE_MS, followers });
  let current = open();
  t.after(async () => {
    await current.close();
    await rm(folder, { recursive: true });
  });
  return {
    ledger: current,
    again: async () => {
      await current.close();
      current = open();
      return current;
    },
  };
});
