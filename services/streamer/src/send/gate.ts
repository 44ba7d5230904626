/** What a destination's rate and hours have to say before each image, and each piece of one. */
import { sleep } from '@scanflow/runtime';
import type { StoreGate } from '@scanflow/dimse';
import { fullBucket, limitOf, take, type Bucket, type Limit } from './bucket.ts';
import type { Opening } from './hours.ts';

export interface Rate {
  readonly bytesPerSecond?: number | undefined;
  readonly imagesPerMinute?: number | undefined;
}

/** One rate, kept by all that is sent to a destination at the same time. */
export class Pace {
  readonly #images: Throttle | undefined;
  readonly #bytes: Throttle | undefined;

  /** `now`: of a clock that nobody sets, in milliseconds. */
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

export interface Held {
  readonly pace: Pace | undefined;
  readonly hours: ((now: number) => Opening) | undefined;
}

/** Undefined where nothing is ever held back. */
export function gateOf({ pace, hours }: Held, now: () => number, signal: AbortSignal): StoreGate | undefined {
  if (pace === undefined && hours === undefined) return undefined;
  const open = (): boolean => !signal.aborted && (hours === undefined || hours(now()).open);
  return {
    admits: async () => {
      if (!open()) return false;
      await pace?.image(signal);
      // the hours may have ended meanwhile
      return open();
    },
    passes: async (bytes) => pace?.bytes(bytes, signal),
  };
}
