/** Legs that are done and open again, because files that they name may be missing. Nothing new came. */
import { COPY, STORAGE } from '../model/series.ts';
import type { Claim, Millis } from '../ports.ts';
import { hold, lockSeries } from '../ledger/claims.ts';
import type { Tx } from '../ledger/tx.ts';
import { endLeg, openLeg, sql } from '../ledger/leg.ts';
import { refresh } from '../ledger/progress.ts';

/** Legs whose files Scanflow itself writes. */
export const OF_FILES: readonly string[] = [STORAGE, COPY];

/**
 * Files of a stored series may be missing: its legs of these targets (STORAGE, COPY) open again where they are done, so
 * that the series is no longer complete. The step of the leg then looks at every file that `series.json` names (is it a
 * file, has it its size?), pulls what is missing while Orthanc has it, and fails visibly with STORE_FILE_MISSING where
 * Orthanc has it no longer. A file of the right size is not read: move one with changed bytes aside first, and it is
 * pulled again; nothing is overwritten. What is pulled again keeps its increment, so that nothing is sent again.
 * Gives the targets that are open now, also those that were open before; a target that has failed is not among them.
 */
export async function recheck(
  tx: Tx,
  series: string,
  targets: readonly string[],
  now: Millis,
): Promise<string[]> {
  await lockSeries(tx, series);
  const wanted = OF_FILES.filter((target) => targets.includes(target));
  for (const target of wanted)
    await openLeg(tx, { series, target }, now, { recheck: 1 }, sql(" AND state = 'done'"));
  const legs = await tx.all(
    `SELECT target FROM leg WHERE series = ? AND state = 'pending' AND next_try IS NOT NULL`,
    series,
  );
  await refresh(tx, series, now);
  const open = new Set(legs.map((row) => String(row['target'])));
  return wanted.filter((target) => open.has(target));
}

/** Ends a leg that recheck() opened: nothing is missing. Nothing has changed, so no hook runs. */
export async function rechecked(tx: Tx, claim: Claim, now: Millis): Promise<void> {
  await hold(tx, claim);
  const { series, target } = claim;
  await endLeg(tx, claim, undefined, now);
  await tx.run('DELETE FROM progress WHERE series = ? AND target = ?', series, target);
  await refresh(tx, series, now);
}
