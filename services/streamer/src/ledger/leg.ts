/**
 * One row of `leg`: nothing else sets its state. With it go the progress of its images, the state of the series that follows from
 * all legs, and opening legs again.
 */
import { FailureError, transient } from '@scanflow/failure';
import type { Value } from '@scanflow/database';
import type { Claim, Millis, Tx } from './tx.ts';
import {
  stateOf,
  transcodedTo,
  isLegal,
  COPY,
  STORAGE,
  type SeriesState,
  type Reason,
} from '../model/series.ts';
import type { Progress } from './rows.ts';
import { parse } from './views.ts';

export type Leg = Pick<Claim, 'series' | 'target'>;

/** Code of a leg that a person gave up. */
export const SKIPPED = 'DEST_SKIPPED';

/** An SQL expression with its values. */
interface Sql {
  readonly text: string;
  readonly values: readonly Value[];
}

export const sql = (text: string, ...values: Value[]): Sql => ({ text, values });

type Column =
  | 'state'
  | 'claim'
  | 'attempts'
  | 'next_try'
  | 'recheck'
  | 'failure_code'
  | 'failure_message'
  | 'waiting_since'
  | 'done'
  | 'total'
  | 'through'
  | 'news'
  | 'since'
  | 'updated';

/** What columns are set to. */
export type LegColumns = Readonly<Partial<Record<Column, Value | Sql>>>;

/** Adds a leg that is pending and not due yet, where the series has none to this target. Whether it did. */
export async function addLeg(tx: Tx, { series, target }: Leg, now: Millis): Promise<boolean> {
  const added = await tx.run(
    `INSERT INTO leg (series, target, state, since, updated) VALUES (?, ?, 'pending', ?, ?)
     ON CONFLICT (series, target) DO NOTHING`,
    [series, target, now, now],
  );
  return added === 1;
}

/** A worker keeps its lease: when it ends, it sees that there is more. */
export const dueUnlessClaimed = (time: Millis): Sql =>
  sql('CASE WHEN claim IS NULL THEN CAST(? AS BIGINT) ELSE next_try END', time);

/**
 * Opens a leg: it is due now, unless `columns` says something else.
 * @param where only if this holds too, as ` AND …`
 */
export const openLeg = (
  tx: Tx,
  leg: Leg,
  now: Millis,
  columns: LegColumns = {},
  where: Sql = sql(''),
): Promise<number> =>
  setLeg(
    tx,
    leg,
    { state: 'pending', since: sinceOf(now), attempts: 0, next_try: now, updated: now, ...columns },
    where,
  );

/** One that was open stays open since then. */
const sinceOf = (now: Millis): Sql =>
  sql("CASE WHEN state = 'pending' THEN coalesce(since, updated) ELSE CAST(? AS BIGINT) END", now);

/** Ends the work on a leg: done, or failed until somebody puts something right. */
export function endLeg(
  tx: Tx,
  leg: Leg,
  failure: Reason | undefined,
  now: Millis,
  columns: LegColumns = {},
): Promise<number> {
  return setLeg(tx, leg, {
    state: failure === undefined ? 'done' : 'failed',
    since: null,
    claim: null,
    next_try: null,
    attempts: 0,
    // a recheck that failed has still nothing new to look for
    ...(failure === undefined ? { recheck: 0 } : {}),
    ...failureColumns(failure),
    waiting_since: null,
    updated: now,
    ...columns,
  });
}

export const failureColumns = (
  failure: Reason | undefined,
): Pick<LegColumns, 'failure_code' | 'failure_message'> => ({
  failure_code: failure?.code ?? null,
  failure_message: failure?.message ?? null,
});

async function setLeg(
  tx: Tx,
  { series, target }: Leg,
  columns: LegColumns,
  where: Sql = sql(''),
): Promise<number> {
  const set = Object.entries(columns).map(([name, to]) => {
    const { text, values } = typeof to === 'object' && to !== null ? to : sql('?', to);
    return { text: `${name} = ${text}`, values };
  });
  return tx.run(
    `UPDATE leg SET ${set.map(({ text }) => text).join(', ')} WHERE series = ? AND target = ?${where.text}`,
    [...set.flatMap(({ values }) => values), series, target, ...where.values],
  );
}

/** Locks the series; throws where the leg is another's by now, or nobody's. */
export async function requireClaim(tx: Tx, { series, target, token }: Claim): Promise<void> {
  await lockSeries(tx, series);
  const leg = await tx.get('SELECT claim FROM leg WHERE series = ? AND target = ?', [series, target]);
  if (leg?.['claim'] !== token) throw new FailureError(LOST);
}

/** The lock of a series' row stands for its legs too, so that no two transactions wait for each other. */
export async function lockSeries(tx: Tx, series: string): Promise<void> {
  await tx.get(`SELECT s.id FROM series s WHERE s.id = ? ${tx.dialect.lock}`, [series]);
}

export const LOST = transient(
  'LEDGER_LEASE_LOST',
  'This series took so long without a sign of life that another streamer took it over. It goes on there; nothing needs doing.',
);

export async function recordProgress(tx: Tx, claim: Claim, rows: readonly Progress[]): Promise<void> {
  await requireClaim(tx, claim);
  for (const row of rows) {
    await putProgress(tx, claim.series, claim.target, row);
    if (row.transcoded !== undefined)
      await putProgress(tx, claim.series, transcodedTo(claim.target), { ...row, detail: row.transcoded });
  }
}

/** Sets the outcome of one image. */
export const putProgress = (
  tx: Tx,
  series: string,
  target: string,
  { instance, outcome, detail }: Progress,
): Promise<unknown> =>
  tx.run(
    `INSERT INTO progress (series, target, instance, outcome, detail) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (series, target, instance) DO UPDATE SET outcome = excluded.outcome, detail = excluded.detail`,
    [series, target, instance, outcome, detail],
  );

export async function progressOf(tx: Tx, series: string, target: string): Promise<Progress[]> {
  const rows = await tx.all(
    'SELECT instance, outcome, detail FROM progress WHERE series = ? AND target = ?',
    [series, target],
  );
  return rows.map((row) => ({
    instance: String(row['instance']),
    outcome: parse.outcome(row['outcome']),
    detail: String(row['detail']),
  }));
}

/** How many images it is. */
export async function progressCount(tx: Tx, series: string, target: string): Promise<number> {
  const row = await tx.get('SELECT count(*) AS images FROM progress WHERE series = ? AND target = ?', [
    series,
    target,
  ]);
  return Number(row?.['images'] ?? 0);
}

/** The series' state follows from the rest of it: to be called at the end of whatever changes that. */
export async function refresh(tx: Tx, series: string, now: Millis): Promise<void> {
  const row = await tx.get('SELECT state FROM series WHERE id = ?', [series]);
  if (row === undefined) return;
  const state = await stateIn(tx, series);
  const from = parse.state(row['state']);
  if (!isLegal(from, state)) throw new Error(`a series cannot go from ${from} to ${state}`);
  await tx.run('UPDATE series SET state = ?, updated = ? WHERE id = ?', [state, now, series]);
}

/** The state that follows from the quiet timer, the quarantine, the legs and the verification of a series. */
export async function stateIn(tx: Tx, series: string): Promise<SeriesState> {
  const row = await tx.get('SELECT due, reason_code FROM series WHERE id = ?', [series]);
  const legs = await tx.all('SELECT state FROM leg WHERE series = ?', [series]);
  return stateOf({
    due: parse.integer(row?.['due'] ?? null),
    quarantined: (row?.['reason_code'] ?? null) !== null,
    legs: legs.map((leg) => parse.leg(leg['state'])),
    damaged: await isFailing(tx, series),
  });
}

/** Legs whose files Scanflow itself writes. */
const OF_FILES: readonly string[] = [STORAGE, COPY];

/**
 * Files of a stored series may be missing: its legs of these targets (STORAGE, COPY) open again where they are done, so
 * that the series is no longer complete. The step of the leg then looks at every file that `series.json` names (is it a
 * file, has it its size?), pulls what is missing while Orthanc has it, and fails visibly with STORE_FILE_MISSING where
 * Orthanc has it no longer. A file of the right size is not read: move one with changed bytes aside first, and it is
 * pulled again; nothing is overwritten. What is pulled again keeps its increment, so that nothing is sent again.
 * Gives the targets that are open now, also those that were open before; a target that has failed is not among them.
 */
export async function recheck(
  tx: Tx,
  series: string,
  targets: readonly string[],
  now: Millis,
): Promise<string[]> {
  await lockSeries(tx, series);
  const wanted = OF_FILES.filter((target) => targets.includes(target));
  for (const target of wanted)
    await openLeg(tx, { series, target }, now, { recheck: 1 }, sql(" AND state = 'done'"));
  const legs = await tx.all(
    `SELECT target FROM leg WHERE series = ? AND state = 'pending' AND next_try IS NOT NULL`,
    [series],
  );
  await refresh(tx, series, now);
  const open = new Set(legs.map((row) => String(row['target'])));
  return wanted.filter((target) => open.has(target));
}

/** Ends a leg that recheck() opened: nothing is missing. Nothing has changed, so no hook runs. */
export async function rechecked(tx: Tx, claim: Claim, now: Millis): Promise<void> {
  await requireClaim(tx, claim);
  const { series, target } = claim;
  await endLeg(tx, claim, undefined, now);
  await tx.run('DELETE FROM progress WHERE series = ? AND target = ?', [series, target]);
  await refresh(tx, series, now);
}

/**
 * Tries at once what failed or waits for its next try: the leg of this target, or every leg. Gives the targets that are tried. A
 * leg that somebody works on is not among them, nor one that waits in quarantine. One that a person gave up is, where it is named.
 */
export async function retryLegs(
  tx: Tx,
  series: string,
  target: string | undefined,
  now: Millis,
): Promise<string[]> {
  await lockSeries(tx, series);
  const legs = await tx.all(
    `SELECT target FROM leg WHERE series = ?
       AND (state = 'failed' OR (state = 'pending' AND claim IS NULL AND next_try IS NOT NULL)
         OR (state = 'done' AND failure_code = '${SKIPPED}' AND target = ?)) ORDER BY target`,
    [series, target ?? ''],
  );
  const wanted = legs
    .map((row) => String(row['target']))
    .filter((one) => target === undefined || one === target);
  for (const one of wanted) {
    await tx.run(
      `UPDATE progress SET outcome = 'again' WHERE series = ? AND target = ? AND outcome = 'failed'`,
      [series, one],
    );
    await openLeg(tx, { series, target: one }, now);
    await setLeg(
      tx,
      { series, target: one },
      failureColumns(undefined),
      sql(` AND failure_code = '${SKIPPED}'`),
    );
  }
  await refresh(tx, series, now);
  return wanted;
}

/** Of `verification`. */
export const FAILING = `failure_code IS NOT NULL
  AND (verification.known_digest IS NULL OR verification.known_digest <> verification.digest)`;

async function isFailing(tx: Tx, series: string): Promise<boolean> {
  const row = await tx.get(`SELECT series FROM verification WHERE series = ? AND ${FAILING}`, [series]);
  return row !== undefined;
}
