/** When passes run, never two at once, and when each fetch of a pass begins: spread in time, because others use the servers too. */
import { sleep } from '@scanflow/runtime';
import cron from 'node-cron';
import type { Source } from '@scanflow/sources';

export interface ScheduleOptions {
  /** Milliseconds between the starts of two passes. */
  readonly every: number;
  /** A cron expression in `zone`, which replaces `every`. */
  readonly cron?: string | undefined;
  readonly zone: string;
  /** One pass; it never throws. */
  readonly run: () => Promise<void>;
  readonly signal: AbortSignal;
}

/** Runs passes until the signal aborts; resolves when the last one has ended. */
export async function keepRunning(options: ScheduleOptions): Promise<void> {
  const { every, cron: expression, run, signal } = options;
  if (expression !== undefined) return byCron(expression, options);
  while (!signal.aborted) {
    const began = performance.now();
    await run();
    await sleep(Math.max(0, every - (performance.now() - began)), signal);
  }
}

/** How far ahead the schedule looks for the next pass. A changed clock counts within this time. */
const AHEAD_SECONDS = 60;

/** Runs a pass at each second that the expression names, except while another pass runs. */
async function byCron(expression: string, { zone, run, signal }: ScheduleOptions): Promise<void> {
  const matches = matcher(expression, zone);
  const now = (): number => Temporal.Now.instant().epochMilliseconds / 1000;
  const isStopped = (): boolean => signal.aborted;
  await run();
  for (let last = Math.floor(now()); !isStopped();) {
    const next = nextSecond(matches, last, AHEAD_SECONDS);
    const until = next ?? last + AHEAD_SECONDS;
    await sleep(Math.max(0, (until - now()) * 1000), signal);
    if (next !== undefined && !isStopped()) await run();
    // a timer may be a millisecond early; after a clock was set back, the search starts again
    const after = now();
    last = after < until - 1 ? Math.floor(after) : Math.max(until, Math.floor(after));
  }
}

/** The first of the seconds after `from` that matches, at most `ahead` later. */
export function nextSecond(
  matches: (second: number) => boolean,
  from: number,
  ahead: number,
): number | undefined {
  for (let second = from + 1; second <= from + ahead; second += 1) if (matches(second)) return second;
  return undefined;
}

/**
 * Whether an expression names a second since 1970. node-cron's own timers skip the hour that comes twice when
 * clocks go back; this function accepts both hours.
 */
export function matcher(expression: string, zone: string): (second: number) => boolean {
  const task = cron.createTask(expression, () => undefined, { timezone: zone });
  // node-cron takes only Date
  return (second) => task.match(new globalThis.Date(second * 1000));
}

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

interface PoliteOptions {
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
  const { answer } = source;
  return {
    ...(answer === undefined
      ? {}
      : { answer: (answering, signal) => queues.run(host, () => answer(answering, signal)) }),
    async fetch(validators, signal) {
      await sleep(random() * longest, signal);
      return queues.run(host, () => source.fetch(validators, signal));
    },
  };
}
