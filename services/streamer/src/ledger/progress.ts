/** Instances' outcomes while the work on a leg lasts, and the state that follows from the legs. */
import { stateOf } from '../model/series.ts';
import { isFailing } from '../verify/failing.ts';
import { isLegal } from '../model/transitions.ts';
import type { Claim, Millis, Progress } from '../ports.ts';
import { hold } from './claims.ts';
import type { Tx } from './tx.ts';
import { parse } from './values.ts';

export async function recordProgress(tx: Tx, claim: Claim, rows: readonly Progress[]): Promise<void> {
  await hold(tx, claim);
  for (const row of rows) {
    await put(tx, claim.series, claim.target, row);
    if (row.transcoded !== undefined)
      await put(tx, claim.series, copiesTo(claim.target), { ...row, detail: row.transcoded });
  }
}

/**
 * Under this target stand, for good, the instances of which a destination got a transcoded copy; `detail` is its
 * transfer syntax. The rows of the destination itself go once all is sent.
 */
export const copiesTo = (target: string): string => `${COPIES}${target}`;
/** No destination's name has a colon. */
export const COPIES = 'transcoded:';

const put = (
  tx: Tx,
  series: string,
  target: string,
  { instance, outcome, detail }: Progress,
): Promise<unknown> =>
  tx.run(
    `INSERT INTO progress (series, target, instance, outcome, detail) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (series, target, instance) DO UPDATE SET outcome = excluded.outcome, detail = excluded.detail`,
    series,
    target,
    instance,
    outcome,
    detail,
  );

export async function progressOf(tx: Tx, series: string, target: string): Promise<Progress[]> {
  const rows = await tx.all(
    'SELECT instance, outcome, detail FROM progress WHERE series = ? AND target = ?',
    series,
    target,
  );
  return rows.map((row) => ({
    instance: String(row['instance']),
    outcome: parse.outcome(row['outcome']),
    detail: String(row['detail']),
  }));
}

/** The series' state follows from the rest of it: to be called at the end of whatever changes that. */
export async function refresh(tx: Tx, series: string, now: Millis): Promise<void> {
  const row = await tx.get('SELECT state, due, reason_code FROM series WHERE id = ?', series);
  if (row === undefined) return;
  const legs = (await tx.all('SELECT state FROM leg WHERE series = ?', series)).map((leg) =>
    parse.leg(leg['state']),
  );
  const state = stateOf({
    due: parse.integer(row['due']),
    quarantined: row['reason_code'] !== null,
    legs,
    damaged: await isFailing(tx, series),
  });
  const from = parse.state(row['state']);
  if (!isLegal(from, state)) throw new Error(`a series cannot go from ${from} to ${state}`);
  await tx.run('UPDATE series SET state = ?, updated = ? WHERE id = ?', state, now, series);
}
