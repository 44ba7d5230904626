/** One reading for all who ask between two changes, so that a hundred pages that load at the same moment ask once. */

export interface SharedOptions {
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Differs after each change; undefined while changes may go unheard. */
  readonly revision: () => number | undefined;
}

/** Should a change go unheard against all odds, nobody sees the old state for longer. */
const FRESH_MS = 10_000;

/**
 * Between two changes all get the same answer, the same object, so that pages of it are made once. `isWhole`: whether an answer may
 * be kept; one that lacks a part is looked at again. A reading that fails is not kept.
 */
export function shared<T>(
  read: () => Promise<T>,
  { now, revision }: SharedOptions,
  isWhole: (answer: T) => boolean,
): () => Promise<T> {
  let running: { readonly revision: number | undefined; readonly answer: Promise<T> } | undefined;
  let fresh: { readonly revision: number; readonly at: number; readonly answer: T } | undefined;
  return () => {
    const current = revision();
    if (fresh !== undefined && fresh.revision === current && now() - fresh.at < FRESH_MS)
      return Promise.resolve(fresh.answer);
    // one that began before the change may not know it
    if (running !== undefined && running.revision === current) return running.answer;
    const at = now();
    const mine = {
      revision: current,
      answer: read().then((answer) => {
        if (current !== undefined && isWhole(answer)) fresh = { revision: current, at, answer };
        return answer;
      }),
    };
    running = mine;
    const done = (): void => {
      if (running === mine) running = undefined;
    };
    mine.answer.then(done, done);
    return mine.answer;
  };
}
