/** Who reads what Orthanc reports: one streamer at a time. */
import { Fault, transient } from '../model/failure.ts';
import type { Millis } from '../ports.ts';
import type { Tx } from '../ledger/database.ts';

const FEED = 'feed';
/** Part of the lease that has to be left: below it, the lease is written anew. */
const LEFT = 2 / 3;

/** Takes the lease where it is free or has run out, and renews one's own. Whether one has it now. */
export async function lead(tx: Tx, owner: string, now: Millis, leaseMs: number): Promise<boolean> {
  const held = await tx.get('SELECT owner, until FROM lease WHERE name = ?', FEED);
  const left = Number(held?.['until'] ?? 0) - now;
  if (held?.['owner'] === owner && left > leaseMs * LEFT && left <= leaseMs) return true;
  // a lease that ends later than any may was taken before the clock stepped back
  const taken = await tx.run(
    `INSERT INTO lease (name, owner, until) VALUES (?, ?, ?)
     ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until
     WHERE lease.owner = excluded.owner OR lease.until <= ? OR lease.until > ?`,
    FEED,
    owner,
    now + leaseMs,
    now,
    now + 2 * leaseMs,
  );
  return taken === 1;
}

/** Throws where another has the lease by now: what one read is old. */
export async function leads(tx: Tx, owner: string): Promise<void> {
  const held = await tx.get(`SELECT owner FROM lease WHERE name = ? ${tx.dialect.lock}`, FEED);
  if (held !== undefined && held['owner'] !== owner) throw new Fault(LOST);
}

const LOST = transient(
  'LEDGER_LEASE_LOST',
  'Reading what Orthanc reports took so long that another streamer took it over. It goes on there; nothing needs doing.',
);

/** Another may have it at once. */
export async function leave(tx: Tx, owner: string): Promise<void> {
  await tx.run('DELETE FROM lease WHERE owner = ?', owner);
}
