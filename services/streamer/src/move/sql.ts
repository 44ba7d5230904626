/** Moving a stored series to other labels, in the ledger: ordered, stored anew, left. */
import { defined } from '@scanflow/failure/defined';
import { type Failure, FailureError, permanent } from '@scanflow/failure';
import { moveRefusal, type Moved, type MoveOrder } from '../model/decision.ts';
import { COPY, STORAGE, TRANSCODED } from '../model/series.ts';
import type { StoredAnew } from '../ledger/rows.ts';
import type { Row } from '@scanflow/database';
import type { Claim, Millis, Tx } from '../ledger/tx.ts';
import { ending, tellStored } from '../ledger/aftermath.ts';
import { requireClaim, lockSeries, addLeg, endLeg, failureColumns, openLeg, refresh } from '../ledger/leg.ts';
import { seriesViews, parse } from '../ledger/views.ts';
import { convertLabelled } from '../hooks/bids-units.ts';

/** Orders a stored series to be moved to other labels, and opens its storage leg for it. Throws SERIES_NOT_MOVABLE with the reason. */
export async function orderMove(
  tx: Tx,
  series: string,
  order: Omit<MoveOrder, 'was' | 'failure'>,
  now: Millis,
): Promise<void> {
  await lockSeries(tx, series);
  const [view] = await seriesViews(tx, 'WHERE id = ?', series);
  if (view === undefined) throw refused('there is no such series');
  const hook = await hookAtWork(tx, series, view.session, now);
  const reason = moveRefusal({ ...view, moving: view.moving !== undefined, hook }, order.decision.labels);
  const { path } = view;
  if (reason !== undefined || path === undefined) throw refused(reason ?? 'nothing of this series is stored');
  const leg = view.legs.find(({ target }) => target === STORAGE);
  const whole: MoveOrder = {
    ...order,
    was: { path, ...defined({ labels: view.labels }) },
    // where it belongs is decided by the move
    ...(leg?.failure === undefined || leg.failure.code === 'ROUTE_CORRECTED' ? {} : { failure: leg.failure }),
  };
  await tx.run('UPDATE series SET moving = ? WHERE id = ?', [JSON.stringify(whole), series]);
  await openLeg(tx, { series, target: STORAGE }, now);
  await refresh(tx, series, now);
}

const refused = (reason: string): FailureError => new FailureError(permanent('SERIES_NOT_MOVABLE', reason));

async function hookAtWork(
  tx: Tx,
  series: string,
  session: string | undefined,
  now: Millis,
): Promise<string | undefined> {
  const row = await tx.get(
    'SELECT hook FROM delivery WHERE subject IN (?, ?) AND claim IS NOT NULL AND next_try > ? LIMIT 1',
    [series, session ?? series, now],
  );
  return parse.text(row?.['hook']);
}

/** The series is stored at its new place, and is sent from there. Its old folder is still to be left. */
export async function storedAnew(tx: Tx, claim: Claim, anew: StoredAnew, now: Millis): Promise<void> {
  await requireClaim(tx, claim);
  const { series } = claim;
  const row = await tx.get('SELECT moving, moved, session FROM series WHERE id = ?', [series]);
  const order = orderIn(row);
  const reports = await reportsOf(tx, parse.text(row?.['session']));
  const moved = [...parse.moved(row?.['moved']), anew.moved];
  await tx.run(
    `UPDATE series SET path = ?, labels = ?, decision = ?, doubts = NULL, moved = ?, moving = ?, updated = ? WHERE id = ?`,
    [
      anew.path,
      JSON.stringify(order.decision.labels),
      JSON.stringify(order.decision),
      JSON.stringify(moved),
      JSON.stringify({ ...order, stored: defined({ reports }) }),
      now,
      series,
    ],
  );
  // whoever sends it now reads from the old folder: it begins anew, from the new one
  await tx.run(
    `UPDATE leg SET claim = NULL, next_try = ? WHERE series = ? AND target NOT IN (?, ?) AND claim IS NOT NULL`,
    [now, series, STORAGE, COPY],
  );
  if (anew.renamed)
    await tx.run('DELETE FROM progress WHERE series = ? AND target NOT IN (?, ?)', [series, STORAGE, COPY]);
  for (const target of anew.targets) await sendAnew(tx, series, target, anew.images, now);
}

const orderIn = (row: Row | undefined): MoveOrder => {
  const order = parse.order(row?.['moving']);
  if (order === undefined) throw new Error('a series is moved that nobody wanted moved');
  return order;
};

/** The report of the session gets another place: its folder is chosen anew. */
async function reportsOf(tx: Tx, session: string | undefined): Promise<string | undefined> {
  if (session === undefined) return undefined;
  const row = await tx.get('SELECT folder FROM session WHERE id = ?', [session]);
  await tx.run('UPDATE session SET folder = NULL WHERE id = ?', [session]);
  return parse.text(row?.['folder']);
}

async function sendAnew(tx: Tx, series: string, target: string, total: number, now: Millis): Promise<void> {
  await tx.run('DELETE FROM progress WHERE series = ? AND target IN (?, ?)', [
    series,
    target,
    `${TRANSCODED}${target}`,
  ]);
  const leg = { series, target };
  await addLeg(tx, leg, now);
  await openLeg(tx, leg, now, { claim: null, ...failureColumns(undefined), done: 0, total, through: 0 });
}

/** Ends the claim: all of it is done; `left`: files that stayed in the old folder. */
export const moveDone = (tx: Tx, claim: Claim, left: readonly string[], now: Millis): Promise<void> =>
  ending(tx, claim, now, async () => {
    const { send, was, decision } = await writeMoved(tx, claim, left, now);
    if (send) await tellStored(tx, claim.series, now);
    const row = await tx.get('SELECT session FROM series WHERE id = ?', [claim.series]);
    await convertLabelled(tx, [was.labels, decision.labels], { also: parse.text(row?.['session']), now });
  });

async function writeMoved(tx: Tx, claim: Claim, left: readonly string[], now: Millis): Promise<MoveOrder> {
  await requireClaim(tx, claim);
  const { series } = claim;
  const row = await tx.get('SELECT moving, moved FROM series WHERE id = ?', [series]);
  const order = orderIn(row);
  const moved = parse.moved(row?.['moved']);
  const last = moved.at(-1);
  const all: Moved[] =
    last === undefined || left.length === 0 ? moved : [...moved.slice(0, -1), { ...last, left }];
  await tx.run('UPDATE series SET moving = NULL, moved = ? WHERE id = ?', [JSON.stringify(all), series]);
  await endLeg(tx, claim, order.failure, now);
  await refresh(tx, series, now);
  return order;
}

/** Ends the claim: the series stays where it was, and its leg says why. */
export const moveFailed = (tx: Tx, claim: Claim, failure: Failure, now: Millis): Promise<void> =>
  ending(tx, claim, now, async () => {
    await requireClaim(tx, claim);
    await tx.run('UPDATE series SET moving = NULL WHERE id = ?', [claim.series]);
    await endLeg(tx, claim, failure, now);
    await refresh(tx, claim.series, now);
  });
