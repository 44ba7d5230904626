/** Legs that are done and open again, because files that they name may be missing. Nothing new came. */
import { COPY, STORAGE } from '../model/series.ts';
import type { Claim, Ledger, Millis } from '../ports.ts';
import { hold, lockSeries } from '../ledger/claims.ts';
import type { Database, Tx } from '../ledger/database.ts';
import { refresh } from '../ledger/progress.ts';

/** Legs whose files Scanflow itself writes. */
export const OF_FILES: readonly string[] = [STORAGE, COPY];

export const recheckingOn = (database: Database): Pick<Ledger, 'recheck' | 'rechecked'> => ({
  recheck: (...given) => database.transaction((tx) => recheck(tx, ...given)),
  rechecked: (...given) => database.transaction((tx) => rechecked(tx, ...given)),
});

export async function recheck(
  tx: Tx,
  series: string,
  targets: readonly string[],
  now: Millis,
): Promise<string[]> {
  await lockSeries(tx, series);
  const wanted = OF_FILES.filter((target) => targets.includes(target));
  for (const target of wanted)
    await tx.run(
      `UPDATE leg SET state = 'pending', recheck = 1, attempts = 0, next_try = ?, updated = ?
       WHERE series = ? AND target = ? AND state = 'done'`,
      now,
      now,
      series,
      target,
    );
  const legs = await tx.all(
    `SELECT target FROM leg WHERE series = ? AND state = 'pending' AND next_try IS NOT NULL`,
    series,
  );
  await refresh(tx, series, now);
  const open = new Set(legs.map((row) => String(row['target'])));
  return wanted.filter((target) => open.has(target));
}

/** Nothing has changed, so nobody is told. */
async function rechecked(tx: Tx, claim: Claim, now: Millis): Promise<void> {
  await hold(tx, claim);
  const { series, target } = claim;
  await tx.run(
    `UPDATE leg SET state = 'done', claim = NULL, next_try = NULL, attempts = 0, recheck = 0, failure_code = NULL,
       failure_message = NULL, updated = ?
     WHERE series = ? AND target = ?`,
    now,
    series,
    target,
  );
  await tx.run('DELETE FROM progress WHERE series = ? AND target = ?', series, target);
  await refresh(tx, series, now);
}
