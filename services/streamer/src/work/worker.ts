/** The one worker: claims work, does it under a lease that it renews, logs the outcome, and waits where nothing is due. */
import type { LogFields, Log } from '@scanflow/runtime';
import type { Failure } from '@scanflow/failure';
import { aboutSeries } from '../model/series.ts';
import type { Millis, Ledger, Tx, Claim } from '../ledger/tx.ts';
import { pauseUntil, type Wake } from './wake.ts';
import { giveBack, renew, nextLeg, nextTime } from '../ledger/claims.ts';
import { failureOf } from '../model/failure.ts';
import type { Clock } from '../model/settings.ts';
import type { LegWork } from '../ledger/rows.ts';
import { legFailed, legLater } from '../ledger/aftermath.ts';
import { policyFor, retryAfter, type RetryPolicy } from './pace.ts';

/** Outcomes that every kind of work may have. `sent`: images that a destination got meanwhile. */
export type Unfinished =
  | {
      readonly kind: 'later';
      readonly failure: Failure;
      readonly delayMs?: number;
      readonly sent?: number;
    }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'interrupted'; readonly sent?: number };

const UNFINISHED: ReadonlySet<string> = new Set<Unfinished['kind']>(['later', 'failed', 'interrupted']);
const isUnfinished = (outcome: { readonly kind: string }): outcome is Unfinished =>
  UNFINISHED.has(outcome.kind);

/** One kind of work: what it does under which lease, and what the log says of it. */
export interface WorkKind<W, O extends { readonly kind: string }> {
  /** The step in metrics. */
  readonly name: string;
  readonly lease: Lease<W>;
  readonly step: (work: W, held: AbortSignal) => Promise<Unfinished | O>;
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
interface Queue<W> {
  /** Claims the next work that is due. */
  readonly claim: () => Promise<W | undefined>;
  /** When the next work is due; undefined: nobody knows of any. */
  readonly nextTime: () => Promise<Millis | undefined>;
  /** Ends the wait for work. */
  readonly wake: Wake;
  /** The shortest wait in milliseconds, where work is due that another has. */
  readonly leastMs?: number;
}

interface WorkerDeps extends LeaseDeps {
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
): Promise<Unfinished | O> {
  const { log, metrics } = deps;
  const began = performance.now();
  const outcome = await keepLease(kind.lease, work, deps, signal, (held) => kind.step(work, held));
  const ms = Math.round(performance.now() - began);
  kind.after?.();
  const about = kind.about(work);
  if (!isUnfinished(outcome)) {
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
  about: (claim) => ({ ...aboutSeries(claim), target: claim.target }),
};

/** Part of the lease after which it is renewed: two renewals may fail before it ends. */
const PART = 1 / 3;

/**
 * Does the work with a signal that aborts when the given one does, when another streamer has taken the work over, or
 * when the lease ran out without the ledger being reached: from then on another may have it.
 */
async function keepLease<C, T>(
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

interface PutOffDeps {
  readonly ledger: Pick<Ledger, 'write'>;
  readonly clock: Clock;
  readonly settings: { readonly retry: RetryPolicy };
}

/**
 * Ends the claim of an attempt that failed: the leg is tried again as the policy for this failure says, or is given up.
 * @param attempts failures in a row, this one among them
 * @param giveUp writes that it is given up
 */
export async function putOff(
  claim: Claim,
  failure: Failure,
  attempts: number,
  { ledger, clock, settings }: PutOffDeps,
  giveUp = legFailed,
): Promise<Extract<Unfinished, { kind: 'later' | 'failed' }>> {
  const now = clock.now();
  const retry = retryAfter(failure, attempts, clock.random(), policyFor(failure, settings.retry));
  if (!retry.retry) {
    await ledger.write(giveUp, claim, failure, now);
    return { kind: 'failed', failure };
  }
  await ledger.write(legLater, claim, { attempts, nextTry: now + retry.delayMs, failure }, now);
  return { kind: 'later', failure, delayMs: retry.delayMs };
}

/** Does the next work that is due on legs to this target, or waits for some. */
export async function nextLegTo<O extends { readonly kind: string }>(
  target: string,
  kind: WorkKind<LegWork, O>,
  deps: WorkerDeps & { readonly ledger: Ledger },
  wake: Wake,
  signal: AbortSignal,
): Promise<void> {
  const { ledger, clock } = deps;
  const queue = {
    claim: () => ledger.write(nextLeg, target, clock.now()),
    nextTime: () => ledger.read(nextTime, target),
    wake,
  };
  await nextOf(queue, (work) => workOn(kind, work, deps, signal), deps, signal);
}

/** Collects what is done and hands it on in batches, one after the other: the progress of a leg. */
export class Batch<T> {
  readonly #flush: (rows: readonly T[]) => Promise<void>;
  readonly #size: number;
  readonly #withinMs: number;
  #rows: T[] = [];
  #handedOn = performance.now();
  #last: Promise<void> = Promise.resolve();

  /** What comes slowly is handed on with the first that comes `withinMs` after the last time. */
  constructor(size: number, flush: (rows: readonly T[]) => Promise<void>, withinMs = Infinity) {
    this.#size = size;
    this.#flush = flush;
    this.#withinMs = withinMs;
  }

  async add(row: T): Promise<void> {
    this.#rows.push(row);
    const late = performance.now() - this.#handedOn >= this.#withinMs;
    if (late || this.#rows.length >= this.#size) await this.end();
  }

  /** Hands on what is left, and waits for all before it. */
  end(): Promise<void> {
    const rows = this.#rows;
    this.#rows = [];
    this.#handedOn = performance.now();
    if (rows.length > 0) this.#last = this.#last.then(() => this.#flush(rows));
    return this.#last;
  }
}
