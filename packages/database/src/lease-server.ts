/** The leases of a service that leads by one, in PostgreSQL. */
import { FailureError, permanent } from '@scanflow/failure';
import type { Database } from './database.ts';
import type { Holder } from './faults.ts';
import { LEASE_MIGRATIONS } from './lease.ts';
import { openPostgres, type PostgresOptions } from './postgres.ts';

/** Longest wait for a connection and for a statement, so that the answer comes within the lease. */
const SHORTEST_MS = 1_000;
const LONGEST_MS = 5_000;
const CONNECTIONS = 4;

interface LeaseServer extends Pick<Holder, 'user' | 'section'> {
  readonly leaseMs: number;
  /** Number of the lock for the time that the table is made; that of others who make it in the same place. */
  readonly migrationLock: number;
}

/** The server need not answer yet. The table `lease` is in the schema that the server's user has. */
export function openLeaseServer(
  options: Pick<PostgresOptions, 'url' | 'password' | 'ca'>,
  { user, section, leaseMs, migrationLock }: LeaseServer,
): Database {
  const limitMs = Math.round(Math.min(Math.max(leaseMs / 3, SHORTEST_MS), LONGEST_MS));
  return openPostgres(
    { ...options, connections: CONNECTIONS, connectMs: limitMs, statementMs: limitMs },
    {
      ...{ user, section, migrationLock },
      holds: `the lease of ${user}`,
      application: `scanflow-${user.split(' ').at(-1) ?? ''}-lease`,
      migrations: LEASE_MIGRATIONS,
      versionTable: 'lease_version',
      tooNew: () =>
        new FailureError(
          permanent('LEDGER_TOO_NEW', `The lease of ${user} is of a newer Scanflow. Start that version.`),
        ),
    },
  );
}
