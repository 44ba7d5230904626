/** What the ledger's conformance tests share. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Decision } from '../model/decision.ts';
import type { Ledger } from './tx.ts';
import type { LegWork, LegView, StoreDone, StoreWork } from './rows.ts';
import { listSeries } from './views.ts';
import { nextLeg, nextStore } from './claims.ts';

export const FAILURE = { kind: 'transient', code: 'X', message: 'x' } as const;
export const cursor = (seq: number): { seq: number; database: undefined } => ({ seq, database: undefined });

export const done = (over: Partial<StoreDone> = {}): StoreDone => ({
  attributes: { Modality: 'MR' },
  labels: { project: 'p', subject: 's', session: 't' },
  path: 'p/s/t',
  increment: 1,
  inOrthanc: 2,
  stored: 2,
  untagged: 0,
  digest: 'd1',
  failure: undefined,
  targets: ['pacs'],
  ...over,
});

export const LEASE_MS = 1_000;

/** Opens an empty ledger with leases of LEASE_MS; `again` opens it anew after its process is gone. */
export type OpenLedger = (t: TestContext) => Promise<{ ledger: Ledger; again: () => Promise<Ledger> }>;

export const state = async (ledger: Ledger, id = 'a'): Promise<string | undefined> =>
  (await ledger.read(listSeries, { limit: 100 })).find((series) => series.id === id)?.state;

/** Of the latest series. */
export const leg = async (ledger: Ledger, target: string): Promise<LegView | undefined> =>
  (await ledger.read(listSeries, { limit: 100 }))[0]?.legs.find((one) => one.target === target);

export async function toStore(ledger: Ledger, now: number): Promise<StoreWork> {
  const work = await ledger.write(nextStore, now);
  assert.ok(work !== undefined, 'nothing is due');
  return work;
}

export async function toForward(ledger: Ledger, now: number, target = 'pacs'): Promise<LegWork> {
  const work = await ledger.write(nextLeg, target, now);
  assert.ok(work !== undefined, 'nothing is due');
  return work;
}

export const LOST = { code: 'LEDGER_LEASE_LOST', kind: 'transient' };

export const decision = (over: Partial<Decision> = {}): Decision => ({
  version: 1,
  kind: 'release',
  labels: { project: 'p', subject: 's', session: 't' },
  at: '2026-11-22T10:00:00.000Z',
  by: 'anna',
  from: '127.0.0.1',
  ...over,
});
