/** What people ask of the ledger: to find a series by its id's beginning; and what scanners say of it. */
import type { Millis, SenderView, SeriesView } from '../ports.ts';
import type { Tx } from './tx.ts';
import { seriesViews } from './views.ts';

/** At most two series whose id begins so. Ids consist of digits, small letters and `-`, which all sort before `~`. */
export const matching = (tx: Tx, prefix: string): Promise<SeriesView[]> =>
  seriesViews(tx, 'WHERE id >= ? AND id < ? ORDER BY id LIMIT 2', prefix, `${prefix}~`);

const MOST_OF_ONE_UID = 20;

/** Series of this Series Instance UID: several where its patient or study was corrected, and it was sent again. */
export const ofUid = (tx: Tx, uid: string): Promise<SeriesView[]> =>
  seriesViews(tx, 'WHERE uid = ? ORDER BY first_seen, id LIMIT ?', uid, MOST_OF_ONE_UID);

/** A stranger may call itself anything: only the latest are kept. */
const MOST_SENDERS = 200;

export async function noteSender(
  tx: Tx,
  { aet, called, address }: Pick<SenderView, 'aet' | 'called' | 'address'>,
  now: Millis,
): Promise<void> {
  await tx.run(
    `INSERT INTO sender (aet, called, address, first_seen, last_seen) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (aet, called, address) DO UPDATE SET last_seen = excluded.last_seen`,
    aet,
    called,
    address,
    now,
    now,
  );
  await tx.run(
    `DELETE FROM sender WHERE last_seen <
       (SELECT min(last_seen) FROM (SELECT last_seen FROM sender ORDER BY last_seen DESC LIMIT ?) AS latest)`,
    MOST_SENDERS,
  );
}

/** The latest first. */
export async function knownSenders(tx: Tx): Promise<SenderView[]> {
  const rows = await tx.all('SELECT * FROM sender ORDER BY last_seen DESC LIMIT ?', MOST_SENDERS);
  return rows.map((row) => ({
    aet: String(row['aet']),
    called: String(row['called']),
    address: String(row['address']),
    firstSeen: Number(row['first_seen']),
    lastSeen: Number(row['last_seen']),
  }));
}

/** Series whose quiet timer runs, the next one to end first. */
export async function collecting(tx: Tx, limit: number): Promise<string[]> {
  // of a series that may get further parts under other UIDs, what the scanner reported of one tells nothing
  const rows = await tx.all(
    `SELECT id FROM series WHERE due IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM joined j WHERE j.series = series.id AND j.alike IS NOT NULL)
     ORDER BY due LIMIT ?`,
    limit,
  );
  return rows.map((row) => String(row['id']));
}

/** All that the scanner made is there: the quiet timer ends now. */
export async function hasten(tx: Tx, series: string, now: Millis): Promise<void> {
  await tx.run('UPDATE series SET due = ? WHERE id = ? AND due > ?', now, series, now);
}

/** Series updated since `since` for which no MPPS count is known; latest first. */
export async function unexpected(
  tx: Tx,
  since: Millis,
  limit: number,
): Promise<{ id: string; uid: string }[]> {
  const rows = await tx.all(
    `SELECT id, uid FROM series WHERE updated > ? AND expected IS NULL AND uid IS NOT NULL
     ORDER BY updated DESC LIMIT ?`,
    since,
    limit,
  );
  return rows.map((row) => ({ id: String(row['id']), uid: String(row['uid']) }));
}

/** How many images the scanner made of the series. A session that was complete is looked at again, and its report written anew. */
export async function expectImages(tx: Tx, series: string, images: number, now: Millis): Promise<void> {
  await tx.run('UPDATE series SET expected = ? WHERE id = ?', images, series);
  await tx.run(
    'UPDATE session SET due = ?, updated = ? WHERE due IS NULL AND id = (SELECT session FROM series WHERE id = ?)',
    now,
    now,
    series,
  );
}
