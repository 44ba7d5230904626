/** When to try again: one pure function of the failure and the attempt; and the header Retry-After (RFC 9110 10.2.3). */
import type { Failure } from '@scanflow/failure';

export interface RetryPolicy {
  /** Wait after the first failure, in milliseconds. */
  readonly firstMs: number;
  /** Longest wait, in milliseconds. */
  readonly capMs: number;
  /** Given up once it has been tried in vain for this long; never where absent. */
  readonly giveUpMs?: number;
}

export const DEFAULT_RETRY: RetryPolicy = { firstMs: 5_000, capMs: 3_600_000 };

type Retry = { readonly retry: true; readonly delayMs: number } | { readonly retry: false };

/**
 * Doubles the wait with each attempt up to the cap, and spreads it by ±20 % so that many waits do not end at
 * once. A transient or ambiguous failure is tried for ever, unless the policy says when to give up. (A C-STORE whose outcome
 * is unknown may be repeated: the receiver knows the instance by its SOP Instance UID.)
 * @param attempt 1 for the first failure in a row
 * @param jitter a random number from 0 to 1
 *
 * @example
 * ```ts
 * import { retryAfter } from './retry.ts';
 *
 * retryAfter({ kind: 'transient' }, 3, 0.5); // → { retry: true, delayMs: 20_000 }
 * retryAfter({ kind: 'permanent' }, 1, 0.5); // → { retry: false }
 * ```
 */
export function retryAfter(
  failure: Pick<Failure, 'kind'>,
  attempt: number,
  jitter: number,
  policy: RetryPolicy = DEFAULT_RETRY,
): Retry {
  if (failure.kind === 'permanent') return { retry: false };
  if (policy.giveUpMs !== undefined && triedFor(attempt, policy) >= policy.giveUpMs) return { retry: false };
  const doublings = Math.min(Math.max(attempt, 1) - 1, 40);
  const base = Math.min(policy.firstMs * 2 ** doublings, policy.capMs);
  const spread = 0.8 + 0.4 * Math.min(Math.max(jitter, 0), 1);
  return { retry: true, delayMs: Math.round(base * spread) };
}

/** The waits before this attempt, without their spread: so time in which nothing was tried does not count. */
export function triedFor(attempt: number, { firstMs, capMs }: RetryPolicy): number {
  const waits = Math.max(attempt, 1) - 1;
  const doubling = Math.min(waits, Math.max(0, Math.ceil(Math.log2(capMs / firstMs))));
  return firstMs * (2 ** doubling - 1) + (waits - doubling) * capMs;
}

const SPACE_MS = 60_000;
const ROOT_MS = 15_000;

/** What only waits for free space, or for the right root, looks often: a look costs nobody anything. */
export function policyFor({ code }: Pick<Failure, 'code'>, policy: RetryPolicy): RetryPolicy {
  const longest =
    code === 'STORE_SPACE_FLOOR' ? SPACE_MS : code.startsWith('STORE_ROOT_') ? ROOT_MS : undefined;
  return longest === undefined ? policy : { ...policy, capMs: Math.min(policy.capMs, longest) };
}

const LONGEST_MS = 86_400_000;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** IMF-fixdate (RFC 9110 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`. */
const MOMENT = /^\w{3}, (\d\d) (\w{3}) (\d{4}) (\d\d:\d\d:\d\d) GMT$/;

/** The wait it asks for in milliseconds, at most a day; undefined where it says nothing that can be read. */
export function retryAfterMs(value: string | null, now: number): number | undefined {
  const text = value?.trim() ?? '';
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : untilMoment(text, now);
  return ms === undefined ? undefined : Math.min(Math.max(ms, 0), LONGEST_MS);
}

function untilMoment(text: string, now: number): number | undefined {
  const [, day, name, year, time] = MOMENT.exec(text) ?? [];
  const month = MONTHS.indexOf(name ?? '') + 1;
  if (month === 0) return undefined;
  try {
    const iso = `${year}-${String(month).padStart(2, '0')}-${day}T${time}Z`;
    return Temporal.Instant.from(iso).epochMilliseconds - now;
  } catch {
    return undefined;
  }
}
