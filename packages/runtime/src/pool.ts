/** How much work runs at once in one thread: bounded by number and size, or one after the other by key. */

export interface PoolLimits<T> {
  /** Items that are worked on at a time. */
  readonly count: number;
  /** Sizes of the items at a time, added up. An item that is larger by itself goes alone. Default: no limit. */
  readonly bytes?: number;
  /** Default: 0. */
  readonly bytesOf?: (item: T) => number;
}

/**
 * Works on the items in order, as many at a time as the limits allow, and resolves with the results in the items' order.
 * After a failure no further item begins. The pool then waits for those under way, and throws the first failure.
 *
 * @param limits a number is the count
 * @example
 * ```ts
 * import { pool } from '@scanflow/runtime/pool';
 *
 * await pool(['one', 'three'], 8, (word) => Promise.resolve(word.length)); // → [3, 5]
 * ```
 */
export async function pool<T, R>(
  items: Iterable<T>,
  limits: number | PoolLimits<T>,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const {
    count,
    bytes = Infinity,
    bytesOf = () => 0,
  } = typeof limits === 'number' ? { count: limits } : limits;
  const results: R[] = [];
  const failures: unknown[] = [];
  let [underway, inFlight] = [0, 0];
  let wake = (): void => undefined;
  const oneEnds = (): Promise<void> => new Promise((resolve) => (wake = resolve));
  const run = async (item: T, index: number, size: number): Promise<void> => {
    try {
      results[index] = await work(item);
    } catch (error) {
      failures.push(error);
    }
    underway -= 1;
    inFlight -= size;
    wake();
  };
  let next = 0;
  for (const item of items) {
    const size = bytesOf(item);
    while (underway > 0 && (underway >= count || inFlight + size > bytes)) await oneEnds();
    if (failures.length > 0) break;
    underway += 1;
    inFlight += size;
    void run(item, next++, size);
  }
  while (underway > 0) await oneEnds();
  if (failures.length > 0) throw failures[0];
  return results;
}

/** Runs work with the same key one after the other, in the order of the calls, also after work that failed. */
export class KeyedQueue {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs the work once all earlier work with its key is over. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#last.get(key) ?? Promise.resolve()).then(work, work);
    this.#last.set(key, turn);
    try {
      return await turn;
    } finally {
      if (this.#last.get(key) === turn) this.#last.delete(key);
    }
  }
}
