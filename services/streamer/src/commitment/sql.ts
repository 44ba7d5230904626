/** Storage commitment in the ledger: what was asked, what was reported, what is sent again. */
import type { Failure } from '@scanflow/failure';
import {
  commitmentLeg,
  judgeReport,
  named,
  readNamed,
  type CommitmentItem,
  type CommitmentPlan,
  type CommitmentRow,
  type Transaction,
  type CommitmentNow,
  type Reported,
  type ReportedOutcome,
} from './plan.ts';
import type { TransactionState } from '../model/series.ts';
import type { Row } from '@scanflow/database';
import type { Claim, Millis, Tx } from '../ledger/tx.ts';
import { ending, news } from '../ledger/aftermath.ts';
import {
  requireClaim,
  lockSeries,
  endLeg,
  failureColumns,
  openLeg,
  sql,
  progressOf,
  putProgress,
  recordProgress,
  refresh,
} from '../ledger/leg.ts';

export async function commitmentsOf(tx: Tx, claim: Claim, destination: string): Promise<CommitmentNow> {
  const { series, target } = claim;
  const legs = await tx.all('SELECT target, through, news FROM leg WHERE series = ?', [series]);
  const legOf = (name: string): Row | undefined => legs.find((row) => row['target'] === name);
  const rows = await tx.all(
    `SELECT * FROM commitment WHERE series = ? AND target = ? AND state <> 'answered' ORDER BY round, uid`,
    [series, target],
  );
  const unsent = (await progressOf(tx, series, destination)).flatMap(({ instance, outcome }) =>
    outcome === 'done' ? [] : [[instance, outcome] as const],
  );
  return {
    news: Number(legOf(target)?.['news'] ?? 0),
    sent: Number(legOf(destination)?.['through'] ?? 0),
    unsent: new Map(unsent),
    rows: await progressOf(tx, series, target),
    transactions: rows.map(transactionOf),
  };
}

const STATES: readonly TransactionState[] = ['asked', 'accepted', 'expired', 'closed', 'answered'];

const transactionOf = (row: Row): Transaction => ({
  uid: String(row['uid']),
  state: STATES.find((state) => state === row['state']) ?? 'closed',
  round: Number(row['round']),
  until: Number(row['until']),
  items: JSON.parse(String(row['items'])) as CommitmentItem[],
});

/** Records the decision before any request goes out. */
export async function decided(
  tx: Tx,
  claim: Claim,
  { rows, ended }: Pick<CommitmentPlan, 'rows' | 'ended'>,
  now: Millis,
): Promise<void> {
  await recordProgress(tx, claim, rows);
  for (const { uid, state } of ended)
    await tx.run(`UPDATE commitment SET state = ?, updated = ? WHERE uid = ? AND state <> 'answered'`, [
      state,
      now,
      uid,
    ]);
}

/** Durable before the request goes out. */
export async function asking(
  tx: Tx,
  claim: Claim,
  { uid, state, round, until, items }: Transaction,
  now: Millis,
): Promise<void> {
  await requireClaim(tx, claim);
  await tx.run(
    `INSERT INTO commitment (uid, series, target, state, round, until, items, updated) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    [uid, claim.series, claim.target, state, round, until, JSON.stringify(items), now],
  );
}

/** The destination took the request; its report is due until `until`. Nothing where the report was faster. */
export async function accepted(tx: Tx, claim: Claim, uid: string, until: Millis): Promise<void> {
  await requireClaim(tx, claim);
  await tx.run(`UPDATE commitment SET state = 'accepted', until = ? WHERE uid = ? AND state = 'asked'`, [
    until,
    uid,
  ]);
}

/** The request never got there, or was refused: no report will come. */
export async function notAsked(tx: Tx, claim: Claim, uid: string): Promise<void> {
  await requireClaim(tx, claim);
  await tx.run(`DELETE FROM commitment WHERE uid = ? AND state = 'asked'`, [uid]);
}

/** Has files sent again. False where the destination is being served just now. */
export async function resendFiles(
  tx: Tx,
  claim: Claim,
  destination: string,
  rows: readonly CommitmentRow[],
  now: Millis,
): Promise<boolean> {
  await requireClaim(tx, claim);
  const { series } = claim;
  const leg = await tx.get('SELECT claim FROM leg WHERE series = ? AND target = ?', [series, destination]);
  if (leg === undefined || leg['claim'] !== null) return false;
  const known = new Set((await progressOf(tx, series, destination)).map(({ instance }) => instance));
  // those that count as sent no longer do
  const counted = rows.filter(({ instance }) => !known.has(instance)).length;
  for (const { instance } of rows)
    await putProgress(tx, series, destination, { instance, outcome: 'again', detail: '' });
  const again = { series, target: destination };
  await openLeg(tx, again, now, { done: sql('done - ?', counted) });
  const resent = rows.map(({ instance, outcome, detail }) => {
    const { tries, reason } = readNamed(detail);
    return { instance, outcome, detail: named(tries, true, reason) };
  });
  await recordProgress(tx, claim, resent);
  await refresh(tx, series, now);
  return true;
}

export async function awaiting(
  tx: Tx,
  claim: Claim,
  wait: {
    readonly news: number;
    readonly nextTry: Millis;
    readonly attempts: number;
    readonly failure: Failure | undefined;
  },
  now: Millis,
): Promise<void> {
  await requireClaim(tx, claim);
  await openLeg(tx, claim, now, {
    claim: null,
    attempts: wait.attempts,
    ...failureColumns(wait.failure),
    next_try: sql(
      'CASE WHEN news = ? THEN CAST(? AS BIGINT) ELSE CAST(? AS BIGINT) END',
      wait.news,
      wait.nextTry,
      now,
    ),
  });
  await refresh(tx, claim.series, now);
}

interface CommitmentEnd {
  readonly news: number;
  readonly through: number;
  readonly failure: Failure | undefined;
}

/** Ends the claim: the commitment is settled. Where there is other news than was seen, the leg is looked at again at once. */
export const committed = (tx: Tx, claim: Claim, end: CommitmentEnd, now: Millis): Promise<void> =>
  ending(tx, claim, now, () => writeCommitted(tx, claim, end, now));

async function writeCommitted(tx: Tx, claim: Claim, end: CommitmentEnd, now: Millis): Promise<void> {
  await requireClaim(tx, claim);
  const { series, target } = claim;
  const leg = await tx.get('SELECT news FROM leg WHERE series = ? AND target = ?', [series, target]);
  const { failure } = end;
  if (Number(leg?.['news']) !== end.news)
    return awaiting(tx, claim, { ...end, nextTry: now, attempts: 0, failure: undefined }, now);
  const done = sql(`done + (SELECT count(*) FROM progress p
                      WHERE p.series = leg.series AND p.target = leg.target AND p.outcome = 'done')`);
  await endLeg(tx, claim, failure, now, { through: end.through, done });
  await tx.run(`DELETE FROM progress WHERE series = ? AND target = ? AND outcome = 'done'`, [series, target]);
  await refresh(tx, series, now);
}

/** Records a report of one of these destinations. Whoever works on the leg, now or next, sees its rows. */
export async function reported(
  tx: Tx,
  destinations: readonly string[],
  report: Reported,
  now: Millis,
): Promise<ReportedOutcome> {
  const uid = report.transactionUid;
  const found = await tx.get('SELECT series, target FROM commitment WHERE uid = ?', [uid]);
  const target = String(found?.['target']);
  if (found === undefined || !destinations.some((name) => commitmentLeg(name) === target))
    return { kind: 'unknown' };
  const series = String(found['series']);
  await lockSeries(tx, series);
  const transaction = transactionOf((await tx.get('SELECT * FROM commitment WHERE uid = ?', [uid])) ?? found);
  if (transaction.state === 'answered') return { kind: 'duplicate', series };
  const leg = await tx.get('SELECT through FROM leg WHERE series = ? AND target = ?', [series, target]);
  const before = new Map((await progressOf(tx, series, target)).map((row) => [row.instance, row]));
  const rows = judgeReport(transaction, report, before, Number(leg?.['through'] ?? 0));
  for (const row of rows) await putProgress(tx, series, target, row);
  await tx.run(`UPDATE commitment SET state = 'answered', items = '[]', updated = ? WHERE uid = ?`, [
    now,
    uid,
  ]);
  if (rows.length > 0) await tellLeg(tx, series, target, now);
  return {
    kind: 'taken',
    series,
    target,
    committed: rows.filter(({ outcome }) => outcome === 'done').length,
    failed: rows.filter(({ outcome }) => outcome === 'again').length,
    late: transaction.state === 'expired' || transaction.state === 'closed',
  };
}

async function tellLeg(tx: Tx, series: string, target: string, now: Millis): Promise<void> {
  await openLeg(tx, { series, target }, now, news(now));
  await refresh(tx, series, now);
}
