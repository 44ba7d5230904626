/** Series that are erased, in the ledger. */
import { BIDS } from '@scanflow/config';
import type { Moved } from '../model/decision.ts';
import type { Millis, Tx } from '../ledger/tx.ts';
import { lockSeries } from '../ledger/leg.ts';
import { seriesViews } from '../ledger/views.ts';
import type { SeriesView } from '../ledger/rows.ts';

/** Series behind this id, in the order of their ids: all of them, page by page. */
export async function erasableSeries(tx: Tx, after: string, limit: number): Promise<ErasableSeries[]> {
  const views = await seriesViews(tx, 'WHERE id > ? ORDER BY id LIMIT ?', after, limit);
  const found: ErasableSeries[] = [];
  for (const view of views) {
    const hooks = await tx.all('SELECT DISTINCT hook FROM delivery WHERE subject = ?', [view.id]);
    found.push({ ...view, hooks: hooks.map((row) => String(row['hook'])) });
  }
  return found;
}

/**
 * Forgets these series and their deliveries; whoever works on one is refused from here on. Sessions that have other
 * series are reported anew, the others are forgotten. Whether somebody works on one, and may not know yet.
 */
export async function forgetSeries(
  tx: Tx,
  series: readonly string[],
  sessions: readonly string[],
  now: Millis,
): Promise<boolean> {
  let busy = false;
  for (const id of [...series].sort()) {
    await lockSeries(tx, id);
    for (const table of ['leg', 'verification', 'verify_item'])
      busy ||=
        (await tx.get(`SELECT 1 AS one FROM ${table} WHERE series = ? AND claim IS NOT NULL`, [id])) !==
        undefined;
    for (const table of ['leg', 'progress', 'commitment', 'verification', 'verify_item'])
      await tx.run(`DELETE FROM ${table} WHERE series = ?`, [id]);
    await tx.run('DELETE FROM delivery WHERE subject = ?', [id]);
    await tx.run('DELETE FROM joined WHERE lead = ?', [id]);
    await tx.run('DELETE FROM series WHERE id = ?', [id]);
  }
  for (const id of [...sessions].sort()) {
    await tx.run('DELETE FROM notice_message WHERE matter = ?', [`session:${id}`]);
    // a conversion that runs may write into the dataset until its lease is looked at
    busy ||=
      (await tx.get('SELECT 1 AS one FROM delivery WHERE subject = ? AND hook = ? AND claim IS NOT NULL', [
        id,
        BIDS,
      ])) !== undefined;
    const left = await tx.get('SELECT count(*) AS n FROM series WHERE session = ?', [id]);
    if (Number(left?.['n']) > 0) {
      await tx.run('UPDATE session SET due = ?, updated = ?, digest = NULL WHERE id = ?', [now, now, id]);
      continue;
    }
    await tx.run('DELETE FROM delivery WHERE subject = ?', [id]);
    await tx.run('DELETE FROM notice WHERE matter = ?', [`session:${id}`]);
    await tx.run('DELETE FROM session WHERE id = ?', [id]);
  }
  return busy;
}

/** Replaces what is on record of moves of this series, and has its session reported anew. */
export async function rewriteMoves(
  tx: Tx,
  series: string,
  moved: readonly Moved[],
  now: Millis,
): Promise<void> {
  await lockSeries(tx, series);
  await tx.run('UPDATE series SET moved = ? WHERE id = ?', [JSON.stringify(moved), series]);
  await tx.run(
    'UPDATE session SET due = ?, updated = ?, digest = NULL WHERE id = (SELECT session FROM series WHERE id = ?)',
    [now, now, series],
  );
}

type Of =
  'id' | 'attributes' | 'labels' | 'decision' | 'moving' | 'moved' | 'path' | 'copyPath' | 'session' | 'legs';

export interface ErasableSeries extends Pick<SeriesView, Of> {
  /** Hooks that got an event of it. */
  readonly hooks: readonly string[];
}
