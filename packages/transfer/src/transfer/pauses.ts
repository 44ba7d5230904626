/** Pauses that grow, and end when the person does not want to wait any more. */
import { setTimeout } from 'node:timers/promises';

const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;

/** Before the attempt of that number, from 1, in milliseconds: 1, 2, 4 … at most 30 s. */
export const pauseBefore = (attempt: number): number => Math.min(FIRST_MS * 2 ** (attempt - 1), LONGEST_MS);

export async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal }).catch(() => undefined);
}
