/** How long a worker without work waits. */
import type { Clock } from '../model/settings.ts';
import type { Wake } from './wake.ts';

/** Longest wait between two looks into the ledger: the clock may have been set. */
export const LONGEST_WAIT = 5_000;

/** Until that time, or until it is woken; `since` was the wake's count before it looked for work. */
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
