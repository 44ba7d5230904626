/** Waiting that ends early when it is told to. */
import { setTimeout as pause } from 'node:timers/promises';

/** Node's timers fire at once when they are given more than this (about 24 days). */
const LONGEST_TIMER_MS = 2_147_483_647;

/** Resolves after `ms`, or at once (without an error) when the signal aborts. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  for (let left = ms; left > 0 && signal?.aborted !== true; left -= LONGEST_TIMER_MS)
    await pause(Math.min(left, LONGEST_TIMER_MS), undefined, signal === undefined ? {} : { signal }).catch(
      (error: unknown) => {
        if (signal?.aborted !== true) throw error;
      },
    );
}
