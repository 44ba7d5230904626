/** Which work is next. */
import { STORAGE } from '../../domain/series.ts';
import type { ForwardWork, Millis, StoreWork } from '../../ports.ts';
import type { Database } from './database.ts';
import { parse } from './views.ts';

/**
 * A series whose quiet timer ended comes first. Its timer is taken off in the same transaction: what arrives from
 * now on sets it again, so nothing that the work may miss goes unnoticed.
 */
export function claimStore(db: Database, now: Millis, busy: readonly string[]): StoreWork | undefined {
  const excluded = JSON.stringify(busy);
  const due = db.get(
    `SELECT id FROM series WHERE due IS NOT NULL AND due <= ? AND id NOT IN (SELECT value FROM json_each(?))
     ORDER BY due LIMIT 1`,
    now,
    excluded,
  );
  if (due !== undefined) return beginStore(db, String(due['id']), now);
  const retry = db.get(
    `SELECT series FROM leg
     WHERE target = ? AND state = 'pending' AND next_try <= ? AND series NOT IN (SELECT value FROM json_each(?))
     ORDER BY next_try LIMIT 1`,
    STORAGE,
    now,
    excluded,
  );
  return retry === undefined ? undefined : storeWork(db, String(retry['series']));
}

function beginStore(db: Database, series: string, now: Millis): StoreWork | undefined {
  db.run(
    `UPDATE series SET due = NULL, state = 'working', reason_code = NULL, reason_message = NULL, updated = ?
     WHERE id = ?`,
    now,
    series,
  );
  db.run(
    `INSERT INTO leg (series, target, state, next_try, updated) VALUES (?, ?, 'pending', ?, ?)
     ON CONFLICT (series, target) DO UPDATE SET state = 'pending', attempts = 0, next_try = excluded.next_try,
       updated = excluded.updated`,
    series,
    STORAGE,
    now,
    now,
  );
  return storeWork(db, series);
}

function storeWork(db: Database, series: string): StoreWork | undefined {
  const row = db.get(
    `SELECT s.labels, s.path, s.increment, l.attempts FROM series s JOIN leg l ON l.series = s.id AND l.target = ?
     WHERE s.id = ?`,
    STORAGE,
    series,
  );
  if (row === undefined) return undefined;
  return {
    series,
    attempts: Number(row['attempts']),
    labels: parse.labels(row['labels']),
    path: parse.text(row['path']),
    increment: Number(row['increment']),
  };
}

export function claimForward(
  db: Database,
  target: string,
  now: Millis,
  busy: readonly string[],
): ForwardWork | undefined {
  const row = db.get(
    `SELECT l.series, l.attempts, l.through, s.path FROM leg l JOIN series s ON s.id = l.series
     WHERE l.target = ? AND l.state = 'pending' AND l.next_try <= ? AND s.path IS NOT NULL
       AND l.series NOT IN (SELECT value FROM json_each(?))
     ORDER BY l.next_try LIMIT 1`,
    target,
    now,
    JSON.stringify(busy),
  );
  if (row === undefined) return undefined;
  return {
    series: String(row['series']),
    target,
    attempts: Number(row['attempts']),
    path: String(row['path']),
    through: Number(row['through']),
  };
}

export function nextTime(db: Database, target: string): Millis | undefined {
  const leg = db.get(`SELECT min(next_try) AS time FROM leg WHERE target = ? AND state = 'pending'`, target);
  const due =
    target === STORAGE ? db.get('SELECT min(due) AS time FROM series WHERE due IS NOT NULL') : undefined;
  const times = [leg, due].flatMap((row) => parse.integer(row?.['time'] ?? null) ?? []);
  return times.length === 0 ? undefined : Math.min(...times);
}
