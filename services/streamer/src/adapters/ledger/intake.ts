/** What Orthanc reported, in the ledger. */
import type { Cursor, Millis } from '../../ports.ts';
import type { Database } from './database.ts';
import { parse } from './views.ts';

export function cursor(db: Database): Cursor | undefined {
  const row = db.get('SELECT seq, database FROM cursor');
  if (row === undefined) return undefined;
  return { seq: Number(row['seq']), database: parse.text(row['database']) };
}

export function setCursor(db: Database, { seq, database }: Cursor): void {
  db.run(
    `INSERT INTO cursor (id, seq, database) VALUES (1, ?, ?)
     ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, database = excluded.database`,
    seq,
    database ?? null,
  );
}

export function arrived(
  db: Database,
  seen: Cursor,
  series: readonly string[],
  now: Millis,
  due: Millis,
): void {
  for (const id of series) touch(db, id, now, due);
  setCursor(db, seen);
}

/** Whatever the series was doing, its quiet timer starts anew. */
function touch(db: Database, series: string, now: Millis, due: Millis): void {
  db.run(
    `INSERT INTO series (id, state, due, first_seen, updated) VALUES (?, 'collecting', ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET due = excluded.due, state = 'collecting', updated = excluded.updated`,
    series,
    due,
    now,
    now,
  );
}

export function reconcile(
  db: Database,
  listed: readonly { id: string; digest: string }[],
  now: Millis,
  due: Millis,
): number {
  const unsettled = listed.filter(({ id, digest }) => {
    const known = db.get('SELECT state, digest FROM series WHERE id = ?', id);
    return known === undefined || (!isOpen(known['state']) && known['digest'] !== digest);
  });
  for (const { id } of unsettled) touch(db, id, now, due);
  return unsettled.length;
}

/** What is being worked on lists its instances again by itself, and its digest is compared the next time. */
const isOpen = (state: unknown): boolean => state === 'collecting' || state === 'working';

export function clampTimers(db: Database, latestDue: Millis, latestTry: Millis): void {
  db.run('UPDATE series SET due = ? WHERE due > ?', latestDue, latestDue);
  db.run(`UPDATE leg SET next_try = ? WHERE state = 'pending' AND next_try > ?`, latestTry, latestTry);
}
