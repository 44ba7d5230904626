/** The ledger on a database, whichever it is. */
import { randomUUID } from 'node:crypto';
import type { Database, Statements } from './database.ts';
import { leave } from './lead.ts';
import type { Followers, Ledger, Tx } from './tx.ts';

/** A claim holds so long without being renewed, where the configuration says nothing. */
export const DEFAULT_LEASE_MS = 60_000;

/** No hooks. */
const NOBODY: Followers = { hooksFor: () => [], sessionQuietMs: 0 };

/** The ledger of one streamer on this database. */
export function ledgerOn(
  database: Database,
  leaseMs: number = DEFAULT_LEASE_MS,
  followers: Followers = NOBODY,
): Ledger {
  const owner = randomUUID();
  const txOf = (statements: Statements): Tx => ({ ...statements, leaseMs, owner, followers });
  const write: Ledger['write'] = (work, ...given) =>
    database.transaction((statements) => work(txOf(statements), ...given));
  return {
    write,
    read: (work, ...given) => database.read((statements) => work(txOf(statements), ...given)),
    leaseMs,
    ...(database.broken === undefined ? {} : { broken: database.broken }),
    scrub: () => database.scrub?.() ?? Promise.resolve(),
    close: async () => {
      // where the database is out of reach, the lease ends by itself
      await write(leave).catch(() => undefined);
      await database.close();
    },
  };
}
