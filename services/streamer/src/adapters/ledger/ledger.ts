/** The ledger, on whatever database: what was seen, what is due, in whose hands it is, what is done. */
import type { Ledger } from '../../ports.ts';
import * as claims from './claims.ts';
import type { Database } from './database.ts';
import * as forwarding from './forwarding.ts';
import * as intake from './intake.ts';
import * as progress from './progress.ts';
import * as storing from './storing.ts';
import { listSeries, quarantinedSeries, summarise } from './views.ts';

/** How long a claim holds without a sign of life, where nothing else is asked for. */
export const DEFAULT_LEASE_MS = 60_000;

/** The ledger's methods as transactions on this database. */
export function ledgerOn(database: Database, leaseMs: number = DEFAULT_LEASE_MS): Ledger {
  const write = database.transaction.bind(database);
  const read = database.read.bind(database);
  return {
    leaseMs,
    cursor: () => read(intake.cursor),
    setCursor: (...given) => write((db) => intake.setCursor(db, ...given)),
    arrived: (...given) => write((db) => intake.arrived(db, ...given)),
    reconcile: (...given) => write((db) => intake.reconcile(db, ...given)),
    clampTimers: (...given) => write((db) => intake.clampTimers(db, ...given)),
    nextStore: (now) => write((db) => claims.claimStore(db, now, leaseMs)),
    nextForward: (target, now) => write((db) => claims.claimForward(db, target, now, leaseMs)),
    nextTime: (target) => read((db) => claims.nextTime(db, target)),
    renew: (claim, now) => write((db) => claims.renew(db, claim, now, leaseMs)),
    giveBack: (...given) => write((db) => claims.giveBack(db, ...given)),
    bind: (...given) => write((db) => storing.bind(db, ...given)),
    record: (...given) => write((db) => progress.record(db, ...given)),
    progress: (...given) => read((db) => progress.progress(db, ...given)),
    stored: (...given) => write((db) => storing.stored(db, ...given)),
    storeLater: (...given) => write((db) => progress.tryLater(db, ...given)),
    storeFailed: (...given) => write((db) => storing.storeFailed(db, ...given)),
    quarantine: (...given) => write((db) => storing.quarantine(db, ...given)),
    release: (...given) => write((db) => storing.release(db, ...given)),
    retry: (...given) => write((db) => storing.retry(db, ...given)),
    forwarded: (...given) => write((db) => forwarding.forwarded(db, ...given)),
    forwardFailed: (...given) => write((db) => forwarding.forwardFailed(db, ...given)),
    forwardLater: (...given) => write((db) => progress.tryLater(db, ...given)),
    quarantined: () => read(quarantinedSeries),
    list: (query) => read((db) => listSeries(db, query)),
    summary: () => read(summarise),
    close: () => database.close(),
  };
}
