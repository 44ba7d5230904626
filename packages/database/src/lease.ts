/** Which of several processes does a piece of work: the one whose lease stands in the table `lease`. */
import type { Row, Statements } from './database.ts';

/** The table, for databases that have no other tables for it; the ledger of the streamer has the same in its own migrations. */
export const LEASE_MIGRATIONS: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS lease (
     name TEXT PRIMARY KEY, owner TEXT NOT NULL, until INTEGER NOT NULL) STRICT;`,
];

export interface Lease {
  /** Of the work. */
  readonly name: string;
  readonly owner: string;
  /** It ends so long after it was taken or renewed, in milliseconds. */
  readonly leaseMs: number;
  /** No lease lasts longer: one that ends later was taken before the clock stepped back. Default: twice `leaseMs`. */
  readonly longestMs?: number;
}

/** Part of the lease that has to be left: below it, the lease is written anew. */
const LEFT = 2 / 3;

export interface Taken {
  /** From `now` on, in milliseconds. */
  readonly leftMs: number;
  /** It was not the owner's before: another may have had it meanwhile. */
  readonly isNew: boolean;
}

/** Takes the lease where it is free or ran out, and renews the own one. Undefined while another owner has it. */
export async function takeLease(
  tx: Statements,
  { name, owner, leaseMs, longestMs = 2 * leaseMs }: Lease,
  now: number,
): Promise<Taken | undefined> {
  const lease = await leaseOf(tx, name);
  const left = Number(lease?.['until'] ?? 0) - now;
  const isNew = lease?.['owner'] !== owner;
  if (!isNew && left > leaseMs * LEFT && left <= leaseMs) return { leftMs: left, isNew };
  const taken = await tx.run(
    `INSERT INTO lease (name, owner, until) VALUES (?, ?, ?)
     ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until
     WHERE lease.owner = excluded.owner OR lease.until <= ? OR lease.until > ?`,
    [name, owner, now + leaseMs, now, now + longestMs],
  );
  return taken === 1 ? { leftMs: leaseMs, isNew } : undefined;
}

/** `lock`: of the dialect, for whoever writes in the same transaction. */
export const leaseOf = (tx: Statements, name: string, lock = ''): Promise<Row | undefined> =>
  tx.get(`SELECT owner, until FROM lease WHERE name = ? ${lock}`, [name]);

/** Others may have them at once. */
export const dropLeases = (tx: Statements, owner: string): Promise<number> =>
  tx.run('DELETE FROM lease WHERE owner = ?', [owner]);
