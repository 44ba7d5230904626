/** Spans of time: how people write them, and a wait that ends early on request. */
import { setTimeout as pause } from 'node:timers/promises';
import { defined } from '@scanflow/failure/defined';

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: SECOND_MS,
  m: MINUTE_MS,
  h: HOUR_MS,
  d: DAY_MS,
};
/** A whole number and a unit. */
export const DURATION = /^(\d{1,9})(ms|s|m|h|d)$/;

/**
 * A duration in milliseconds; undefined for a text that is none.
 *
 * @example
 * ```ts
 * import { millisecondsOf } from '@scanflow/runtime/time';
 *
 * millisecondsOf('90s'); // → 90000
 * millisecondsOf('soon'); // → undefined
 * ```
 */
export function millisecondsOf(text: string): number | undefined {
  const [, amount, unit = ''] = DURATION.exec(text) ?? [];
  return amount === undefined ? undefined : Number(amount) * (UNIT_MS[unit] ?? Number.NaN);
}

/**
 * A moment for people of a facility: in its zone, with the offset.
 *
 * @example
 * ```ts
 * import { localTime } from '@scanflow/runtime/time';
 *
 * localTime('2026-11-28T08:30:12Z', 'Europe/Amsterdam'); // → '2026-11-28 09:30:12+01:00'
 * ```
 */
export const localTime = (at: Temporal.Instant | string, timezone: string): string =>
  Temporal.Instant.from(at)
    .toZonedDateTimeISO(timezone)
    .toString({ smallestUnit: 'second', offset: 'auto', timeZoneName: 'never' })
    .replace('T', ' ');

/** Node's timers fire at once when they are given more than this (about 24 days). */
const LONGEST_TIMER_MS = 2_147_483_647;

/** Resolves after `ms`, or at once (without an error) when the signal aborts. Even 0 lets others have a turn. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  let left = ms;
  do {
    if (signal?.aborted === true) return;
    const part = Math.min(Math.max(left, 0), LONGEST_TIMER_MS);
    await pause(part, undefined, defined({ signal })).catch((error: unknown) => {
      if (signal?.aborted !== true) throw error;
    });
    left -= part;
  } while (left > 0);
}
