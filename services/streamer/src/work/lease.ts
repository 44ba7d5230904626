/** Work under a lease: renewed while it lasts, laid down when it is lost, given back at its end. */
import type { Log } from '@scanflow/runtime';
import { failureOf } from '../model/failure.ts';
import type { Claim, Ledger } from '../ports.ts';
import type { Clock } from '../model/settings.ts';

export interface LeaseDeps {
  readonly ledger: Pick<Ledger, 'leaseMs' | 'renew' | 'giveBack'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Part of the lease after which it is renewed: two renewals may fail before it ends. */
const PART = 1 / 3;

/**
 * Does the work with a signal that aborts when the given one does, when another streamer has taken the work over, or
 * when the lease ran out without the ledger being reached: from then on another may have it.
 */
export async function underLease<T>(
  claim: Claim,
  { ledger, clock, log }: LeaseDeps,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const lost = new AbortController();
  // a clock that nobody sets
  let renewed = performance.now();
  const renew = async (): Promise<void> => {
    const asked = performance.now();
    try {
      await ledger.renew(claim, clock.now());
      renewed = asked;
    } catch (error) {
      const failure = failureOf(error);
      const over = performance.now() - renewed > ledger.leaseMs;
      if (lost.signal.aborted || (failure.code !== 'LEDGER_LEASE_LOST' && !over)) return;
      log.warn('lease lost, the work is laid down', {
        series: claim.series,
        target: claim.target,
        ...failure,
      });
      lost.abort();
    }
  };
  let renewal: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    renewal = renew();
  }, ledger.leaseMs * PART);
  try {
    return await work(AbortSignal.any([signal, lost.signal]));
  } finally {
    clearInterval(timer);
    await renewal;
    // where the ledger cannot be reached, the lease ends by itself
    await ledger.giveBack(claim, clock.now()).catch((error: unknown) => {
      log.debug('a claim was not given back', { error });
    });
  }
}
