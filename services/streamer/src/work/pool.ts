/** Bounded concurrency, by number and by bytes. */

export interface PoolLimits {
  readonly count: number;
  /** Orthanc may hold each file that it serves in memory; a single bigger one goes alone. */
  readonly bytes: number;
}

/**
 * Runs `work` on each item in order, as many at a time as the limits allow. When one throws, no further one
 * begins, those underway are awaited, and the first error is thrown.
 */
export async function pool<T>(
  items: readonly T[],
  bytesOf: (item: T) => number,
  { count, bytes }: PoolLimits,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const underway = new Set<Promise<void>>();
  let inFlight = 0;
  const failures: unknown[] = [];
  for (const item of items) {
    const size = bytesOf(item);
    while (underway.size > 0 && (underway.size >= count || inFlight + size > bytes))
      await Promise.race(underway);
    if (failures.length > 0) break;
    inFlight += size;
    const task = work(item)
      .catch((error: unknown) => void failures.push(error))
      .finally(() => {
        inFlight -= size;
        underway.delete(task);
      });
    underway.add(task);
  }
  await Promise.all(underway);
  if (failures.length > 0) throw failures[0];
}
