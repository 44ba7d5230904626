/** What became of sending a series to a destination, in the ledger. */
import type { Failure } from '../../domain/failure.ts';
import type { Millis, Retry } from '../../ports.ts';
import type { Database } from './database.ts';
import { refresh, tryLater } from './progress.ts';

export function forwarded(
  db: Database,
  series: string,
  target: string,
  through: number,
  failure: Failure | undefined,
  now: Millis,
): void {
  // an increment that was stored while this one was under way has opened the leg anew: that must stand
  const open = Number(db.get('SELECT increment FROM series WHERE id = ?', series)?.['increment']) > through;
  db.run(
    `UPDATE leg SET state = ?, next_try = ?, attempts = 0, failure_code = ?, failure_message = ?, through = ?,
       updated = ?, done = done + (SELECT count(*) FROM progress p
                                   WHERE p.series = leg.series AND p.target = leg.target AND p.outcome = 'done')
     WHERE series = ? AND target = ?`,
    open ? 'pending' : failure === undefined ? 'done' : 'failed',
    open ? now : null,
    failure?.code ?? null,
    failure?.message ?? null,
    through,
    now,
    series,
    target,
  );
  db.run(`DELETE FROM progress WHERE series = ? AND target = ? AND outcome = 'done'`, series, target);
  refresh(db, series, now);
}

/** What was sent stays known, should somebody put right what stands in the way. */
export function forwardFailed(
  db: Database,
  series: string,
  target: string,
  failure: Failure,
  now: Millis,
): void {
  db.run(
    `UPDATE leg SET state = 'failed', next_try = NULL, failure_code = ?, failure_message = ?, updated = ?
     WHERE series = ? AND target = ?`,
    failure.code,
    failure.message,
    now,
    series,
    target,
  );
  refresh(db, series, now);
}

export function forwardLater(db: Database, series: string, target: string, retry: Retry, now: Millis): void {
  tryLater(db, series, target, retry, now);
}
