/** Roots in the ledger. */
import { COPY, STORAGE } from '../model/series.ts';
import type { KnownRoot, Millis, RootLedger, StoredPlace } from '../ports.ts';
import type { Database, Tx } from '../ledger/database.ts';
import { recheck } from '../store/recheck-sql.ts';
import { retry } from '../store/sql.ts';
import { parse } from '../ledger/views.ts';

export function rootsOn(database: Database): RootLedger {
  const write = database.transaction.bind(database);
  const read = database.read.bind(database);
  return {
    installation: (given) => write((tx) => installation(tx, given)),
    roots: () => read(roots),
    reserveRoot: (...given) => write((tx) => reserve(tx, ...given)),
    adoptRoot: (...given) => write((tx) => adopt(tx, ...given)),
    beginBeat: (...given) => write((tx) => beginBeat(tx, ...given)),
    endBeat: (...given) => write((tx) => endBeat(tx, ...given)),
    storedPlaces: (...given) => read((tx) => storedPlaces(tx, ...given)),
    hastenRefused: (now) => write((tx) => hastenRefused(tx, now)),
    examining: () => read(examining),
    examine: (...given) => write((tx) => examine(tx, ...given)),
  };
}

async function installation(tx: Tx, given: string): Promise<string> {
  await tx.run('INSERT INTO installation (one, id) VALUES (1, ?) ON CONFLICT (one) DO NOTHING', given);
  return String((await tx.get('SELECT id FROM installation'))?.['id']);
}

async function roots(tx: Tx): Promise<ReadonlyMap<string, KnownRoot>> {
  const rows = await tx.all('SELECT name, id, sequence FROM root');
  return new Map(
    rows.map((row) => [String(row['name']), { id: String(row['id']), sequence: Number(row['sequence']) }]),
  );
}

async function reserve(tx: Tx, name: string, id: string): Promise<KnownRoot> {
  await tx.run(
    'INSERT INTO root (name, id, sequence) VALUES (?, ?, 0) ON CONFLICT (name) DO NOTHING',
    name,
    id,
  );
  const row = await tx.get('SELECT id, sequence FROM root WHERE name = ?', name);
  return { id: String(row?.['id']), sequence: Number(row?.['sequence']) };
}

async function adopt(tx: Tx, name: string, { id, sequence }: KnownRoot, examineAll: boolean): Promise<void> {
  await tx.run(
    `INSERT INTO root (name, id, sequence, examined) VALUES (?, ?, ?, ?)
     ON CONFLICT (name) DO UPDATE SET id = excluded.id, sequence = excluded.sequence, beat_owner = NULL,
       beat = 0, beat_until = 0, examined = coalesce(excluded.examined, root.examined)`,
    name,
    id,
    sequence,
    examineAll ? '' : null,
  );
}

/** One writer at a time: if one overtook another, the lower number would stay on the root. */
async function beginBeat(
  tx: Tx,
  name: string,
  owner: string,
  now: Millis,
  until: Millis,
): Promise<number | undefined> {
  const row = await tx.get(`SELECT sequence, beat FROM root WHERE name = ? ${tx.dialect.lock}`, name);
  const next = 1 + Math.max(Number(row?.['sequence'] ?? 0), Number(row?.['beat'] ?? 0));
  // a right that ends later than any may was taken before the clock stepped back
  const begun = await tx.run(
    `UPDATE root SET beat_owner = ?, beat = ?, beat_until = ?
     WHERE name = ? AND (beat_owner IS NULL OR beat_owner = ? OR beat_until <= ? OR beat_until > ?)`,
    owner,
    next,
    until,
    name,
    owner,
    now,
    until + (until - now),
  );
  return begun === 1 ? next : undefined;
}

async function endBeat(tx: Tx, name: string, owner: string, sequence: number): Promise<void> {
  await tx.run(
    'UPDATE root SET sequence = ?, beat_owner = NULL WHERE name = ? AND beat_owner = ? AND beat = ?',
    sequence,
    name,
    owner,
    sequence,
  );
}

/** Of the copy, those before 0.2.0 have no folder in the ledger: they go by without one. */
async function storedPlaces(tx: Tx, target: string, limit: number, offset: number): Promise<StoredPlace[]> {
  const rows =
    target === COPY
      ? await tx.all(
          `SELECT s.id, s.copy_path AS path FROM leg l JOIN series s ON s.id = l.series
           WHERE l.target = ? AND l.done > 0 ORDER BY l.updated DESC, l.series LIMIT ? OFFSET ?`,
          COPY,
          limit,
          offset,
        )
      : await tx.all(
          `SELECT id, path FROM series WHERE stored > 0 AND path IS NOT NULL
           ORDER BY updated DESC, id LIMIT ? OFFSET ?`,
          limit,
          offset,
        );
  return rows.map((row) => ({ series: String(row['id']), path: parse.text(row['path']) ?? '' }));
}

async function hastenRefused(tx: Tx, now: Millis): Promise<void> {
  await tx.run(
    `UPDATE leg SET next_try = ?
     WHERE state = 'pending' AND claim IS NULL AND next_try > ? AND failure_code LIKE 'STORE_ROOT_%'`,
    now,
    now,
  );
}

async function examining(tx: Tx): Promise<string[]> {
  const rows = await tx.all('SELECT name FROM root WHERE examined IS NOT NULL ORDER BY name');
  return rows.map((row) => String(row['name']));
}

async function examine(
  tx: Tx,
  name: string,
  target: string,
  isThere: (path: string) => boolean,
  limit: number,
  now: Millis,
): Promise<boolean> {
  const row = await tx.get(`SELECT examined FROM root WHERE name = ? ${tx.dialect.lock}`, name);
  const from = parse.text(row?.['examined']);
  if (from === undefined) return false;
  const rows = await tx.all(
    `SELECT s.id, s.path FROM series s JOIN leg l ON l.series = s.id AND l.target = ?
     WHERE s.id > ? AND l.state <> 'pending' ORDER BY s.id LIMIT ?`,
    target,
    from,
    limit,
  );
  for (const { id, path } of rows) {
    const folder = parse.text(path);
    if (target === STORAGE && (folder === undefined || !isThere(folder))) continue;
    if ((await recheck(tx, String(id), [target], now)).length === 0) await retry(tx, String(id), target, now);
  }
  const last = rows.length < limit ? null : String(rows.at(-1)?.['id']);
  await tx.run('UPDATE root SET examined = ? WHERE name = ?', last, name);
  return last !== null;
}
