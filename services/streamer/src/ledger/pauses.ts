/** Destinations that a person paused: who, when and why. While one is paused, no leg of it is claimed; work that runs ends first. */
import { randomUUID } from 'node:crypto';
import { commitmentLeg, destinationOf } from '../commitment/plan.ts';
import type { Row } from '@scanflow/database';
import type { Millis, Tx } from './tx.ts';

/** Who gave an order, as far as the API knows. */
interface Order {
  readonly at: Millis;
  readonly by: string;
  /** The address that asked. */
  readonly from: string;
  readonly reason: string;
}

export interface Pause {
  readonly destination: string;
  readonly since: Millis;
  readonly by: string;
  readonly reason: string;
}

/** One that a person ended. */
export interface EndedPause extends Pause {
  readonly ended: Millis;
  readonly endedBy: string;
  readonly endedReason: string;
}

/** Follows `FROM leg`: the pause that a leg waits for, as `p`. */
export const JOIN_PAUSE = `LEFT JOIN pause p ON p.ended IS NULL
  AND (leg.target = p.destination OR leg.target = '${commitmentLeg('')}' || p.destination)`;

/** Its value is pausable(target). */
export const NOT_PAUSED = 'NOT EXISTS (SELECT 1 FROM pause p WHERE p.destination = ? AND p.ended IS NULL)';

/** The destination that has to be paused for a leg to wait. */
export const pausable = (target: string): string => destinationOf(target) ?? target;

/** Answers the pause that there is already; undefined: this one began. */
export async function pauseDestination(
  tx: Tx,
  destination: string,
  { at, by, from, reason }: Order,
): Promise<Pause | undefined> {
  const added = await tx.run(
    `INSERT INTO pause (id, destination, since, by_whom, origin, reason) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (destination) WHERE ended IS NULL DO NOTHING`,
    [randomUUID(), destination, at, by, from, reason],
  );
  return added === 1 ? undefined : pauseOf(tx, destination);
}

/** Whether it was paused. */
export async function resumeDestination(
  tx: Tx,
  destination: string,
  { at, by, from, reason }: Order,
): Promise<boolean> {
  const ended = await tx.run(
    `UPDATE pause SET ended = ?, ended_by = ?, ended_origin = ?, ended_reason = ? WHERE destination = ? AND ended IS NULL`,
    [at, by, from, reason, destination],
  );
  return ended === 1;
}

async function pauseOf(tx: Tx, destination: string): Promise<Pause | undefined> {
  const row = await tx.get('SELECT * FROM pause WHERE destination = ? AND ended IS NULL', [destination]);
  return row && pauseIn(row);
}

const pauseIn = (row: Row): Pause => ({
  destination: String(row['destination']),
  since: Number(row['since']),
  by: String(row['by_whom']),
  reason: String(row['reason']),
});

export interface OpenPause extends Pause {
  /** Number of series that wait for its end. */
  readonly waiting: number;
}

/** Those that last, the oldest first. */
export async function openPauses(tx: Tx): Promise<OpenPause[]> {
  const rows = await tx.all(
    `SELECT p.*, (SELECT count(*) FROM leg WHERE leg.state = 'pending' AND leg.target = p.destination) AS waiting
     FROM pause p WHERE p.ended IS NULL ORDER BY p.since, p.destination`,
  );
  return rows.map((row) => ({ ...pauseIn(row), waiting: Number(row['waiting']) }));
}

const MOST_ENDED = 100;

/** Those that ended after this moment, the latest first. */
export async function endedPauses(tx: Tx, after: Millis = 0): Promise<EndedPause[]> {
  const rows = await tx.all('SELECT * FROM pause WHERE ended > ? ORDER BY since DESC LIMIT ?', [
    after,
    MOST_ENDED,
  ]);
  return rows.map((row) => ({
    ...pauseIn(row),
    ended: Number(row['ended']),
    endedBy: String(row['ended_by']),
    endedReason: String(row['ended_reason']),
  }));
}

/** The pause of a leg's row, where JOIN_PAUSE gave these columns. */
export const PAUSE_COLUMNS =
  'p.destination AS paused, p.since AS paused_since, p.by_whom AS paused_by, p.reason AS paused_reason';

export const pauseOfLeg = (row: Row): Pause | undefined =>
  row['state'] !== 'pending' || typeof row['paused'] !== 'string'
    ? undefined
    : {
        destination: row['paused'],
        since: Number(row['paused_since']),
        by: String(row['paused_by']),
        reason: String(row['paused_reason']),
      };
