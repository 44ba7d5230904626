/** The line of work: so many at once, more wait, and one at a time for each key. Bounded. */
import { FailureError, transient } from '@scanflow/failure';

interface Waiting {
  readonly key: string;
  readonly begin: () => void;
}

export interface Line {
  /** Runs the work in its turn. Rejects with BIDS_BUSY where too many wait, and with the signal's reason where it aborts before. */
  run<T>(key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T>;
  readonly running: () => readonly string[];
  readonly waiting: () => number;
}

/** @param most how many may wait */
export function createLine(parallel: number, most: number): Line {
  const running = new Set<string>();
  let waiting: readonly Waiting[] = [];
  const next = (): void => {
    const free = waiting.find(({ key }) => !running.has(key));
    if (running.size >= parallel || free === undefined) return;
    waiting = waiting.filter((one) => one !== free);
    running.add(free.key);
    free.begin();
  };
  const turn = (key: string, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const one: Waiting = {
        key,
        begin: () => {
          signal.removeEventListener('abort', leave);
          resolve();
        },
      };
      const leave = (): void => {
        waiting = waiting.filter((other) => other !== one);
        reject(new Error('left the line', { cause: signal.reason }));
      };
      signal.addEventListener('abort', leave, { once: true });
      waiting = [...waiting, one];
      next();
    });
  return {
    running: () => [...running],
    waiting: () => waiting.length,
    run: async (key, signal, work) => {
      signal.throwIfAborted();
      if (waiting.length >= most) throw new FailureError(FULL);
      await turn(key, signal);
      try {
        return await work();
      } finally {
        running.delete(key);
        // one that ends may free its key and its place
        next();
      }
    },
  };
}

const FULL = transient(
  'BIDS_BUSY',
  'Too many sessions wait for the bids service. This one is tried again by itself; raise bids.parallel if it stays so.',
);
