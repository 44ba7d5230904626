/** Fetches from servers that others use too: spread in time, and few at once from one of them. */
import { sleep } from '@scanflow/runtime';
import type { Source } from '@scanflow/sources';

/** Fetches from one server at the same time. */
const AT_ONCE = 2;
const LONGEST_JITTER_MS = 10_000;

/** Puts fetches from one host in a row; several sources share one. */
export class Queues {
  readonly #running = new Map<string, number>();
  readonly #waiting = new Map<string, (() => void)[]>();

  /** Runs the work once fewer than two others for the host run; in the order of asking. */
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
  /** Time between two passes in milliseconds: fetches begin somewhere in the first tenth of it. */
  readonly every: number;
  /** From 0 up to 1. */
  readonly random?: () => number;
}

/** The source, asked a little later by chance: otherwise all facilities would ask at the full minute. */
export function polite(source: Source, { host, queues, every, random = Math.random }: PoliteOptions): Source {
  const longest = Math.min(every / 10, LONGEST_JITTER_MS);
  return {
    async fetch(validators, signal) {
      await sleep(random() * longest, signal);
      return queues.run(host, () => source.fetch(validators, signal));
    },
  };
}
