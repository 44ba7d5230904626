/** The one worker: claims work, does it under a lease that it renews, logs the outcome, and waits where nothing is due. */
import type { LogFields, Log } from '@scanflow/runtime';
import type { Failure } from '@scanflow/failure';
import type { Millis, Ledger, Tx, Claim } from '../ledger/tx.ts';
import { pauseUntil, type Wake } from './wake.ts';
import { giveBack, renew, nextLeg, nextTime } from '../ledger/claims.ts';
import { failureOf } from '../model/failure.ts';
import type { Clock } from '../model/settings.ts';
import type { LegWork } from '../ledger/rows.ts';

/** Outcomes that every kind of work may have. `sent`: images that a destination got meanwhile. */
type Common =
  | {
      readonly kind: 'later';
      readonly failure: Failure;
      readonly delayMs?: number;
      readonly sent?: number;
    }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'interrupted'; readonly sent?: number };

const COMMON: ReadonlySet<string> = new Set<Common['kind']>(['later', 'failed', 'interrupted']);
const isCommon = (outcome: { readonly kind: string }): outcome is Common => COMMON.has(outcome.kind);

/** One kind of work: what it does under which lease, and what the log says of it. */
export interface WorkKind<W, O extends { readonly kind: string }> {
  /** The step in metrics. */
  readonly name: string;
  readonly lease: Lease<W>;
  readonly step: (work: W, held: AbortSignal) => Promise<Common | O>;
  /** Fields of the work in every log event. */
  readonly about: (work: W) => LogFields;
  /** The messages of outcomes that every kind may have. */
  readonly says: { readonly later: string; readonly failed?: string; readonly interrupted: string };
  /** Its interruption is logged at the level debug. */
  readonly quiet?: boolean;
  /** Runs after every step, however it ended. */
  readonly after?: () => void;
  /** Logs and counts an outcome of its own; `ms` is how long the step took. */
  readonly ended: (outcome: O, about: LogFields, ms: number) => void;
}

/** Where work of one kind comes from. */
export interface Queue<W> {
  /** Claims the next work that is due. */
  readonly claim: () => Promise<W | undefined>;
  /** When the next work is due; undefined: nobody knows of any. */
  readonly nextTime: () => Promise<Millis | undefined>;
  /** Ends the wait for work. */
  readonly wake: Wake;
  /** The shortest wait in milliseconds, where work is due that another has. */
  readonly leastMs?: number;
}

export interface WorkerDeps extends LeaseDeps {
  readonly metrics: { readonly failed: (step: string, code: string) => void };
}

/** Does the next work that is due with `work`, or waits for some. */
export async function nextOf<W>(
  { claim, nextTime, wake, leastMs }: Queue<W>,
  work: (work: W) => Promise<unknown>,
  deps: WorkerDeps,
  signal: AbortSignal,
): Promise<void> {
  // counted before the look: what is notified meanwhile ends the wait
  const since = wake.count;
  const due = await claim();
  if (due === undefined) return pauseUntil(await nextTime(), wake, since, deps, signal, leastMs);
  await work(due);
}

/** Does claimed work under its lease, and logs the outcome. */
export async function workOn<W, O extends { readonly kind: string }>(
  kind: WorkKind<W, O>,
  work: W,
  deps: WorkerDeps,
  signal: AbortSignal,
): Promise<Common | O> {
  const { log, metrics } = deps;
  const began = performance.now();
  const outcome = await keepLease(kind.lease, work, deps, signal, (held) => kind.step(work, held));
  const ms = Math.round(performance.now() - began);
  kind.after?.();
  const about = kind.about(work);
  if (!isCommon(outcome)) {
    kind.ended(outcome, about, ms);
    return outcome;
  }
  const { says } = kind;
  switch (outcome.kind) {
    case 'later': {
      const { failure, kind: _, ...more } = outcome;
      metrics.failed(kind.name, failure.code);
      log.warn(says.later, { ...about, ...more, ...failure });
      break;
    }
    case 'failed':
      metrics.failed(kind.name, outcome.failure.code);
      log.error(says.failed ?? `${kind.name} failed`, { ...about, ...outcome.failure });
      break;
    case 'interrupted': {
      const { kind: _, ...more } = outcome;
      log[kind.quiet === true ? 'debug' : 'info'](says.interrupted, { ...about, ...more });
    }
  }
  return outcome;
}

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

export const legsTo = (target: string, ledger: Ledger, clock: Clock, wake: Wake): Queue<LegWork> => ({
  claim: () => ledger.write(nextLeg, target, clock.now()),
  nextTime: () => ledger.read(nextTime, target),
  wake,
});
