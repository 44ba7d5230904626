/** Collects what is done and hands it on in batches, one after the other. */

export class Batch<T> {
  readonly #flush: (rows: readonly T[]) => Promise<void>;
  readonly #size: number;
  readonly #withinMs: number;
  #rows: T[] = [];
  #handedOn = performance.now();
  #last: Promise<void> = Promise.resolve();

  /** What comes slowly is handed on with the first that comes `withinMs` after the last time. */
  constructor(size: number, flush: (rows: readonly T[]) => Promise<void>, withinMs = Infinity) {
    this.#size = size;
    this.#flush = flush;
    this.#withinMs = withinMs;
  }

  async add(row: T): Promise<void> {
    this.#rows.push(row);
    const late = performance.now() - this.#handedOn >= this.#withinMs;
    if (late || this.#rows.length >= this.#size) await this.end();
  }

  /** Hands on what is left, and waits for all before it. */
  end(): Promise<void> {
    const rows = this.#rows;
    this.#rows = [];
    this.#handedOn = performance.now();
    if (rows.length > 0) this.#last = this.#last.then(() => this.#flush(rows));
    return this.#last;
  }
}
