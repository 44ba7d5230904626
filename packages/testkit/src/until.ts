/** Waiting for a condition instead of sleeping. */
import { setTimeout as pause } from 'node:timers/promises';

export interface UntilOptions {
  /** What is waited for: it stands in the error. */
  readonly what: string;
  /** Longest wait in milliseconds. */
  readonly timeoutMs: number;
  /** Pause between two looks in milliseconds. */
  readonly everyMs?: number;
}

/** Looks until `check` gives something other than undefined or false; throws with `what` when time is up. */
export async function until<T>(
  check: () => Promise<T | undefined | false> | T | undefined | false,
  { what, timeoutMs, everyMs = 20 }: UntilOptions,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await check();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
    await pause(everyMs);
  }
}
