/** Legs that are done and open again, because files that they name may be missing. Nothing new came. */
import { COPY, STORAGE } from '../../domain/series.ts';
import type { Millis } from '../../ports.ts';
import { lockSeries } from './claims.ts';
import type { Session } from './database.ts';
import { refresh } from './progress.ts';

/** Legs whose files Scanflow itself writes. */
export const OF_FILES: readonly string[] = [STORAGE, COPY];

export async function recheck(
  db: Session,
  series: string,
  targets: readonly string[],
  now: Millis,
): Promise<string[]> {
  await lockSeries(db, series);
  const wanted = OF_FILES.filter((target) => targets.includes(target));
  for (const target of wanted)
    await db.run(
      `UPDATE leg SET state = 'pending', recheck = 1, attempts = 0, next_try = ?, updated = ?
       WHERE series = ? AND target = ? AND state = 'done'`,
      now,
      now,
      series,
      target,
    );
  const legs = await db.all(
    `SELECT target FROM leg WHERE series = ? AND state = 'pending' AND next_try IS NOT NULL`,
    series,
  );
  await refresh(db, series, now);
  const open = new Set(legs.map((row) => String(row['target'])));
  return wanted.filter((target) => open.has(target));
}
