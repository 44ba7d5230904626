/** Waiting that ends early when it is told to. */
import { setTimeout as pause } from 'node:timers/promises';

/** Resolves after `ms`, or at once (without an error) when the signal aborts. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return;
  await pause(ms, undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
    if (signal?.aborted !== true) throw error;
  });
}
