/** Which series may go from Orthanc, in the ledger. */
import type { SeriesView } from '../ledger/rows.ts';
import type { Millis, Row, Tx } from '../ledger/tx.ts';
import type { KeptSeries } from './kept.ts';
import { seriesViews, message, parse } from '../ledger/views.ts';

/** Complete, still in Orthanc, and neither it nor its session has an undelivered event. */
const READY = `state = 'complete' AND (cleaned IS NULL OR cleaned < 0) AND updated <= ?
  AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.subject = series.id AND d.state <> 'done')
  AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.subject = series.session AND d.state <> 'done')`;

/** Its session will be reported soon. One that waits for a person, who may take weeks, keeps nothing. */
const TOLD = `NOT EXISTS (SELECT 1 FROM session t WHERE t.id = series.session AND t.due IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM series m WHERE m.session = t.id AND m.state = 'quarantined'))`;

/** Complete series, settled since before this moment, with nothing left to tell, that are still in Orthanc. */
export const cleanable = (tx: Tx, settledBefore: Millis, limit: number): Promise<SeriesView[]> => {
  const ready = tx.consequences.hooksFor('complete', undefined).length > 0 ? `${READY} AND ${TOLD}` : READY;
  return seriesViews(tx, `WHERE ${ready} ORDER BY updated LIMIT ?`, settledBefore, limit);
};

/** Marks the deletion as begun, so that a missing image is no loss from here on; false if images arrived. */
export async function markCleaning(tx: Tx, series: string, now: Millis): Promise<boolean> {
  const begun = await tx.run(`UPDATE series SET cleaned = ? WHERE id = ? AND state = 'complete'`, [
    // negative: under way
    -now,
    series,
  ]);
  return begun === 1;
}

/** Marks the series deleted; false if images arrived meanwhile. */
export async function markCleaned(tx: Tx, series: string, now: Millis): Promise<boolean> {
  const done = await tx.run(
    `UPDATE series SET cleaned = ? WHERE id = ? AND state = 'complete' AND cleaned < 0`,
    [now, series],
  );
  return done === 1;
}

/** Series, quiet since before this moment, that stay in Orthanc: what is open or failed of each. The oldest first. */
export async function keptSeries(tx: Tx, settledBefore: Millis, limit: number): Promise<KeptSeries[]> {
  const rows = await tx.all(
    `SELECT id, state, session, reason_code, reason_message FROM series
     WHERE (state IN ('collecting', 'working', 'failed', 'quarantined') OR (state = 'complete' AND (
         id IN (SELECT d.subject FROM delivery d WHERE d.state <> 'done')
         OR session IN (SELECT d.subject FROM delivery d WHERE d.state <> 'done'))))
       AND (cleaned IS NULL OR cleaned < 0) AND (in_orthanc > 0 OR digest IS NULL) AND updated <= ?
     ORDER BY updated LIMIT ?`,
    [settledBefore, limit],
  );
  const found: KeptSeries[] = [];
  for (const row of rows) {
    const id = String(row['id']);
    const legs = await tx.all(
      `SELECT target, state, failure_code, failure_message FROM leg WHERE series = ? AND state <> 'done' ORDER BY target`,
      [id],
    );
    const hooks = await tx.all(
      `SELECT hook, state, failure_code, failure_message FROM delivery WHERE subject IN (?, ?) AND state <> 'done' ORDER BY ord`,
      [id, parse.text(row['session']) ?? id],
    );
    found.push({
      id,
      state: parse.state(row['state']),
      reason: message(row['reason_code'], row['reason_message']),
      open: [
        ...legs.map((leg) => openOf(leg, String(leg['target']))),
        ...hooks.map((hook) => openOf(hook, `hook:${String(hook['hook'])}`)),
      ],
    });
  }
  return found;
}

const openOf = (row: Row, target: string): KeptSeries['open'][number] => ({
  target,
  state: parse.leg(row['state']),
  failure: message(row['failure_code'], row['failure_message']),
});
