/** Waiting for work: until somebody says there is some, or a time comes. */

export class Wake {
  #waiting = new Set<() => void>();
  #count = 0;

  /** How often it was notified. Read before looking for work, it lets wait() know what happened while one looked. */
  get count(): number {
    return this.#count;
  }

  /** Ends all waits. */
  notify(): void {
    this.#count += 1;
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const go of waiting) go();
  }

  /** Resolves after `ms`, when notified (since `count` was `since`), or when the signal aborts. */
  wait(ms: number, signal: AbortSignal, since = this.#count): Promise<void> {
    if (signal.aborted || since !== this.#count) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, Math.max(0, ms));
      signal.addEventListener('abort', done, { once: true });
      this.#waiting.add(done);
    });
  }
}
