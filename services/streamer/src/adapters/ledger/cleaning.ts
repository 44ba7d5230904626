/** Which series may go from Orthanc, in the ledger. */
import type { Millis, SeriesView } from '../../ports.ts';
import type { Session } from './database.ts';
import { seriesViews } from './views.ts';

/** Complete, still in Orthanc, and neither it nor its session has anything to tell that was not told. */
const READY = `state = 'complete' AND (cleaned IS NULL OR cleaned < 0) AND updated <= ?
  AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.subject = series.id AND d.state <> 'done')
  AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.subject = series.session AND d.state <> 'done')`;

export const cleanable = (db: Session, settledBefore: Millis, limit: number): Promise<SeriesView[]> =>
  seriesViews(db, `WHERE ${READY} ORDER BY updated LIMIT ?`, settledBefore, limit);

/** From now on what Orthanc no longer has of it was deleted by us. Negative: it is under way. */
export async function cleaning(db: Session, series: string, now: Millis): Promise<boolean> {
  const begun = await db.run(
    `UPDATE series SET cleaned = ? WHERE id = ? AND state = 'complete'`,
    -now,
    series,
  );
  return begun === 1;
}

/** Nothing came while it was deleted: what did is to be seen to. */
export async function cleaned(db: Session, series: string, now: Millis): Promise<boolean> {
  const done = await db.run(
    `UPDATE series SET cleaned = ? WHERE id = ? AND state = 'complete' AND cleaned < 0`,
    now,
    series,
  );
  return done === 1;
}
