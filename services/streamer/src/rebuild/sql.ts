/** The ledger made anew from what is stored, or brought up to date after an older one was put back. */
import { destinationOf } from '../commitment/plan.ts';
import { COPY, STORAGE } from '../model/series.ts';
import { recoveredMark, sessionOf } from '../sessions/plan.ts';
import { leadsOf } from '../ledger/joined.ts';
import type { Joinable } from '../joining/rule.ts';
import type { Moved } from '../model/decision.ts';
import type { Millis, Tx } from '../ledger/tx.ts';
import { addLeg, endLeg, lockSeries, stateIn } from '../ledger/leg.ts';
import { keysOf, verifySoon } from '../ledger/aftermath.ts';
import { seriesViews } from '../ledger/views.ts';
import { unknown } from '../ledger/unknown.ts';
import type { StoreDone } from '../ledger/rows.ts';

/** A series as its `series.json` describes it. */
export interface RecoveredSeries extends Omit<StoreDone, 'failure' | 'parts'> {
  readonly id: string;
  readonly differing: number;
  readonly moved?: readonly Moved[] | undefined;
  readonly firstSeen: Millis;
  /** Storing has to look at it once more: an image is missing, or its copy. */
  readonly again: boolean;
  /** Its folder in the copy of everything, with as many images. */
  readonly copy: { readonly path: string; readonly images: number } | undefined;
  /** Orthanc no longer has it. */
  readonly gone: boolean;
}

/**
 * Takes a stored series over. What the ledger does not know of its sending is written down as unknown; nobody is told
 * anything. `known`: the ledger has all of it already.
 */
export async function recover(
  tx: Tx,
  series: RecoveredSeries,
  now: Millis,
): Promise<'new' | 'grown' | 'known'> {
  const { id } = series;
  await lockSeries(tx, id);
  const row = await tx.get('SELECT increment, path FROM series WHERE id = ?', [id]);
  if (Number(row?.['increment'] ?? 0) > series.increment) return behind(tx, id, now);
  const known =
    row !== undefined && Number(row['increment']) >= series.increment && row['path'] === series.path;
  if (known && !series.again) return 'known';
  await put(tx, series, row !== undefined, now);
  await filedLeg(tx, id, STORAGE, { done: series.stored - series.differing, total: series.inOrthanc }, now);
  if (series.copy !== undefined) {
    const { path, images } = series.copy;
    await filedLeg(tx, id, COPY, { done: images, total: images }, now);
    await tx.run('UPDATE series SET copy_path = ? WHERE id = ?', [path, id]);
  }
  for (const target of new Set([...series.targets, ...(await destinations(tx, id))]))
    await unknown(tx, { series: id, target, through: series.increment, total: series.stored }, now);
  await derive(tx, id);
  return row === undefined ? 'new' : known ? 'known' : 'grown';
}

/** Project storage is older than the ledger: what it lacks is stored anew, and has been sent for all that anybody knows. */
async function behind(tx: Tx, id: string, now: Millis): Promise<'grown'> {
  await tx.run('UPDATE series SET due = coalesce(due, CAST(? AS BIGINT)), doubtful = 1 WHERE id = ?', [
    now,
    id,
  ]);
  await derive(tx, id);
  return 'grown';
}

async function put(tx: Tx, series: RecoveredSeries, known: boolean, now: Millis): Promise<void> {
  const { id, attributes, labels } = series;
  const session = sessionOf(attributes);
  if (!known)
    await tx.run(`INSERT INTO series (id, state, first_seen, updated) VALUES (?, 'working', ?, ?)`, [
      id,
      series.firstSeen,
      now,
    ]);
  await tx.run(
    `UPDATE series SET attributes = ?, labels = ?, decision = coalesce(?, decision), doubts = ?, moved = ?, warnings = ?, path = ?,
       increment = ?, in_orthanc = ?, stored = ?, untagged = ?,
       differing = ?, digest = ?, uid = ?, accession = ?, study = ?, session = ?, reason_code = NULL, reason_message = NULL,
       due = CASE WHEN ? = 1 THEN coalesce(due, CAST(? AS BIGINT)) ELSE due END,
       cleaned = CASE WHEN ? = 1 THEN coalesce(cleaned, CAST(? AS BIGINT)) ELSE NULL END
     WHERE id = ?`,
    [
      JSON.stringify(attributes),
      labels === undefined ? null : JSON.stringify(labels),
      textOf(series.decision),
      textOf(series.doubts),
      textOf(series.moved),
      textOf(series.warnings),
      series.path,
      series.increment,
      series.inOrthanc,
      series.stored,
      series.untagged,
      series.differing,
      series.digest,
      ...keysOf(attributes),
      session ?? null,
      series.again ? 1 : 0,
      now,
      series.gone ? 1 : 0,
      now,
      id,
    ],
  );
  if (session === undefined) return;
  // without a moment of the next look: an earlier report of it still counts
  await tx.run(
    `INSERT INTO session (id, due, first_seen, updated, increment) VALUES (?, NULL, ?, ?, 1)
     ON CONFLICT (id) DO UPDATE SET digest = NULL`,
    [session, series.firstSeen, now],
  );
}

const textOf = (value: object | undefined): string | null =>
  value === undefined ? null : JSON.stringify(value);

/** The files of it are there. */
async function filedLeg(
  tx: Tx,
  series: string,
  target: typeof STORAGE | typeof COPY,
  { done, total }: { readonly done: number; readonly total: number },
  now: Millis,
): Promise<void> {
  await addLeg(tx, { series, target }, now);
  await endLeg(tx, { series, target }, undefined, now, { done, total });
  await tx.run('DELETE FROM progress WHERE series = ? AND target = ?', [series, target]);
  await verifySoon(tx, series, target, now);
}

/** Those to which a leg of the series leads. */
async function destinations(tx: Tx, series: string): Promise<string[]> {
  const legs = await tx.all('SELECT target FROM leg WHERE series = ?', [series]);
  return legs.map((leg) => String(leg['target'])).filter(isDestination);
}

const isDestination = (target: string): boolean =>
  target !== STORAGE && target !== COPY && destinationOf(target) === undefined;

/** No step of a series' life: the state is what the rest of it says. */
async function derive(tx: Tx, series: string): Promise<void> {
  const state = await stateIn(tx, series);
  await tx.run('UPDATE series SET state = ? WHERE id = ?', [state, series]);
}

/**
 * Series that Orthanc has and nobody recorded: they are due, and where they were sent before is unknown. How many are new.
 */
export async function awaitUnknown(
  tx: Tx,
  series: readonly string[],
  now: Millis,
  due: Millis,
  joinable?: Joinable,
): Promise<number> {
  let fresh = 0;
  const leads = await leadsOf(tx, series, joinable);
  for (const id of [...new Set(leads.values())].sort()) {
    fresh += await tx.run(
      `INSERT INTO series (id, state, due, first_seen, updated) VALUES (?, 'collecting', ?, ?, ?)
       ON CONFLICT (id) DO NOTHING`,
      [id, due, now, now],
    );
    await tx.run('UPDATE series SET doubtful = 1 WHERE id = ? AND increment = 0', [id]);
  }
  return fresh;
}

/** What waits to be sent in an older ledger may have been sent since: it becomes unknown. Legs. */
export async function doubtSent(tx: Tx, now: Millis): Promise<number> {
  const open = await tx.all(
    `SELECT l.series, l.target, s.increment, s.stored FROM leg l JOIN series s ON s.id = l.series
     WHERE l.state <> 'done' AND l.through < s.increment ORDER BY l.series`,
  );
  let legs = 0;
  for (const row of open) {
    const target = String(row['target']);
    if (!isDestination(target)) continue;
    const series = String(row['series']);
    const through = Number(row['increment']);
    if (await unknown(tx, { series, target, through, total: Number(row['stored']) }, now)) legs += 1;
    await derive(tx, series);
  }
  return legs;
}

/**
 * Ends a recovery: sessions that were reported before are not reported again until something new comes. They have no digest;
 * those that were never complete have none either, but are due.
 */
export async function quietSessions(tx: Tx): Promise<void> {
  const rows = await tx.all('SELECT id FROM session WHERE digest IS NULL AND due IS NULL');
  for (const row of rows) {
    const id = String(row['id']);
    const series = await seriesViews(tx, 'WHERE session = ?', id);
    await tx.run('UPDATE session SET digest = ? WHERE id = ?', [recoveredMark(series), id]);
  }
}
