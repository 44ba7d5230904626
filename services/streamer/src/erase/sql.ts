/** Series that are erased, in the ledger. */
import type { Moved } from '../move/plan.ts';
import type { HeldSeries, Millis } from '../ports.ts';
import type { Session } from '../ledger/database.ts';
import { lockSeries } from '../ledger/claims.ts';
import { seriesViews } from '../ledger/views.ts';

export async function held(db: Session, after: string, limit: number): Promise<HeldSeries[]> {
  const views = await seriesViews(db, 'WHERE id > ? ORDER BY id LIMIT ?', after, limit);
  const found: HeldSeries[] = [];
  for (const view of views) {
    const { id, attributes, labels, decision, moving, moved, path, copyPath, session, legs } = view;
    const hooks = await db.all('SELECT DISTINCT hook FROM delivery WHERE subject = ?', id);
    found.push({
      ...{ id, attributes, labels, decision, moving, moved, path, copyPath, session, legs },
      hooks: hooks.map((row) => String(row['hook'])),
    });
  }
  return found;
}

export async function forget(
  db: Session,
  series: readonly string[],
  sessions: readonly string[],
  now: Millis,
): Promise<boolean> {
  let busy = false;
  for (const id of [...series].sort()) {
    await lockSeries(db, id);
    for (const table of ['leg', 'verification', 'verify_item'])
      busy ||=
        (await db.get(`SELECT 1 AS one FROM ${table} WHERE series = ? AND claim IS NOT NULL`, id)) !==
        undefined;
    for (const table of ['leg', 'progress', 'commitment', 'verification', 'verify_item'])
      await db.run(`DELETE FROM ${table} WHERE series = ?`, id);
    await db.run('DELETE FROM delivery WHERE subject = ?', id);
    await db.run('DELETE FROM joined WHERE lead = ?', id);
    await db.run('DELETE FROM series WHERE id = ?', id);
  }
  for (const id of [...sessions].sort()) {
    const left = await db.get('SELECT count(*) AS n FROM series WHERE session = ?', id);
    if (Number(left?.['n']) > 0) {
      await db.run('UPDATE session SET due = ?, updated = ?, digest = NULL WHERE id = ?', now, now, id);
      continue;
    }
    await db.run('DELETE FROM delivery WHERE subject = ?', id);
    await db.run('DELETE FROM session WHERE id = ?', id);
  }
  return busy;
}

export async function rewriteMoves(
  db: Session,
  series: string,
  moved: readonly Moved[],
  now: Millis,
): Promise<void> {
  await lockSeries(db, series);
  await db.run('UPDATE series SET moved = ? WHERE id = ?', JSON.stringify(moved), series);
  await db.run(
    'UPDATE session SET due = ?, updated = ?, digest = NULL WHERE id = (SELECT session FROM series WHERE id = ?)',
    now,
    now,
    series,
  );
}
