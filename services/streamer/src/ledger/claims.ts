/** Which work is next, and who has claimed it; how far the change feed of Orthanc was read, and which streamer reads it. */
import { randomUUID } from 'node:crypto';
import { dropLeases, leaseOf, takeLease } from '@scanflow/database';
import { FailureError, transient } from '@scanflow/failure';
import { defined } from '@scanflow/failure/defined';
import { NO_GAPS } from '../intake/gaps.ts';
import { STORAGE } from '../model/series.ts';
import type { LegWork, StoreWork, Cursor } from './rows.ts';
import type { Claim, Millis, Tx } from './tx.ts';
import { addLeg, openLeg, sql, requireClaim } from './leg.ts';
import { NOT_PAUSED, pausable } from './pauses.ts';
import { parse } from './views.ts';

/** A leg that is claimed has the end of its lease for its next try: so it comes up again by itself. */
const FREE = '(l.claim IS NULL OR l.next_try <= ?)';

/**
 * Claims the next series to store: one whose quiet timer ended, else one that is tried again. The timer is taken off in the
 * same transaction, so that images that arrive from now on set it again. With the end of the timer the legs of the targets
 * `alongside` open too: they do not wait for storage.
 */
export async function nextStore(
  tx: Tx,
  now: Millis,
  alongside: readonly string[] = [],
): Promise<StoreWork | undefined> {
  const due = await tx.get(
    `SELECT s.id FROM series s WHERE s.due IS NOT NULL AND s.due <= ?
       AND NOT EXISTS (SELECT 1 FROM leg l WHERE l.series = s.id AND l.target = ? AND NOT ${FREE})
     ORDER BY s.due LIMIT 1 ${tx.dialect.lockFree('s')}`,
    [now, STORAGE, now],
  );
  if (due !== undefined) return beginStore(tx, String(due['id']), now, alongside);
  const series = await pendingSeries(tx, STORAGE, now);
  return series === undefined ? undefined : takeStore(tx, series, now);
}

/** A pending leg of this target whose time has come; its series' row is locked. None while the target is paused. */
async function pendingSeries(tx: Tx, target: string, now: Millis): Promise<string | undefined> {
  const row = await tx.get(
    `SELECT s.id FROM leg l JOIN series s ON s.id = l.series
     WHERE l.target = ? AND l.state = 'pending' AND l.next_try <= ? AND ${NOT_PAUSED}
     ORDER BY l.next_try LIMIT 1 ${tx.dialect.lockFree('s')}`,
    [target, now, pausable(target)],
  );
  return row === undefined ? undefined : String(row['id']);
}

/** Of a leg that begins anew. */
const ANEW = { claim: null, recheck: 0 } as const;

async function beginStore(
  tx: Tx,
  series: string,
  now: Millis,
  alongside: readonly string[],
): Promise<StoreWork | undefined> {
  const leg = { series, target: STORAGE };
  await addLeg(tx, leg, now);
  await openLeg(tx, leg, now, ANEW, sql(' AND (claim IS NULL OR next_try <= ?)', now));
  const work = await takeStore(tx, series, now);
  if (work === undefined) return undefined;
  for (const target of alongside) await openAlongside(tx, series, target, now);
  await tx.run(
    // what came while it is moved is stored after that
    `UPDATE series SET due = CASE WHEN moving IS NULL THEN NULL ELSE due END, state = 'working', reason_code = NULL, reason_message = NULL, updated = ?
     WHERE id = ?`,
    [now, series],
  );
  return work;
}

/** Whoever works on it lists what it missed: its claim is taken away, so that it cannot end the leg, and another begins. */
async function openAlongside(tx: Tx, series: string, target: string, now: Millis): Promise<void> {
  await addLeg(tx, { series, target }, now);
  await openLeg(tx, { series, target }, now, ANEW);
}

async function takeStore(tx: Tx, series: string, now: Millis): Promise<StoreWork | undefined> {
  const token = await take(tx, series, STORAGE, now);
  if (token === undefined) return undefined;
  const row = await legAndSeries(tx, series, STORAGE);
  return {
    series,
    target: STORAGE,
    token,
    accession: parse.text(row['accession']),
    attempts: Number(row['attempts']),
    labels: parse.labels(row['labels']),
    decision: parse.decision(row['decision']),
    moving: parse.order(row['moving']),
    path: parse.text(row['path']),
    increment: Number(row['increment']),
    cleaned: (row['cleaned'] ?? null) !== null,
    stored: Number(row['stored']),
    digest: parse.text(row['digest']),
    recheck: Number(row['recheck']) === 1,
  };
}

export async function nextLeg(tx: Tx, target: string, now: Millis): Promise<LegWork | undefined> {
  const series = await pendingSeries(tx, target, now);
  if (series === undefined) return undefined;
  const token = await take(tx, series, target, now);
  if (token === undefined) return undefined;
  const row = await legAndSeries(tx, series, target);
  return {
    series,
    target,
    token,
    accession: parse.text(row['accession']),
    attempts: Number(row['attempts']),
    path: String(row['path']),
    through: Number(row['through']),
    increment: Number(row['increment']),
    recheck: Number(row['recheck']) === 1,
    done: Number(row['done']),
    copyPath: parse.text(row['copy_path']),
  };
}

/**
 * The leg as it is now that the series is locked: between the look and the lock another may have had it.
 * Undefined where it is no longer to be had.
 */
async function take(tx: Tx, series: string, target: string, now: Millis): Promise<string | undefined> {
  const token = randomUUID();
  const taken = await tx.run(
    `UPDATE leg SET claim = ?, next_try = ?, updated = ?
     WHERE series = ? AND target = ? AND state = 'pending' AND next_try <= ?`,
    [token, now + tx.leaseMs, now, series, target, now],
  );
  return taken === 1 ? token : undefined;
}

async function legAndSeries(
  tx: Tx,
  series: string,
  target: string,
): Promise<Readonly<Record<string, unknown>>> {
  const row = await tx.get(
    `SELECT s.accession, s.labels, s.decision, s.moving, s.path, s.increment, s.cleaned, s.stored, s.digest, s.copy_path,
       l.attempts, l.through, l.recheck, l.done
     FROM series s JOIN leg l ON l.series = s.id AND l.target = ? WHERE s.id = ?`,
    [target, series],
  );
  return row ?? {};
}

/** The lease begins anew. Throws LEDGER_LEASE_LOST. */
export async function renew(tx: Tx, claim: Claim, now: Millis): Promise<void> {
  await requireClaim(tx, claim);
  await tx.run('UPDATE leg SET next_try = ? WHERE series = ? AND target = ?', [
    now + tx.leaseMs,
    claim.series,
    claim.target,
  ]);
}

/** Somebody may go on with it at once. Nothing where the work has ended, or another has it. */
export async function giveBack(tx: Tx, { series, target, token }: Claim, now: Millis): Promise<void> {
  await tx.run('UPDATE leg SET claim = NULL, next_try = ? WHERE series = ? AND target = ? AND claim = ?', [
    now,
    series,
    target,
    token,
  ]);
}

/** When the next work for a target (or STORAGE) is due, or may be taken over. Undefined while the target is paused. */
export async function nextTime(tx: Tx, target: string): Promise<Millis | undefined> {
  const leg = await tx.get(
    `SELECT min(next_try) AS time FROM leg WHERE target = ? AND state = 'pending' AND ${NOT_PAUSED}`,
    [target, pausable(target)],
  );
  // one that is being stored comes up again with its lease
  const due =
    target === STORAGE
      ? await tx.get(
          `SELECT s.due AS time FROM series s WHERE s.due IS NOT NULL
             AND NOT EXISTS (SELECT 1 FROM leg l WHERE l.series = s.id AND l.target = ? AND l.claim IS NOT NULL)
           ORDER BY s.due LIMIT 1`,
          [STORAGE],
        )
      : undefined;
  const times = [leg, due].flatMap((row) => parse.integer(row?.['time'] ?? null) ?? []);
  return times.length === 0 ? undefined : Math.min(...times);
}

/** After the clock stepped back nothing waits longer than it was meant to. */
export async function clampTimers(tx: Tx, latestDue: Millis, latestTry: Millis): Promise<void> {
  await tx.run('UPDATE series SET due = ? WHERE due > ?', [latestDue, latestDue]);
  await tx.run(`UPDATE leg SET next_try = ? WHERE state = 'pending' AND next_try > ?`, [
    latestTry,
    latestTry,
  ]);
}

const FEED = 'feed';

/**
 * Whether this streamer is the one that reads what Orthanc reports: takes the lease where it is free or ran out, and renews its
 * own. Call it before each round. While another streamer leads, `leads` throws.
 * @param name other work that one streamer does at a time
 */
export async function lead(tx: Tx, now: Millis, name = FEED): Promise<boolean> {
  const { owner, leaseMs } = tx;
  return (await takeLease(tx, { name, owner, leaseMs }, now)) !== undefined;
}

/** Throws LEDGER_LEASE_LOST where another streamer has the lease: what this one read is old. */
export async function leads(tx: Tx): Promise<void> {
  const lease = await leaseOf(tx, FEED, tx.dialect.lock);
  if (lease !== undefined && lease['owner'] !== tx.owner) throw new FailureError(LOST);
}

const LOST = transient(
  'LEDGER_LEASE_LOST',
  'Reading what Orthanc reports took so long that another streamer took it over. It goes on there; nothing needs doing.',
);

/** Another may have it at once. */
export async function leave(tx: Tx): Promise<void> {
  await dropLeases(tx, tx.owner);
}

export async function readCursor(tx: Tx): Promise<Cursor | undefined> {
  const row = await tx.get('SELECT seq, database, gaps FROM cursor');
  if (row === undefined) return undefined;
  return {
    seq: Number(row['seq']),
    database: parse.text(row['database']),
    ...defined({ gaps: parse.gaps(row['gaps']) }),
  };
}

export async function setCursor(tx: Tx, cursor: Cursor): Promise<void> {
  await leads(tx);
  await putCursor(tx, cursor);
}

export async function putCursor(tx: Tx, { seq, database, gaps = NO_GAPS }: Cursor): Promise<void> {
  const kept = gaps.open.length > 0 || gaps.forgotten !== undefined;
  await tx.run(
    `INSERT INTO cursor (id, seq, database, gaps) VALUES (1, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, database = excluded.database, gaps = excluded.gaps`,
    [seq, database ?? null, kept ? JSON.stringify(gaps) : null],
  );
}
