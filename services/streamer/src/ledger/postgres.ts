/** The ledger in PostgreSQL: for several streamers that share the work. */
import type { Followers, Ledger } from '../ports.ts';
import { ledgerOn } from './ledger.ts';
import { openPostgres, type PostgresOptions } from './postgres-database.ts';

/** The server need not answer yet. Every method throws FailureError LEDGER_UNREACHABLE, LEDGER_TLS, LEDGER_DENIED, LEDGER_TOO_NEW. */
export function openSharedLedger(
  options: PostgresOptions & { readonly leaseMs?: number; readonly followers?: Followers },
): Ledger {
  return ledgerOn(openPostgres(options), options.leaseMs, options.followers);
}
