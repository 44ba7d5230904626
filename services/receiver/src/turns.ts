/** Work on one thing at a time, however many ask for it at once. */

export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Does the work once everything that was asked for under the same key is over. */
  async take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#last.get(key) ?? Promise.resolve()).then(work, work);
    this.#last.set(key, turn);
    try {
      return await turn;
    } finally {
      if (this.#last.get(key) === turn) this.#last.delete(key);
    }
  }
}
