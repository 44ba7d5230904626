/** What Orthanc reported, in the ledger. */
import type { Cursor, FirstImages, Followers, Millis } from '../ports.ts';
import { sessionsGrow } from '../ledger/aftermath.ts';
import { leadOf, leadsOf } from '../joining/sql.ts';
import type { Joinable } from '../joining/types.ts';
import type { Tx } from '../ledger/database.ts';
import { parse } from '../ledger/views.ts';

export async function cursor(tx: Tx): Promise<Cursor | undefined> {
  const row = await tx.get('SELECT seq, database FROM cursor');
  if (row === undefined) return undefined;
  return { seq: Number(row['seq']), database: parse.text(row['database']) };
}

export async function setCursor(tx: Tx, { seq, database }: Cursor): Promise<void> {
  await tx.run(
    `INSERT INTO cursor (id, seq, database) VALUES (1, ?, ?)
     ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, database = excluded.database`,
    seq,
    database ?? null,
  );
}

export async function arrived(
  tx: Tx,
  followers: Followers,
  seen: Cursor,
  series: readonly string[],
  now: Millis,
  due: Millis,
  first: FirstImages = NONE,
  joinable?: Joinable,
): Promise<void> {
  const leads = inOrder([...(await leadsOf(tx, series, joinable)).values()]);
  for (const id of leads) await touch(tx, id, now, due);
  await sessionsGrow(tx, followers, leads, first, now);
  await setCursor(tx, seen);
}

const NONE: FirstImages = new Map();

/** Two transactions that touch several series each do so in the same order, or each might wait for the other. */
const inOrder = (series: readonly string[]): string[] => [...new Set(series)].sort();

/** Whatever the series was doing, its quiet timer starts anew. */
async function touch(tx: Tx, series: string, now: Millis, due: Millis): Promise<void> {
  await tx.run(
    `INSERT INTO series (id, state, due, first_seen, updated) VALUES (?, 'collecting', ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET due = excluded.due, state = 'collecting',
       updated = excluded.updated`,
    series,
    due,
    now,
    now,
  );
}

/** A part of another series is none of them: that one tells. */
export async function unread(tx: Tx, series: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const id of new Set(series)) {
    const known = await tx.get('SELECT session, uid FROM series WHERE id = ?', id);
    const told = (known?.['session'] ?? known?.['uid'] ?? null) !== null;
    if (!told && (await leadOf(tx, id)) === id) found.push(id);
  }
  return found;
}

export async function reconcile(
  tx: Tx,
  followers: Followers,
  listed: readonly { id: string; digest: string }[],
  now: Millis,
  due: Millis,
  first: FirstImages = NONE,
  joinable?: Joinable,
): Promise<number> {
  const unsettled: string[] = [];
  for (const { id, digest } of listed) {
    const part = await tx.get('SELECT lead, digest FROM joined WHERE series = ?', id);
    const known = await tx.get(
      'SELECT state, digest FROM series WHERE id = ?',
      parse.text(part?.['lead']) ?? id,
    );
    const before = part === undefined ? known?.['digest'] : part['digest'];
    if (known === undefined || (!isOpen(known['state']) && before !== digest)) unsettled.push(id);
  }
  const leads = inOrder([...(await leadsOf(tx, unsettled, joinable)).values()]);
  for (const id of leads) await touch(tx, id, now, due);
  await sessionsGrow(tx, followers, [...leads, ...first.keys()], first, now);
  return leads.length;
}

/** What is being worked on lists its instances again by itself, and its digest is compared the next time. */
const isOpen = (state: unknown): boolean => state === 'collecting' || state === 'working';

export async function clampTimers(tx: Tx, latestDue: Millis, latestTry: Millis): Promise<void> {
  await tx.run('UPDATE series SET due = ? WHERE due > ?', latestDue, latestDue);
  await tx.run(`UPDATE leg SET next_try = ? WHERE state = 'pending' AND next_try > ?`, latestTry, latestTry);
}
