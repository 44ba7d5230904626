/** Sessions whose conversion to BIDS begins anew, in the ledger: on request, and after a move to other labels. */
import { randomUUID } from 'node:crypto';
import type { Labels } from '@scanflow/booking';
import { BIDS } from '@scanflow/config';
import type { Row } from '@scanflow/database';
import type { Millis, Tx } from '../ledger/tx.ts';
import { seriesViews } from '../ledger/views.ts';
import type { SeriesView } from '../ledger/rows.ts';

/** Opens the delivery of a session again, or makes one. Why not, where it does not. */
export async function redoSession(tx: Tx, id: string, now: Millis): Promise<string | undefined> {
  const session = await tx.get(`SELECT s.* FROM session s WHERE s.id = ? ${tx.dialect.lock}`, [id]);
  if (session === undefined) return 'there is no such session';
  if (session['due'] !== null || Number(session['increment']) === 0)
    return 'it is not complete yet; it is converted by itself once it is';
  const last = await lastDelivery(tx, id);
  if (isClaimed(last, now)) return 'it is being converted now';
  await open(tx, session, last, { due: now, now });
  return undefined;
}

/** The same for sessions that were complete before, once it is quiet: several series may move one after the other. */
async function convertAgain(tx: Tx, id: string, now: Millis): Promise<void> {
  const session = await tx.get(`SELECT s.* FROM session s WHERE s.id = ? ${tx.dialect.lock}`, [id]);
  if (session === undefined || Number(session['increment']) === 0) return;
  const last = await lastDelivery(tx, id);
  const due = now + tx.consequences.sessionQuietMs;
  // whoever converts it now began before the news
  await open(tx, session, isClaimed(last, now) ? undefined : last, { due, now });
}

/** Sessions that have, or had, series with these labels are converted anew. How many. */
export async function convertLabelled(
  tx: Tx,
  labels: readonly (Labels | undefined)[],
  {
    except,
    also,
    now,
  }: { readonly except?: string; readonly also?: string | undefined; readonly now: Millis },
): Promise<number> {
  if (!tx.consequences.hooksFor('complete', undefined).includes(BIDS)) return 0;
  const sessions = new Set(also === undefined ? [] : [also]);
  for (const one of labels)
    if (one !== undefined)
      for (const row of await tx.all(
        'SELECT DISTINCT session FROM series WHERE labels = ? AND session IS NOT NULL',
        [labelsText(one)],
      ))
        sessions.add(String(row['session']));
  if (except !== undefined) sessions.delete(except);
  // always in the same order, or two transactions might wait for each other
  for (const id of [...sessions].sort()) await convertAgain(tx, id, now);
  return sessions.size;
}

/** Series with these labels, of every session. */
export const seriesLabelled = (tx: Tx, labels: Labels): Promise<SeriesView[]> =>
  seriesViews(tx, 'WHERE labels = ? ORDER BY first_seen, id LIMIT ?', labelsText(labels), MOST_SERIES);

const MOST_SERIES = 10_000;

/** As the ledger keeps them. */
export const labelsText = ({ project, subject, session }: Labels): string =>
  JSON.stringify({ project, subject, session });

const lastDelivery = (tx: Tx, id: string): Promise<Row | undefined> =>
  tx.get('SELECT * FROM delivery WHERE subject = ? AND hook = ? ORDER BY ord DESC LIMIT 1', [id, BIDS]);

const isClaimed = (row: Row | undefined, now: Millis): boolean =>
  row?.['state'] === 'pending' && row['claim'] !== null && Number(row['next_try']) > now;

async function open(
  tx: Tx,
  session: Row,
  last: Row | undefined,
  { due, now }: { readonly due: Millis; readonly now: Millis },
): Promise<void> {
  const increment = Number(session['increment']);
  if (last !== undefined) {
    await tx.run(
      `UPDATE delivery SET state = 'pending', claim = NULL, attempts = 0, next_try = ?, failure_code = NULL,
         failure_message = NULL, increment = ?, created = ?, updated = ? WHERE id = ?`,
      // how long it waits counts from the reason of this conversion
      [due, increment, now, now, String(last['id'])],
    );
    return;
  }
  const id = String(session['id']);
  const order = await tx.get('SELECT max(ord) AS ord FROM delivery WHERE subject = ?', [id]);
  await tx.run(
    `INSERT INTO delivery (id, event, hook, kind, subject, ord, increment, created, state, next_try, updated)
     VALUES (?, ?, ?, 'complete', ?, ?, ?, ?, 'pending', ?, ?)`,
    [randomUUID(), randomUUID(), BIDS, id, Number(order?.['ord'] ?? 0) + 1, increment, now, due, now],
  );
}
