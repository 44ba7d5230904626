/** What became of sending a series to a destination, in the ledger. */
import type { Failure } from '@scanflow/failure';
import type { Claim, Millis, Tx } from '../ledger/tx.ts';
import { ending, openCommitment } from '../ledger/aftermath.ts';
import {
  requireClaim,
  lockSeries,
  addLeg,
  endLeg,
  failureColumns,
  openLeg,
  sql,
  refresh,
} from '../ledger/leg.ts';
import { UNKNOWN } from '../ledger/unknown.ts';
import { commitmentLeg } from '../commitment/plan.ts';
import type { Reason } from '../model/series.ts';

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
    if (tx.consequences.commits?.(claim.target) === true) await openCommitment(tx, claim, now);
    await writeForwarded(tx, claim, through, failure, now);
  });

async function writeForwarded(
  tx: Tx,
  claim: Claim,
  through: number,
  failure: Failure | undefined,
  now: Millis,
): Promise<void> {
  await requireClaim(tx, claim);
  const { series, target } = claim;
  // an increment that was stored while this one was under way has to be sent still
  const row = await tx.get('SELECT increment FROM series WHERE id = ?', [series]);
  const open = Number(row?.['increment']) > through;
  const columns = {
    through,
    done: sql(`CASE WHEN total > 0 AND done + ${SENT} > total THEN total ELSE done + ${SENT} END`),
  };
  if (open) await openLeg(tx, claim, now, { claim: null, ...failureColumns(failure), ...columns });
  else await endLeg(tx, claim, failure, now, columns);
  await tx.run(`DELETE FROM progress WHERE series = ? AND target = ? AND outcome = 'done'`, [series, target]);
  await refresh(tx, series, now);
}

/** Ends the claim: the series is not for this destination after all. The leg goes, or is done where images were sent before. */
export const unwanted = (tx: Tx, claim: Claim, now: Millis): Promise<void> =>
  ending(tx, claim, now, () => dropLeg(tx, claim, now));

async function dropLeg(tx: Tx, claim: Claim, now: Millis): Promise<void> {
  await requireClaim(tx, claim);
  const { series, target } = claim;
  await tx.run('DELETE FROM progress WHERE series = ? AND target = ?', [series, target]);
  await tx.run('DELETE FROM leg WHERE series = ? AND target = ? AND through = 0', [series, target]);
  await endLeg(tx, claim, undefined, now);
  await refresh(tx, series, now);
}

/** Opens a leg to a destination that was added later. False where there is one, or nothing is stored. */
export async function openDestination(tx: Tx, series: string, target: string, now: Millis): Promise<boolean> {
  await lockSeries(tx, series);
  const row = await tx.get('SELECT stored - differing AS total FROM series WHERE id = ? AND stored > 0', [
    series,
  ]);
  const leg = { series, target };
  if (row === undefined || !(await addLeg(tx, leg, now))) return false;
  await openLeg(tx, leg, now, { total: Number(row['total']) });
  await refresh(tx, series, now);
  return true;
}

/**
 * Gives up what failed, or is in nobody's hands, of a destination and its commitment: nothing waits for them. Of a leg whose lease is
 * over nobody will come back: its destination may have left the configuration. Gives those targets.
 */
export async function skipDestination(
  tx: Tx,
  series: string,
  target: string,
  reason: Reason,
  now: Millis,
): Promise<string[]> {
  await lockSeries(tx, series);
  const rows = await tx.all(
    `SELECT target FROM leg WHERE series = ? AND target IN (?, ?) AND state <> 'done'
       AND (claim IS NULL OR next_try <= ?) ORDER BY target`,
    [series, target, commitmentLeg(target), now],
  );
  const targets = rows.map((row) => String(row['target']));
  for (const one of targets) {
    const leg = { series, target: one, token: '' };
    await ending(tx, leg, now, async () => {
      await endLeg(tx, leg, reason, now, { state: 'done' });
      await tx.run(
        `UPDATE commitment SET state = 'closed', updated = ? WHERE series = ? AND target = ? AND state IN ('asked', 'accepted', 'expired')`,
        [now, series, one],
      );
      await refresh(tx, series, now);
    });
  }
  return targets;
}
