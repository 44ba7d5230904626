/** The ledger in a PostgreSQL database that several streamers share. */
import { openPostgres as openServer, type Database, type PostgresOptions } from '@scanflow/database';
import { MIGRATIONS, tooNew } from './schema.ts';

/**
 * Opens the database; its tables are made or brought up to date at the first use that reaches the server. Every
 * method throws FailureError LEDGER_UNREACHABLE, LEDGER_TLS, LEDGER_DENIED, LEDGER_TOO_NEW,
 * LEDGER_FAILED.
 */
export const openPostgres = (
  options: PostgresOptions,
  migrations: readonly string[] = MIGRATIONS,
): Database =>
  openServer(options, {
    holds: 'the ledger',
    user: 'the streamer',
    section: 'ledger',
    application: 'scanflow-streamer',
    migrations,
    versionTable: 'ledger_version',
    migrationLock: 5_283_001,
    tooNew,
  });
