/** Spreads fetches in time and limits those to one server, because others use the servers too. */
import { sleep } from '@scanflow/runtime';
import type { Source } from '@scanflow/sources';

/** Most fetches from one server at the same time. */
const AT_ONCE = 2;
const LONGEST_JITTER_MS = 10_000;

/** Queues fetches by host. All sources share one instance. */
export class Queues {
  readonly #running = new Map<string, number>();
  readonly #waiting = new Map<string, (() => void)[]>();

  /** Runs the work once fewer than two others run for the host, in the order of the calls. */
  async run<T>(host: string, work: () => Promise<T>): Promise<T> {
    const running = this.#running.get(host) ?? 0;
    if (running < AT_ONCE) this.#running.set(host, running + 1);
    else
      await new Promise<void>((resolve) => {
        this.#waiting.set(host, [...(this.#waiting.get(host) ?? []), resolve]);
      });
    try {
      return await work();
    } finally {
      const next = this.#waiting.get(host)?.shift();
      if (next === undefined) this.#running.set(host, (this.#running.get(host) ?? 1) - 1);
      else next(); // it takes the place over
    }
  }
}

export interface PoliteOptions {
  readonly host: string;
  readonly queues: Queues;
  /** Time between two passes in milliseconds. A fetch begins in the first tenth of it. */
  readonly every: number;
  /** From 0 up to 1. */
  readonly random?: () => number;
}

/** Delays each fetch at random: otherwise all facilities would fetch at the full minute. */
export function polite(source: Source, { host, queues, every, random = Math.random }: PoliteOptions): Source {
  const longest = Math.min(every / 10, LONGEST_JITTER_MS);
  return {
    async fetch(validators, signal) {
      await sleep(random() * longest, signal);
      return queues.run(host, () => source.fetch(validators, signal));
    },
  };
}
