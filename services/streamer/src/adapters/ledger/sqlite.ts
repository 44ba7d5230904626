/** The ledger on SQLite: what was seen, what is due, what is done. */
import type { Ledger } from '../../ports.ts';
import { claimForward, claimStore, nextTime } from './claims.ts';
import { openDatabase } from './database.ts';
import * as forwarding from './forwarding.ts';
import * as intake from './intake.ts';
import * as progress from './progress.ts';
import * as storing from './storing.ts';
import { listSeries, quarantinedSeries, summarise } from './views.ts';

/**
 * Opens (or makes) the ledger. Methods answer promises, so that a database behind a network may take this one's
 * place; here each is done when it returns. Throws Fault LEDGER_IN_USE, LEDGER_TOO_NEW.
 */
export function openLedger(path: string): Ledger {
  const db = openDatabase(path);
  const write = <T>(action: () => T): Promise<T> => Promise.try(() => db.transaction(action));
  const read = <T>(action: () => T): Promise<T> => Promise.try(action);
  return {
    cursor: () => read(() => intake.cursor(db)),
    setCursor: (...given) => write(() => intake.setCursor(db, ...given)),
    arrived: (...given) => write(() => intake.arrived(db, ...given)),
    reconcile: (...given) => write(() => intake.reconcile(db, ...given)),
    clampTimers: (...given) => write(() => intake.clampTimers(db, ...given)),
    nextStore: (...given) => write(() => claimStore(db, ...given)),
    nextForward: (...given) => read(() => claimForward(db, ...given)),
    nextTime: (...given) => read(() => nextTime(db, ...given)),
    bind: (...given) => write(() => storing.bind(db, ...given)),
    record: (...given) => write(() => progress.record(db, ...given)),
    progress: (...given) => read(() => progress.progress(db, ...given)),
    stored: (...given) => write(() => storing.stored(db, ...given)),
    storeLater: (...given) => write(() => storing.storeLater(db, ...given)),
    storeFailed: (...given) => write(() => storing.storeFailed(db, ...given)),
    quarantine: (...given) => write(() => storing.quarantine(db, ...given)),
    release: (...given) => write(() => storing.release(db, ...given)),
    forwarded: (...given) => write(() => forwarding.forwarded(db, ...given)),
    forwardFailed: (...given) => write(() => forwarding.forwardFailed(db, ...given)),
    forwardLater: (...given) => write(() => forwarding.forwardLater(db, ...given)),
    quarantined: () => read(() => quarantinedSeries(db)),
    list: (query) => read(() => listSeries(db, query)),
    summary: () => read(() => summarise(db)),
    close: () => read(() => db.close()),
  };
}
