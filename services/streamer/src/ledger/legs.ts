/** The end of a claim without success: the leg is tried again, or given up. */
import type { Failure } from '@scanflow/failure';
import { ending } from './aftermath.ts';
import { hold } from './claims.ts';
import type { Claim, Millis } from './claim.ts';
import { endLeg, failureColumns, openLeg, sql } from './leg.ts';
import { refresh } from './progress.ts';
import type { Retry } from './rows.ts';
import type { Tx } from './tx.ts';

/** Ends the claim: the leg is tried again at `retry.nextTry`. */
export async function legLater(
  tx: Tx,
  claim: Claim,
  { attempts, nextTry, failure }: Retry,
  now: Millis,
): Promise<void> {
  await hold(tx, claim);
  await openLeg(tx, claim, now, { claim: null, attempts, next_try: nextTry, ...failureColumns(failure) });
  await refresh(tx, claim.series, now);
}

/** Ends the claim: the leg is given up until somebody puts something right. What was done of it stays known. */
export const legFailed = (tx: Tx, claim: Claim, failure: Failure, now: Millis): Promise<void> =>
  ending(tx, claim, now, async () => {
    await hold(tx, claim);
    await endLeg(tx, claim, failure, now, { attempts: sql('attempts') });
    await refresh(tx, claim.series, now);
  });
