/** The ledger in a SQLite file: for one streamer. */
import type { Followers, Ledger } from '../ports.ts';
import { ledgerOn } from './ledger.ts';
import { openSqlite } from './sqlite-database.ts';

/** Opens (or makes) the ledger. Throws FailureError LEDGER_IN_USE, LEDGER_TOO_NEW. */
export function openLedger(
  path: string,
  options: { readonly leaseMs?: number; readonly followers?: Followers } = {},
): Ledger {
  return ledgerOn(openSqlite(path), options.leaseMs, options.followers);
}
