/** Waits: for work that somebody reports, for a time, and for what a rate lets pass. */
import type { Clock } from '../model/settings.ts';
import { sleep } from '@scanflow/runtime';
import { type Bucket, fullBucket, type Limit, limitOf, type Rate, take } from './pace.ts';

export class Wake {
  #waiting = new Set<() => void>();
  #count = 0;

  /** How often it was notified. Read it before you look for work: wait() then knows of notifications during the look. */
  get count(): number {
    return this.#count;
  }

  /** Ends all waits. */
  notify(): void {
    this.#count += 1;
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const go of waiting) go();
  }

  /** Resolves after `ms`, when notified (since `count` was `since`), or when the signal aborts. */
  wait(ms: number, signal: AbortSignal, since = this.#count): Promise<void> {
    if (signal.aborted || since !== this.#count) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, Math.max(0, ms));
      signal.addEventListener('abort', done, { once: true });
      this.#waiting.add(done);
    });
  }
}

/** Longest wait between two looks into the ledger: the clock may have been set. */
export const LONGEST_WAIT = 5_000;

/** Waits until that time, or until it is woken. `since`: the wake's count before the look for work. */
export function pauseUntil(
  time: number | undefined,
  wake: Wake,
  since: number,
  { clock }: { readonly clock: Clock },
  signal: AbortSignal,
  leastMs = 1,
): Promise<void> {
  const wait = time === undefined ? LONGEST_WAIT : Math.min(time - clock.now(), LONGEST_WAIT);
  return wake.wait(Math.max(wait, leastMs), signal, since);
}

/** One rate, which all connections to a destination share. */
export class Pace {
  readonly #images: Throttle | undefined;
  readonly #bytes: Throttle | undefined;

  /** `now`: milliseconds of a monotonic clock. */
  constructor({ bytesPerSecond, imagesPerMinute }: Rate, now: () => number = () => performance.now()) {
    this.#images =
      imagesPerMinute === undefined ? undefined : new Throttle(limitOf(imagesPerMinute / 60), now);
    this.#bytes = bytesPerSecond === undefined ? undefined : new Throttle(limitOf(bytesPerSecond), now);
  }

  /** Waits until one more image may be sent, or the signal aborts. */
  async image(signal: AbortSignal): Promise<void> {
    await this.#images?.pass(1, signal);
  }

  /** Waits until so many bytes more may be sent, or the signal aborts. */
  async bytes(count: number, signal: AbortSignal): Promise<void> {
    await this.#bytes?.pass(count, signal);
  }
}

class Throttle {
  readonly #limit: Limit;
  readonly #now: () => number;
  #bucket: Bucket;

  constructor(limit: Limit, now: () => number) {
    this.#limit = limit;
    this.#now = now;
    this.#bucket = fullBucket(limit, now());
  }

  async pass(amount: number, signal: AbortSignal): Promise<void> {
    const { bucket, waitMs } = take(this.#bucket, this.#limit, amount, this.#now());
    this.#bucket = bucket;
    if (waitMs > 0) await sleep(waitMs, signal);
  }
}
