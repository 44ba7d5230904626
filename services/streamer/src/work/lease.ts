/** Work under a lease: renewed while it lasts, laid down when it is lost, given back at its end. */
import type { Log, LogFields } from '@scanflow/runtime';
import { giveBack, renew } from '../ledger/claims.ts';
import { failureOf } from '../model/failure.ts';
import type { Claim, Ledger, Millis } from '../ports.ts';
import type { Tx } from '../ledger/tx.ts';
import type { Clock } from '../model/settings.ts';

export interface LeaseDeps {
  readonly ledger: Pick<Ledger, 'leaseMs' | 'write'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** How the claims of one kind of work are renewed and given back. */
export interface Lease<C> {
  /** Fields of the log event where the lease is lost. */
  readonly about: (claim: C) => LogFields;
  /** Throws LEDGER_LEASE_LOST. */
  readonly renew: (tx: Tx, claim: C, now: Millis) => Promise<void>;
  readonly giveBack: (tx: Tx, claim: C, now: Millis) => Promise<void>;
}

export const LEG_LEASE: Lease<Claim> = {
  renew,
  giveBack,
  about: ({ series, target }) => ({ series, target }),
};

/** Part of the lease after which it is renewed: two renewals may fail before it ends. */
const PART = 1 / 3;

/**
 * Does the work with a signal that aborts when the given one does, when another streamer has taken the work over, or
 * when the lease ran out without the ledger being reached: from then on another may have it.
 */
export async function keepLease<C, T>(
  lease: Lease<C>,
  claim: C,
  { ledger, clock, log }: LeaseDeps,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const lost = new AbortController();
  // a clock that nobody sets
  let renewed = performance.now();
  const renewNow = async (): Promise<void> => {
    const asked = performance.now();
    try {
      await ledger.write(lease.renew, claim, clock.now());
      renewed = asked;
    } catch (error) {
      const failure = failureOf(error);
      const over = performance.now() - renewed > ledger.leaseMs;
      if (lost.signal.aborted || (failure.code !== 'LEDGER_LEASE_LOST' && !over)) return;
      log.warn('lease lost, the work is laid down', { ...lease.about(claim), ...failure });
      lost.abort();
    }
  };
  let renewal: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    renewal = renewNow();
  }, ledger.leaseMs * PART);
  try {
    return await work(AbortSignal.any([signal, lost.signal]));
  } finally {
    clearInterval(timer);
    await renewal;
    // where the ledger cannot be reached, the lease ends by itself
    await ledger.write(lease.giveBack, claim, clock.now()).catch((error: unknown) => {
      log.debug('a claim was not given back', { error });
    });
  }
}

/** The same for a leg. */
export const underLease = <T>(
  claim: Claim,
  deps: LeaseDeps,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
  lease: Lease<Claim> = LEG_LEASE,
): Promise<T> => keepLease(lease, claim, deps, signal, work);
