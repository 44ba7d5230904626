/** What became of sending a series to a destination, in the ledger. */
import type { Failure } from '../model/failure.ts';
import { UNKNOWN } from './unknown.ts';
import type { Claim, Millis } from '../ports.ts';
import { hold, lockSeries } from '../ledger/claims.ts';
import type { Tx } from '../ledger/database.ts';
import { refresh } from '../ledger/progress.ts';

/** An image that was stored anew, as after its folder was moved away, is sent again: it counts once. */
const SENT = `(SELECT count(*) FROM progress p
  WHERE p.series = leg.series AND p.target = leg.target AND p.outcome = 'done' AND p.instance <> '${UNKNOWN}')`;

export async function forwarded(
  tx: Tx,
  claim: Claim,
  through: number,
  failure: Failure | undefined,
  now: Millis,
): Promise<void> {
  await hold(tx, claim);
  const { series, target } = claim;
  // an increment that was stored while this one was under way has to be sent still
  const row = await tx.get('SELECT increment FROM series WHERE id = ?', series);
  const open = Number(row?.['increment']) > through;
  await tx.run(
    `UPDATE leg SET state = ?, claim = NULL, next_try = ?, attempts = 0, failure_code = ?, failure_message = ?,
       through = ?, updated = ?,
       done = CASE WHEN total > 0 AND done + ${SENT} > total THEN total ELSE done + ${SENT} END
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
  await tx.run(`DELETE FROM progress WHERE series = ? AND target = ? AND outcome = 'done'`, series, target);
  await refresh(tx, series, now);
}

/** What was sent stays known, should somebody put right what stands in the way. */
export async function forwardFailed(tx: Tx, claim: Claim, failure: Failure, now: Millis): Promise<void> {
  await hold(tx, claim);
  await tx.run(
    `UPDATE leg SET state = 'failed', claim = NULL, next_try = NULL, failure_code = ?, failure_message = ?, updated = ?
     WHERE series = ? AND target = ?`,
    failure.code,
    failure.message,
    now,
    claim.series,
    claim.target,
  );
  await refresh(tx, claim.series, now);
}

/** As if it had never been for this destination; what was sent of it before stays known. */
export async function unwanted(tx: Tx, claim: Claim, now: Millis): Promise<void> {
  await hold(tx, claim);
  const { series, target } = claim;
  await tx.run('DELETE FROM progress WHERE series = ? AND target = ?', series, target);
  await tx.run('DELETE FROM leg WHERE series = ? AND target = ? AND through = 0', series, target);
  await tx.run(
    `UPDATE leg SET state = 'done', claim = NULL, next_try = NULL, attempts = 0, failure_code = NULL,
       failure_message = NULL, updated = ?
     WHERE series = ? AND target = ?`,
    now,
    series,
    target,
  );
  await refresh(tx, series, now);
}

/** A series that is stored goes to a destination to which it did not. False where it does, or is not stored. */
export async function open(tx: Tx, series: string, target: string, now: Millis): Promise<boolean> {
  await lockSeries(tx, series);
  const opened = await tx.run(
    `INSERT INTO leg (series, target, state, next_try, total, updated)
     SELECT id, CAST(? AS TEXT), 'pending', CAST(? AS BIGINT), stored - differing, CAST(? AS BIGINT) FROM series
     WHERE id = ? AND stored > 0
       AND NOT EXISTS (SELECT 1 FROM leg l WHERE l.series = series.id AND l.target = ?)`,
    target,
    now,
    now,
    series,
    target,
  );
  await refresh(tx, series, now);
  return opened === 1;
}
