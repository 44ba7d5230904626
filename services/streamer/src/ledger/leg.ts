/** One row of `leg`. Nothing else sets its state. */
import type { Failure } from '@scanflow/failure';
import type { Claim, Millis } from './claim.ts';
import type { Value } from './database.ts';
import type { Tx } from './tx.ts';

export type Leg = Pick<Claim, 'series' | 'target'>;

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
  | 'done'
  | 'total'
  | 'through'
  | 'news'
  | 'updated';

/** What columns are set to. */
export type LegColumns = Readonly<Partial<Record<Column, Value | Sql>>>;

/** Adds a leg that is pending and not due yet, where the series has none to this target. Whether it did. */
export async function addLeg(tx: Tx, { series, target }: Leg, now: Millis): Promise<boolean> {
  const added = await tx.run(
    `INSERT INTO leg (series, target, state, updated) VALUES (?, ?, 'pending', ?)
     ON CONFLICT (series, target) DO NOTHING`,
    series,
    target,
    now,
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
  setLeg(tx, leg, { state: 'pending', attempts: 0, next_try: now, updated: now, ...columns }, where);

/** Ends the work on a leg: done, or failed until somebody puts something right. */
export function endLeg(
  tx: Tx,
  leg: Leg,
  failure: Pick<Failure, 'code' | 'message'> | undefined,
  now: Millis,
  columns: LegColumns = {},
): Promise<number> {
  return setLeg(tx, leg, {
    state: failure === undefined ? 'done' : 'failed',
    claim: null,
    next_try: null,
    attempts: 0,
    // a recheck that failed has still nothing new to look for
    ...(failure === undefined ? { recheck: 0 } : {}),
    ...failureColumns(failure),
    updated: now,
    ...columns,
  });
}

export const failureColumns = (
  failure: Pick<Failure, 'code' | 'message'> | undefined,
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
    ...set.flatMap(({ values }) => values),
    series,
    target,
    ...where.values,
  );
}
