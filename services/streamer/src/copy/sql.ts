/** Legs that are opened with a series' storing and do not wait for it, in the ledger: the copy of everything. */
import type { CopyDone } from '../ledger/rows.ts';
import type { Claim, Millis, Tx } from '../ledger/tx.ts';
import { COPY } from '../model/series.ts';
import { ending, verifyStored } from '../ledger/aftermath.ts';
import { requireClaim, endLeg, sql, refresh } from '../ledger/leg.ts';

/** Ends the claim: all of the series is in the copy, but for what `failure` says. */
export const copied = (tx: Tx, claim: Claim, done: CopyDone, now: Millis): Promise<void> =>
  ending(tx, claim, now, async () => {
    await writeCopied(tx, claim, done, now);
    if (done.done > 0) await verifyStored(tx, claim.series, COPY, now);
  });

async function writeCopied(
  tx: Tx,
  claim: Claim,
  { done, total, failure, path }: CopyDone,
  now: Millis,
): Promise<void> {
  await requireClaim(tx, claim);
  const { series, target } = claim;
  const through = sql('(SELECT s.increment FROM series s WHERE s.id = leg.series)');
  await endLeg(tx, claim, failure, now, { done, total, through });
  if (path !== undefined) await tx.run('UPDATE series SET copy_path = ? WHERE id = ?', [path, series]);
  await tx.run('DELETE FROM progress WHERE series = ? AND target = ?', [series, target]);
  await refresh(tx, series, now);
}
