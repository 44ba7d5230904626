/** What became of storing a series, in the ledger. */
import type { Failure } from '../../domain/failure.ts';
import { STORAGE } from '../../domain/series.ts';
import type { Binding, Millis, Quarantined, Retry, StoreDone } from '../../ports.ts';
import type { Database } from './database.ts';
import { refresh, tryLater } from './progress.ts';

export function bind(
  db: Database,
  series: string,
  { attributes, labels, path, inOrthanc }: Binding,
  now: Millis,
): void {
  db.run(
    'UPDATE series SET attributes = ?, labels = ?, path = ?, in_orthanc = ?, updated = ? WHERE id = ?',
    JSON.stringify(attributes),
    labels === undefined ? null : JSON.stringify(labels),
    path,
    inOrthanc,
    now,
    series,
  );
  db.run('UPDATE leg SET total = ? WHERE series = ? AND target = ?', inOrthanc, series, STORAGE);
}

export function stored(db: Database, series: string, done: StoreDone, now: Millis): void {
  bind(db, series, done, now);
  db.run(
    `UPDATE series SET increment = ?, stored = ?, untagged = ?, digest = ?, reason_code = NULL, reason_message = NULL
     WHERE id = ?`,
    done.increment,
    done.stored,
    done.untagged,
    done.digest,
    series,
  );
  endLeg(db, series, done.failure, now);
  db.run('UPDATE leg SET done = ? WHERE series = ? AND target = ?', done.stored, series, STORAGE);
  db.run('DELETE FROM progress WHERE series = ? AND target = ?', series, STORAGE);
  if (done.stored > 0) for (const target of done.targets) openLeg(db, series, target, done, now);
  refresh(db, series, now);
}

/** A destination that has everything up to this increment already is left in peace. */
function openLeg(
  db: Database,
  series: string,
  target: string,
  { stored: total, increment }: StoreDone,
  now: Millis,
): void {
  db.run(
    `INSERT INTO leg (series, target, state, next_try, total, updated) VALUES (?, ?, 'pending', ?, ?, ?)
     ON CONFLICT (series, target) DO UPDATE SET total = excluded.total, state = 'pending', attempts = 0,
       next_try = excluded.next_try, updated = excluded.updated
     WHERE leg.through < ?`,
    series,
    target,
    now,
    total,
    now,
    increment,
  );
}

function endLeg(db: Database, series: string, failure: Failure | undefined, now: Millis): void {
  db.run(
    `UPDATE leg SET state = ?, next_try = NULL, attempts = 0, failure_code = ?, failure_message = ?, updated = ?
     WHERE series = ? AND target = ?`,
    failure === undefined ? 'done' : 'failed',
    failure?.code ?? null,
    failure?.message ?? null,
    now,
    series,
    STORAGE,
  );
}

export function storeLater(db: Database, series: string, retry: Retry, now: Millis): void {
  tryLater(db, series, STORAGE, retry, now);
}

export function storeFailed(db: Database, series: string, failure: Failure, now: Millis): void {
  endLeg(db, series, failure, now);
  refresh(db, series, now);
}

export function quarantine(
  db: Database,
  series: string,
  { attributes, inOrthanc, digest, reason }: Quarantined,
  now: Millis,
): void {
  db.run(
    `UPDATE series SET attributes = ?, in_orthanc = ?, digest = ?, reason_code = ?, reason_message = ? WHERE id = ?`,
    JSON.stringify(attributes),
    inOrthanc,
    digest,
    reason.code,
    reason.message,
    series,
  );
  // it waits for a person, not for a time
  db.run(
    'UPDATE leg SET next_try = NULL, total = ?, updated = ? WHERE series = ? AND target = ?',
    inOrthanc,
    now,
    series,
    STORAGE,
  );
  refresh(db, series, now);
}

export function release(db: Database, series: string, now: Millis): void {
  db.run('UPDATE series SET due = ? WHERE id = ?', now, series);
  refresh(db, series, now);
}
