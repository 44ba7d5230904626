/** Collects what is done and hands it on in batches, one after the other. */

export class Batch<T> {
  readonly #flush: (rows: readonly T[]) => Promise<void>;
  readonly #size: number;
  #rows: T[] = [];
  #last: Promise<void> = Promise.resolve();

  constructor(size: number, flush: (rows: readonly T[]) => Promise<void>) {
    this.#size = size;
    this.#flush = flush;
  }

  async add(row: T): Promise<void> {
    this.#rows.push(row);
    if (this.#rows.length >= this.#size) await this.end();
  }

  /** Hands on what is left, and waits for all before it. */
  end(): Promise<void> {
    const rows = this.#rows;
    this.#rows = [];
    if (rows.length > 0) this.#last = this.#last.then(() => this.#flush(rows));
    return this.#last;
  }
}
