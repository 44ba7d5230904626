/** What became of sending a series to a destination, in the ledger. */
import type { Failure } from '../model/failure.ts';
import { UNKNOWN } from './unknown.ts';
import type { Claim, Millis } from '../ports.ts';
import { ending } from '../ledger/aftermath.ts';
import { openCommitment } from '../commitment/sql.ts';
import { hold, lockSeries } from '../ledger/claims.ts';
import type { Tx } from '../ledger/tx.ts';
import { refresh } from '../ledger/progress.ts';

/** An image that was stored anew, as after its folder was moved away, is sent again: it counts once. */
const SENT = `(SELECT count(*) FROM progress p
  WHERE p.series = leg.series AND p.target = leg.target AND p.outcome = 'done' AND p.instance <> '${UNKNOWN}')`;

/**
 * Ends the claim: every instance of the increments up to `through` was dealt with; `failure` is that of one that was given
 * up, now or earlier. The leg stays pending where the series has grown meanwhile.
 */
export const forwarded = (
  tx: Tx,
  claim: Claim,
  through: number,
  failure: Failure | undefined,
  now: Millis,
): Promise<void> =>
  ending(tx, claim, now, async () => {
    if (tx.followers.commits?.(claim.target) === true) await openCommitment(tx, claim, now);
    await writeForwarded(tx, claim, through, failure, now);
  });

async function writeForwarded(
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

/** Ends the claim: the series is not for this destination after all. The leg goes, or is done where images were sent before. */
export const unwanted = (tx: Tx, claim: Claim, now: Millis): Promise<void> =>
  ending(tx, claim, now, () => dropLeg(tx, claim, now));

async function dropLeg(tx: Tx, claim: Claim, now: Millis): Promise<void> {
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

/** Opens a leg to a destination that was added later. False where there is one, or nothing is stored. */
export async function openDestination(tx: Tx, series: string, target: string, now: Millis): Promise<boolean> {
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
