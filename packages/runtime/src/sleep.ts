/** Waiting that ends early on request. */
import { setTimeout as pause } from 'node:timers/promises';

/** Node's timers fire at once when they are given more than this (about 24 days). */
const LONGEST_TIMER_MS = 2_147_483_647;

/** Resolves after `ms`, or at once (without an error) when the signal aborts. Even 0 lets others have a turn. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  let left = ms;
  do {
    if (signal?.aborted === true) return;
    const part = Math.min(Math.max(left, 0), LONGEST_TIMER_MS);
    await pause(part, undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
      if (signal?.aborted !== true) throw error;
    });
    left -= part;
  } while (left > 0);
}
