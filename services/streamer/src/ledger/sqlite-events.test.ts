import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commitmentConformance } from '../commitment/conformance.test.ts';
import { arrivalConformance } from '../intake/conformance.test.ts';
import { eventConformance, type OpenFollowed } from '../hooks/conformance.test.ts';
import { runConformance } from '../hooks/runs.conformance.test.ts';
import { noticeConformance } from '../notices/conformance.test.ts';
import { LEASE_MS } from './conformance-kit.test.ts';
import { openLedger } from './database.ts';

const open: OpenFollowed = async (t, consequences) => {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-ledger-'));
  const path = join(folder, 'ledger.sqlite');
  const made = (): ReturnType<typeof openLedger> => openLedger(path, { leaseMs: LEASE_MS, consequences });
  let current = made();
  t.after(async () => {
    await current.close();
    await rm(folder, { recursive: true });
  });
  return {
    ledger: current,
    again: async () => {
      await current.close();
      current = made();
      return current;
    },
  };
};

eventConformance('events on SQLite', open);
runConformance('hooks on SQLite', open);
arrivalConformance('arrivals on SQLite', open);
commitmentConformance('commitment on SQLite', open);
noticeConformance('notices on SQLite', open);
