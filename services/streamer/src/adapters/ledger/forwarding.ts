/** What became of sending a series to a destination, in the ledger. */
import type { Failure } from '../../domain/failure.ts';
import type { Claim, Millis } from '../../ports.ts';
import { hold } from './claims.ts';
import type { Session } from './database.ts';
import { refresh } from './progress.ts';

export async function forwarded(
  db: Session,
  claim: Claim,
  through: number,
  failure: Failure | undefined,
  now: Millis,
): Promise<void> {
  await hold(db, claim);
  const { series, target } = claim;
  // an increment that was stored while this one was under way has to be sent still
  const row = await db.get('SELECT increment FROM series WHERE id = ?', series);
  const open = Number(row?.['increment']) > through;
  await db.run(
    `UPDATE leg SET state = ?, claim = NULL, next_try = ?, attempts = 0, failure_code = ?, failure_message = ?,
       through = ?, updated = ?,
       done = done + (SELECT count(*) FROM progress p
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
  await db.run(`DELETE FROM progress WHERE series = ? AND target = ? AND outcome = 'done'`, series, target);
  await refresh(db, series, now);
}

/** What was sent stays known, should somebody put right what stands in the way. */
export async function forwardFailed(db: Session, claim: Claim, failure: Failure, now: Millis): Promise<void> {
  await hold(db, claim);
  await db.run(
    `UPDATE leg SET state = 'failed', claim = NULL, next_try = NULL, failure_code = ?, failure_message = ?, updated = ?
     WHERE series = ? AND target = ?`,
    failure.code,
    failure.message,
    now,
    claim.series,
    claim.target,
  );
  await refresh(db, claim.series, now);
}
