/** What became of storing a series, in the ledger. */
import { STORAGE } from '../model/series.ts';
import type { Decision } from '../model/decision.ts';
import type { Binding, Quarantined, StoreDone } from '../ledger/rows.ts';
import type { Claim, Millis, Tx } from '../ledger/tx.ts';
import { storedParts } from '../ledger/joined.ts';
import {
  requireClaim,
  lockSeries,
  addLeg,
  dueUnlessClaimed,
  endLeg,
  openLeg,
  SKIPPED,
  sql,
  type Leg,
  refresh,
} from '../ledger/leg.ts';
import { ending, sessionNews, verifyStored } from '../ledger/aftermath.ts';
import { unknown } from '../ledger/unknown.ts';

/** Binds the series to its folder and labels, before the first image of this pull is written. */
export async function bindFolder(
  tx: Tx,
  claim: Claim,
  { attributes, labels, path, inOrthanc, decision, doubts = [] }: Binding,
  now: Millis,
): Promise<void> {
  await requireClaim(tx, claim);
  const { series } = claim;
  await tx.run(
    `UPDATE series SET attributes = ?, labels = ?, path = ?, in_orthanc = ?, decision = coalesce(?, decision), doubts = ?,
       updated = ? WHERE id = ?`,
    [
      JSON.stringify(attributes),
      labels === undefined ? null : JSON.stringify(labels),
      path,
      inOrthanc,
      decision === undefined ? null : JSON.stringify(decision),
      doubts.length === 0 ? null : JSON.stringify(doubts),
      now,
      series,
    ],
  );
  await tx.run('UPDATE leg SET total = ? WHERE series = ? AND target = ?', [inOrthanc, series, STORAGE]);
}

/** Ends the claim: all of the series was dealt with, and the legs of the destinations that want it are open. */
export const stored = (tx: Tx, claim: Claim, done: StoreDone, now: Millis): Promise<void> =>
  ending(tx, claim, now, async () => {
    await writeStored(tx, claim, done, now);
    if (done.stored > 0) await verifyStored(tx, claim.series, STORAGE, now);
  });

async function writeStored(tx: Tx, claim: Claim, done: StoreDone, now: Millis): Promise<void> {
  await bindFolder(tx, claim, done, now);
  const { series } = claim;
  await tx.run(
    `UPDATE series SET increment = ?, stored = ?, untagged = ?, differing = ?, digest = ?, warnings = ?,
       cleaned = CASE WHEN in_orthanc > 0 THEN NULL ELSE cleaned END, reason_code = NULL, reason_message = NULL
     WHERE id = ?`,
    [
      done.increment,
      done.stored,
      done.untagged,
      done.differing ?? 0,
      done.digest,
      done.warnings === undefined || done.warnings.length === 0 ? null : JSON.stringify(done.warnings),
      series,
    ],
  );
  if (done.parts !== undefined) await storedParts(tx, done.parts);
  const images = done.stored - (done.differing ?? 0);
  await endLeg(tx, claim, done.failure, now, { done: images });
  await tx.run('DELETE FROM progress WHERE series = ? AND target = ?', [series, STORAGE]);
  const doubtful = (await tx.get('SELECT doubtful FROM series WHERE id = ?', [series]))?.['doubtful'] === 1;
  await tx.run('UPDATE series SET doubtful = NULL WHERE id = ?', [series]);
  const { increment: through } = done;
  const total = images;
  if (done.stored > 0)
    for (const target of done.targets)
      if (doubtful) await unknown(tx, { series, target, through, total }, now);
      else await openFor(tx, { series, target }, { total, increment: through }, now);
  await refresh(tx, series, now);
}

/** A destination that has everything up to this increment already is left in peace, as is one that a person gave up. */
async function openFor(
  tx: Tx,
  leg: Leg,
  { total, increment }: { readonly total: number; readonly increment: number },
  now: Millis,
): Promise<void> {
  await addLeg(tx, leg, now);
  const columns = { total, next_try: dueUnlessClaimed(now) };
  const wanted = sql(` AND through < ? AND coalesce(failure_code, '') <> '${SKIPPED}'`, increment);
  await openLeg(tx, leg, now, columns, wanted);
}

export async function quarantine(
  tx: Tx,
  claim: Claim,
  { attributes, inOrthanc, digest, reason, parts }: Quarantined,
  now: Millis,
): Promise<void> {
  await requireClaim(tx, claim);
  const { series } = claim;
  await tx.run(
    `UPDATE series SET attributes = ?, in_orthanc = ?, digest = ?, reason_code = ?, reason_message = ? WHERE id = ?`,
    [JSON.stringify(attributes), inOrthanc, digest, reason.code, reason.message, series],
  );
  if (parts !== undefined) await storedParts(tx, parts);
  // it waits for a person, not for a time
  await tx.run(
    'UPDATE leg SET claim = NULL, next_try = NULL, total = ?, updated = ? WHERE series = ? AND target = ?',
    [inOrthanc, now, series, STORAGE],
  );
  await refresh(tx, series, now);
  await sessionNews(tx, series, attributes, now);
}

/** Storing is tried at once, with the labels that a person gave. False where there is no such series. */
export async function releaseSeries(
  tx: Tx,
  series: string,
  decision: Decision | undefined,
  now: Millis,
): Promise<boolean> {
  await lockSeries(tx, series);
  const changed = await tx.run(
    'UPDATE series SET due = ?, labels = coalesce(?, labels), decision = coalesce(?, decision) WHERE id = ?',
    [
      now,
      decision === undefined ? null : JSON.stringify(decision.labels),
      decision === undefined ? null : JSON.stringify(decision),
      series,
    ],
  );
  await refresh(tx, series, now);
  return changed === 1;
}
