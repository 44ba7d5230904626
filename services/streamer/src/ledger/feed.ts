/** The change feed of Orthanc in the ledger: how far it was read, and which streamer reads it. */
import { FailureError, transient } from '@scanflow/failure';
import type { Millis, Tx } from './tx.ts';
import type { Cursor } from './rows.ts';
import { parse } from './views.ts';

const FEED = 'feed';

/** Part of the lease that has to be left: below it, the lease is written anew. */
const LEFT = 2 / 3;

/**
 * Whether this streamer is the one that reads what Orthanc reports: takes the lease where it is free or ran out, and renews its
 * own. Call it before each round. While another streamer leads, `leads` throws.
 */
export async function lead(tx: Tx, now: Millis): Promise<boolean> {
  const { owner, leaseMs } = tx;
  const lease = await tx.get('SELECT owner, until FROM lease WHERE name = ?', [FEED]);
  const left = Number(lease?.['until'] ?? 0) - now;
  if (lease?.['owner'] === owner && left > leaseMs * LEFT && left <= leaseMs) return true;
  // a lease that ends later than any may was taken before the clock stepped back
  const taken = await tx.run(
    `INSERT INTO lease (name, owner, until) VALUES (?, ?, ?)
     ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until
     WHERE lease.owner = excluded.owner OR lease.until <= ? OR lease.until > ?`,
    [FEED, owner, now + leaseMs, now, now + 2 * leaseMs],
  );
  return taken === 1;
}

/** Throws LEDGER_LEASE_LOST where another streamer has the lease: what this one read is old. */
export async function leads(tx: Tx): Promise<void> {
  const lease = await tx.get(`SELECT owner FROM lease WHERE name = ? ${tx.dialect.lock}`, [FEED]);
  if (lease !== undefined && lease['owner'] !== tx.owner) throw new FailureError(LOST);
}

const LOST = transient(
  'LEDGER_LEASE_LOST',
  'Reading what Orthanc reports took so long that another streamer took it over. It goes on there; nothing needs doing.',
);

/** Another may have it at once. */
export async function leave(tx: Tx): Promise<void> {
  await tx.run('DELETE FROM lease WHERE owner = ?', [tx.owner]);
}

export async function readCursor(tx: Tx): Promise<Cursor | undefined> {
  const row = await tx.get('SELECT seq, database FROM cursor');
  if (row === undefined) return undefined;
  return { seq: Number(row['seq']), database: parse.text(row['database']) };
}

export async function setCursor(tx: Tx, cursor: Cursor): Promise<void> {
  await leads(tx);
  await putCursor(tx, cursor);
}

export async function putCursor(tx: Tx, { seq, database }: Cursor): Promise<void> {
  await tx.run(
    `INSERT INTO cursor (id, seq, database) VALUES (1, ?, ?)
     ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, database = excluded.database`,
    [seq, database ?? null],
  );
}
