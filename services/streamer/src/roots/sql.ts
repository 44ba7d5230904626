/** Roots in the ledger: their IDs, and the last heartbeat on each. */
import { COPY, STORAGE } from '../model/series.ts';
import type { Millis, Tx } from '../ledger/tx.ts';
import { recheck, retryLegs } from '../ledger/leg.ts';
import { parse } from '../ledger/views.ts';

/** The id of the installation. The ledger takes the given one where it has none yet. */
export async function installationId(tx: Tx, given: string): Promise<string> {
  await tx.run('INSERT INTO installation (one, id) VALUES (1, ?) ON CONFLICT (one) DO NOTHING', [given]);
  return String((await tx.get('SELECT id FROM installation'))?.['id']);
}

/** Roots by their names; see roots/identity.ts. */
export async function knownRoots(tx: Tx): Promise<ReadonlyMap<string, KnownRoot>> {
  const rows = await tx.all('SELECT name, id, sequence FROM root');
  return new Map(
    rows.map((row) => [String(row['name']), { id: String(row['id']), sequence: Number(row['sequence']) }]),
  );
}

/**
 * Says that this root is to be written to for the first time. Where it is known already, by another streamer too, that
 * stays: gives what the ledger has. Sequence 0: nothing is known to be on the root yet.
 */
export async function reserveRoot(tx: Tx, name: string, id: string): Promise<KnownRoot> {
  await tx.run('INSERT INTO root (name, id, sequence) VALUES (?, ?, 0) ON CONFLICT (name) DO NOTHING', [
    name,
    id,
  ]);
  const row = await tx.get('SELECT id, sequence FROM root WHERE name = ?', [name]);
  return { id: String(row?.['id']), sequence: Number(row?.['sequence']) };
}

/** From now on this is the root. With `examine`, every series below it is looked at: see examine(). */
export async function adoptRoot(
  tx: Tx,
  name: string,
  { id, sequence }: KnownRoot,
  examineAll: boolean,
): Promise<void> {
  await tx.run(
    `INSERT INTO root (name, id, sequence, examined) VALUES (?, ?, ?, ?)
     ON CONFLICT (name) DO UPDATE SET id = excluded.id, sequence = excluded.sequence, beat_owner = NULL,
       beat = 0, beat_until = 0, examined = coalesce(excluded.examined, root.examined)`,
    [name, id, sequence, examineAll ? '' : null],
  );
}

/**
 * The number of the next heartbeat, and the right to write it until `until`; undefined while another streamer has it. Two
 * writers that overtook each other would leave the lower number on the root.
 */
export async function beginBeat(
  tx: Tx,
  name: string,
  owner: string,
  now: Millis,
  until: Millis,
): Promise<number | undefined> {
  const row = await tx.get(`SELECT sequence, beat FROM root WHERE name = ? ${tx.dialect.lock}`, [name]);
  const next = 1 + Math.max(Number(row?.['sequence'] ?? 0), Number(row?.['beat'] ?? 0));
  // a right that ends later than any may was taken before the clock stepped back
  const begun = await tx.run(
    `UPDATE root SET beat_owner = ?, beat = ?, beat_until = ?
     WHERE name = ? AND (beat_owner IS NULL OR beat_owner = ? OR beat_until <= ? OR beat_until > ?)`,
    [owner, next, until, name, owner, now, until + (until - now)],
  );
  return begun === 1 ? next : undefined;
}

/** That heartbeat is on the root. */
export async function endBeat(tx: Tx, name: string, owner: string, sequence: number): Promise<void> {
  await tx.run(
    'UPDATE root SET sequence = ?, beat_owner = NULL WHERE name = ? AND beat_owner = ? AND beat = ?',
    [sequence, name, owner, sequence],
  );
}

/** Series that are stored, or copied; the latest first. Copies of 0.1.0 have no folder in the ledger: their path is empty. */
export async function storedPlaces(
  tx: Tx,
  target: string,
  limit: number,
  offset: number,
): Promise<StoredFolder[]> {
  const rows =
    target === COPY
      ? await tx.all(
          `SELECT s.id, s.copy_path AS path FROM leg l JOIN series s ON s.id = l.series
           WHERE l.target = ? AND l.done > 0 ORDER BY l.updated DESC, l.series LIMIT ? OFFSET ?`,
          [COPY, limit, offset],
        )
      : await tx.all(
          `SELECT id, path FROM series WHERE stored > 0 AND path IS NOT NULL
           ORDER BY updated DESC, id LIMIT ? OFFSET ?`,
          [limit, offset],
        );
  return rows.map((row) => ({ series: String(row['id']), path: parse.text(row['path']) ?? '' }));
}

/** What waits because of a root is tried at once. */
export async function hastenRefused(tx: Tx, now: Millis): Promise<void> {
  await tx.run(
    `UPDATE leg SET next_try = ?
     WHERE state = 'pending' AND claim IS NULL AND next_try > ? AND failure_code LIKE 'STORE_ROOT_%'`,
    [now, now],
  );
}

/** Names of roots whose series are still to be looked at. */
export async function rootsToExamine(tx: Tx): Promise<string[]> {
  const rows = await tx.all('SELECT name FROM root WHERE examined IS NOT NULL ORDER BY name');
  return rows.map((row) => String(row['name']));
}

/**
 * Opens the next series of a restored or replaced root again: see recheck(). `isThere` says whether a folder is below that
 * root. Returns false once all series are open.
 */
export async function examineNext(
  tx: Tx,
  name: string,
  target: string,
  isThere: (path: string) => boolean,
  limit: number,
  now: Millis,
): Promise<boolean> {
  const row = await tx.get(`SELECT examined FROM root WHERE name = ? ${tx.dialect.lock}`, [name]);
  const from = parse.text(row?.['examined']);
  if (from === undefined) return false;
  const rows = await tx.all(
    `SELECT s.id, s.path FROM series s JOIN leg l ON l.series = s.id AND l.target = ?
     WHERE s.id > ? AND l.state <> 'pending' ORDER BY s.id LIMIT ?`,
    [target, from, limit],
  );
  for (const { id, path } of rows) {
    const folder = parse.text(path);
    if (target === STORAGE && (folder === undefined || !isThere(folder))) continue;
    if ((await recheck(tx, String(id), [target], now)).length === 0)
      await retryLegs(tx, String(id), target, now);
  }
  const last = rows.length < limit ? null : String(rows.at(-1)?.['id']);
  await tx.run('UPDATE root SET examined = ? WHERE name = ?', [last, name]);
  return last !== null;
}

export interface KnownRoot {
  /** The root's ID, wherever it is mounted. */
  readonly id: string;
  /** The last heartbeat that is certainly on the root. */
  readonly sequence: number;
}

interface StoredFolder {
  readonly series: string;
  /** Its folder, as the ledger writes it. */
  readonly path: string;
}
