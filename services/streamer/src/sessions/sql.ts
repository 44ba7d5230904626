/** Sessions in the ledger: when one is complete, and what was reported of it. */
import type { Failure } from '@scanflow/failure';
import { isRecovered, recoveredMark, sessionDigest } from './plan.ts';
import type { Millis, Tx } from '../ledger/tx.ts';
import type { SessionView } from '../ledger/rows.ts';
import { tell } from '../ledger/aftermath.ts';
import { parse, viewOf } from '../ledger/views.ts';

/** It has series, none of them is under way, and none waits for a person. */
const SETTLED = `EXISTS (SELECT 1 FROM series m WHERE m.session = s.id)
  AND NOT EXISTS (SELECT 1 FROM series m WHERE m.session = s.id
                  AND m.state IN ('collecting', 'working', 'quarantined'))`;

/** A session whose quiet time is over, with nothing under way and nothing that waits for a person. */
export async function nextSession(tx: Tx, now: Millis): Promise<SessionView | undefined> {
  const row = await tx.get(
    `SELECT s.* FROM session s WHERE s.due IS NOT NULL AND s.due <= ? AND ${SETTLED} ORDER BY s.due LIMIT 1`,
    [now],
  );
  return row === undefined ? undefined : viewOf(tx, row);
}

/**
 * Marks it complete, with deliveries to hooks, unless something came since it was looked at: then false, and it is looked at
 * again, also where another streamer has told it meanwhile as what it is now.
 */
export async function sessionComplete(
  tx: Tx,
  seen: SessionView,
  { digest, folder }: { readonly digest: string; readonly folder: string | undefined },
  now: Millis,
): Promise<boolean> {
  const row = await tx.get(`SELECT s.* FROM session s WHERE s.id = ? ${tx.dialect.lock}`, [seen.id]);
  if (row?.['due'] == null) {
    // another streamer was first. Whoever stood still meanwhile has written a report of what was: it is written anew
    if (row !== undefined && parse.text(row['digest']) !== digest)
      await tx.run('UPDATE session SET due = ? WHERE id = ?', [now, seen.id]);
    return false;
  }
  if (Number(row['updated']) !== seen.updated) return false;
  const { series } = await viewOf(tx, row);
  // two pieces of news may have come in one millisecond
  if (sessionDigest(series) !== digest) return false;
  const known = parse.text(row['digest']);
  const quiet = isRecovered(known) && known === recoveredMark(series);
  const again = quiet || digest === known;
  const increment = Number(row['increment']) + (again ? 0 : 1);
  await tx.run(
    `UPDATE session SET due = NULL, digest = ?, folder = ?, increment = ?, failure_code = NULL, failure_message = NULL
     WHERE id = ?`,
    [quiet ? known : digest, folder ?? null, increment, seen.id],
  );
  if (!again) await tell(tx, undefined, { kind: 'complete', subject: seen.id, increment }, now);
  return true;
}

export async function sessionLater(tx: Tx, session: string, failure: Failure, due: Millis): Promise<void> {
  await tx.run(
    'UPDATE session SET due = ?, failure_code = ?, failure_message = ? WHERE id = ? AND due IS NOT NULL',
    [due, failure.code, failure.message, session],
  );
}

/** Latest news first. */
export async function listSessions(tx: Tx, limit: number): Promise<SessionView[]> {
  const rows = await tx.all('SELECT * FROM session ORDER BY updated DESC LIMIT ?', [limit]);
  const views: SessionView[] = [];
  for (const row of rows) views.push(await viewOf(tx, row));
  return views;
}
