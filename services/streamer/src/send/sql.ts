/** What became of sending a series to a destination, in the ledger; also what nobody knows to have been sent. */
import { type Failure, permanent } from '@scanflow/failure';
import type { Claim, Millis, Tx } from '../ledger/tx.ts';
import { ending } from '../ledger/aftermath.ts';
import { openCommitment } from '../commitment/sql.ts';
import {
  requireClaim,
  lockSeries,
  addLeg,
  endLeg,
  failureColumns,
  openLeg,
  sql,
  refresh,
} from '../ledger/leg.ts';

/** The images of these pulls: after the first number, up to the second. */
export interface UnknownSpan {
  readonly after: number;
  readonly through: number;
}

/** Stands in the progress of a leg in the place of all those images; no file has this name. */
export const UNKNOWN = '*';

export const SENT_UNKNOWN = permanent(
  'SENT_UNKNOWN',
  'Nobody knows whether this was sent: the ledger that knew it was lost. Look at the destination; what is not there is sent by scanflow series retry.',
);

/** As the detail of a row of progress: a failure like any other, with the span. */
export const unknownDetail = (span: UnknownSpan): string => JSON.stringify({ ...SENT_UNKNOWN, ...span });

/** The span of a row's detail; undefined where it is none. */
export function spanIn(detail: string): UnknownSpan | undefined {
  const value = JSON.parse(detail) as Partial<UnknownSpan> & Partial<Failure>;
  const { after, through } = value;
  return typeof after === 'number' && typeof through === 'number' ? { after, through } : undefined;
}

/** Both spans and what lies between them. */
export const joined = (span: UnknownSpan, before: UnknownSpan | undefined): UnknownSpan =>
  before === undefined
    ? span
    : { after: Math.min(span.after, before.after), through: Math.max(span.through, before.through) };

/** The span that a person wants sent after all. */
export function wantedSpan(
  progress: readonly { readonly instance: string; readonly outcome: string; readonly detail: string }[],
): UnknownSpan | undefined {
  const row = progress.find(({ instance, outcome }) => instance === UNKNOWN && outcome === 'again');
  return row === undefined ? undefined : spanIn(row.detail);
}

export const isWithin = (span: UnknownSpan | undefined, increment: number): boolean =>
  span !== undefined && increment > span.after && increment <= span.through;

/** An image that was stored anew, as after its folder was moved away, is sent again: it counts once. */
const SENT = `(SELECT count(*) FROM progress p
  WHERE p.series = leg.series AND p.target = leg.target AND p.outcome = 'done' AND p.instance <> '${UNKNOWN}')`;

/**
 * Ends the claim: every instance of the increments up to `through` was dealt with; `failure` is that of one that was given
 * up, now or earlier. The leg stays pending where the series has grown meanwhile.
 */
export const forwarded = (
  tx: Tx,
  claim: Claim,
  through: number,
  failure: Failure | undefined,
  now: Millis,
): Promise<void> =>
  ending(tx, claim, now, async () => {
    if (tx.consequences.commits?.(claim.target) === true) await openCommitment(tx, claim, now);
    await writeForwarded(tx, claim, through, failure, now);
  });

async function writeForwarded(
  tx: Tx,
  claim: Claim,
  through: number,
  failure: Failure | undefined,
  now: Millis,
): Promise<void> {
  await requireClaim(tx, claim);
  const { series, target } = claim;
  // an increment that was stored while this one was under way has to be sent still
  const row = await tx.get('SELECT increment FROM series WHERE id = ?', series);
  const open = Number(row?.['increment']) > through;
  const columns = {
    through,
    done: sql(`CASE WHEN total > 0 AND done + ${SENT} > total THEN total ELSE done + ${SENT} END`),
  };
  if (open) await openLeg(tx, claim, now, { claim: null, ...failureColumns(failure), ...columns });
  else await endLeg(tx, claim, failure, now, columns);
  await tx.run(`DELETE FROM progress WHERE series = ? AND target = ? AND outcome = 'done'`, series, target);
  await refresh(tx, series, now);
}

/** Ends the claim: the series is not for this destination after all. The leg goes, or is done where images were sent before. */
export const unwanted = (tx: Tx, claim: Claim, now: Millis): Promise<void> =>
  ending(tx, claim, now, () => dropLeg(tx, claim, now));

async function dropLeg(tx: Tx, claim: Claim, now: Millis): Promise<void> {
  await requireClaim(tx, claim);
  const { series, target } = claim;
  await tx.run('DELETE FROM progress WHERE series = ? AND target = ?', series, target);
  await tx.run('DELETE FROM leg WHERE series = ? AND target = ? AND through = 0', series, target);
  await endLeg(tx, claim, undefined, now);
  await refresh(tx, series, now);
}

/** Opens a leg to a destination that was added later. False where there is one, or nothing is stored. */
export async function openDestination(tx: Tx, series: string, target: string, now: Millis): Promise<boolean> {
  await lockSeries(tx, series);
  const row = await tx.get(
    'SELECT stored - differing AS total FROM series WHERE id = ? AND stored > 0',
    series,
  );
  const leg = { series, target };
  if (row === undefined || !(await addLeg(tx, leg, now))) return false;
  await openLeg(tx, leg, now, { total: Number(row['total']) });
  await refresh(tx, series, now);
  return true;
}

/** What the leg does not know to be dealt with may have been sent, or not. False where it knows all. */
export async function unknown(
  tx: Tx,
  { series, target, through, total }: { series: string; target: string; through: number; total: number },
  now: Millis,
): Promise<boolean> {
  const leg = await tx.get('SELECT through FROM leg WHERE series = ? AND target = ?', series, target);
  const after = Number(leg?.['through'] ?? 0);
  if (after >= through) return false;
  const earlier = await tx.get(
    'SELECT detail FROM progress WHERE series = ? AND target = ? AND instance = ?',
    series,
    target,
    UNKNOWN,
  );
  const span = joined(
    { after, through },
    earlier === undefined ? undefined : spanIn(String(earlier['detail'])),
  );
  await tx.run(
    `INSERT INTO progress (series, target, instance, outcome, detail) VALUES (?, ?, ?, 'failed', ?)
     ON CONFLICT (series, target, instance) DO UPDATE SET outcome = 'failed', detail = excluded.detail`,
    series,
    target,
    UNKNOWN,
    unknownDetail(span),
  );
  await addLeg(tx, { series, target }, now);
  await endLeg(tx, { series, target }, SENT_UNKNOWN, now, { total, through });
  return true;
}
