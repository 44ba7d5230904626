/** A rate limit: a bucket that fills evenly, and from which everything that passes is taken. */

export interface Limit {
  /** What comes into the bucket in a millisecond. */
  readonly perMs: number;
  /** What it holds at most: so much passes at once after a pause. */
  readonly burst: number;
}

export interface Bucket {
  /** Below zero: what has been taken in advance. */
  readonly level: number;
  /** When that was, in milliseconds of a clock that nobody sets. */
  readonly at: number;
}

/** One second's worth passes at once, one whole thing at least. */
export const limitOf = (perSecond: number): Limit => ({
  perMs: perSecond / 1000,
  burst: Math.max(perSecond, 1),
});

export const fullBucket = ({ burst }: Limit, now: number): Bucket => ({ level: burst, at: now });

/**
 * Takes an amount, and says how long whoever took it has to wait before it may pass. It is taken at once, so that
 * whoever asks next waits behind it; an amount larger than the bucket waits longer. So by the time that the last of
 * `total` passes, at least (total - burst) / perMs have gone by.
 */
export function take(
  { level, at }: Bucket,
  { perMs, burst }: Limit,
  amount: number,
  now: number,
): { readonly bucket: Bucket; readonly waitMs: number } {
  const filled = Math.min(burst, level + perMs * Math.max(0, now - at));
  const left = filled - amount;
  return { bucket: { level: left, at: Math.max(at, now) }, waitMs: left >= 0 ? 0 : -left / perMs };
}
