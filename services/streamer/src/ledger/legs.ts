/** A leg that is tried again, or given up. */
import type { Failure } from '../model/failure.ts';
import { ending } from './aftermath.ts';
import { hold } from './claims.ts';
import type { Claim, Millis } from './claim.ts';
import { refresh } from './progress.ts';
import type { Retry } from './rows.ts';
import type { Tx } from './tx.ts';

/** Ends the claim: the leg is tried again at `retry.nextTry`. */
export async function legLater(tx: Tx, claim: Claim, retry: Retry, now: Millis): Promise<void> {
  await hold(tx, claim);
  await tx.run(
    `UPDATE leg SET state = 'pending', claim = NULL, attempts = ?, next_try = ?, failure_code = ?,
       failure_message = ?, updated = ?
     WHERE series = ? AND target = ?`,
    retry.attempts,
    retry.nextTry,
    retry.failure.code,
    retry.failure.message,
    now,
    claim.series,
    claim.target,
  );
  await refresh(tx, claim.series, now);
}

/** Ends the claim: the leg is given up until somebody puts something right. What was done of it stays known. */
export const legFailed = (tx: Tx, claim: Claim, failure: Failure, now: Millis): Promise<void> =>
  ending(tx, claim, now, async () => {
    await hold(tx, claim);
    await tx.run(
      `UPDATE leg SET state = 'failed', claim = NULL, next_try = NULL, failure_code = ?, failure_message = ?, updated = ?
       WHERE series = ? AND target = ?`,
      failure.code,
      failure.message,
      now,
      claim.series,
      claim.target,
    );
    await refresh(tx, claim.series, now);
  });
