/** What became of storing a series, in the ledger. */
import type { Failure } from '../model/failure.ts';
import { STORAGE } from '../model/series.ts';
import type { Decision } from '../model/decision.ts';
import type { Binding, Claim, Millis, Quarantined, StoreDone } from '../ports.ts';
import { storedParts } from '../joining/sql.ts';
import { hold, lockSeries } from '../ledger/claims.ts';
import type { Session } from '../ledger/database.ts';
import { refresh } from '../ledger/progress.ts';
import { unknown } from '../rebuild/sql.ts';

export async function bind(
  db: Session,
  claim: Claim,
  { attributes, labels, path, inOrthanc, decision, doubts = [] }: Binding,
  now: Millis,
): Promise<void> {
  await hold(db, claim);
  const { series } = claim;
  await db.run(
    `UPDATE series SET attributes = ?, labels = ?, path = ?, in_orthanc = ?, decision = coalesce(?, decision), doubts = ?,
       updated = ? WHERE id = ?`,
    JSON.stringify(attributes),
    labels === undefined ? null : JSON.stringify(labels),
    path,
    inOrthanc,
    decision === undefined ? null : JSON.stringify(decision),
    doubts.length === 0 ? null : JSON.stringify(doubts),
    now,
    series,
  );
  await db.run('UPDATE leg SET total = ? WHERE series = ? AND target = ?', inOrthanc, series, STORAGE);
}

export async function stored(db: Session, claim: Claim, done: StoreDone, now: Millis): Promise<void> {
  await bind(db, claim, done, now);
  const { series } = claim;
  await db.run(
    `UPDATE series SET increment = ?, stored = ?, untagged = ?, differing = ?, digest = ?, warnings = ?,
       cleaned = CASE WHEN in_orthanc > 0 THEN NULL ELSE cleaned END, reason_code = NULL, reason_message = NULL
     WHERE id = ?`,
    done.increment,
    done.stored,
    done.untagged,
    done.differing ?? 0,
    done.digest,
    done.warnings === undefined || done.warnings.length === 0 ? null : JSON.stringify(done.warnings),
    series,
  );
  if (done.parts !== undefined) await storedParts(db, done.parts);
  await endLeg(db, series, done.failure, now);
  const images = done.stored - (done.differing ?? 0);
  await db.run('UPDATE leg SET done = ? WHERE series = ? AND target = ?', images, series, STORAGE);
  await db.run('DELETE FROM progress WHERE series = ? AND target = ?', series, STORAGE);
  const doubtful = (await db.get('SELECT doubtful FROM series WHERE id = ?', series))?.['doubtful'] === 1;
  await db.run('UPDATE series SET doubtful = NULL WHERE id = ?', series);
  const { increment: through } = done;
  const total = images;
  if (done.stored > 0)
    for (const target of done.targets)
      if (doubtful) await unknown(db, { series, target, through, total }, now);
      else await openLeg(db, series, target, { total, increment: through }, now);
  await refresh(db, series, now);
}

/**
 * A destination that has everything up to this increment already is left in peace. One that is being served now
 * keeps its lease: when it ends, it sees that there is more.
 */
async function openLeg(
  db: Session,
  series: string,
  target: string,
  { total, increment }: { readonly total: number; readonly increment: number },
  now: Millis,
): Promise<void> {
  await db.run(
    `INSERT INTO leg (series, target, state, next_try, total, updated) VALUES (?, ?, 'pending', ?, ?, ?)
     ON CONFLICT (series, target) DO UPDATE SET total = excluded.total, state = 'pending', attempts = 0,
       next_try = CASE WHEN leg.claim IS NULL THEN excluded.next_try ELSE leg.next_try END,
       updated = excluded.updated
     WHERE leg.through < ?`,
    series,
    target,
    now,
    total,
    now,
    increment,
  );
}

export async function endLeg(
  db: Session,
  series: string,
  failure: Pick<Failure, 'code' | 'message'> | undefined,
  now: Millis,
): Promise<void> {
  await db.run(
    `UPDATE leg SET state = ?, claim = NULL, next_try = NULL, attempts = 0, recheck = recheck * ?, failure_code = ?,
       failure_message = ?, updated = ?
     WHERE series = ? AND target = ?`,
    failure === undefined ? 'done' : 'failed',
    // one that failed has still nothing new to look for
    failure === undefined ? 0 : 1,
    failure?.code ?? null,
    failure?.message ?? null,
    now,
    series,
    STORAGE,
  );
}

export async function storeFailed(db: Session, claim: Claim, failure: Failure, now: Millis): Promise<void> {
  await hold(db, claim);
  await endLeg(db, claim.series, failure, now);
  await refresh(db, claim.series, now);
}

export async function quarantine(
  db: Session,
  claim: Claim,
  { attributes, inOrthanc, digest, reason, parts }: Quarantined,
  now: Millis,
): Promise<void> {
  await hold(db, claim);
  const { series } = claim;
  await db.run(
    `UPDATE series SET attributes = ?, in_orthanc = ?, digest = ?, reason_code = ?, reason_message = ? WHERE id = ?`,
    JSON.stringify(attributes),
    inOrthanc,
    digest,
    reason.code,
    reason.message,
    series,
  );
  if (parts !== undefined) await storedParts(db, parts);
  // it waits for a person, not for a time
  await db.run(
    'UPDATE leg SET claim = NULL, next_try = NULL, total = ?, updated = ? WHERE series = ? AND target = ?',
    inOrthanc,
    now,
    series,
    STORAGE,
  );
  await refresh(db, series, now);
}

export async function release(
  db: Session,
  series: string,
  decision: Decision | undefined,
  now: Millis,
): Promise<boolean> {
  await lockSeries(db, series);
  const changed = await db.run(
    'UPDATE series SET due = ?, labels = coalesce(?, labels), decision = coalesce(?, decision) WHERE id = ?',
    now,
    decision === undefined ? null : JSON.stringify(decision.labels),
    decision === undefined ? null : JSON.stringify(decision),
    series,
  );
  await refresh(db, series, now);
  return changed === 1;
}

/** What a person wants tried again at once. A pending leg without a time waits for the series to be released. */
export async function retry(
  db: Session,
  series: string,
  target: string | undefined,
  now: Millis,
): Promise<string[]> {
  await lockSeries(db, series);
  const legs = await db.all(
    `SELECT target FROM leg WHERE series = ?
       AND (state = 'failed' OR (state = 'pending' AND claim IS NULL AND next_try IS NOT NULL)) ORDER BY target`,
    series,
  );
  const wanted = legs
    .map((row) => String(row['target']))
    .filter((one) => target === undefined || one === target);
  for (const one of wanted) {
    await db.run(
      `UPDATE progress SET outcome = 'again' WHERE series = ? AND target = ? AND outcome = 'failed'`,
      series,
      one,
    );
    await db.run(
      `UPDATE leg SET state = 'pending', attempts = 0, next_try = ?, updated = ? WHERE series = ? AND target = ?`,
      now,
      now,
      series,
      one,
    );
  }
  await refresh(db, series, now);
  return wanted;
}
