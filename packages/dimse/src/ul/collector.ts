/** Gathers bytes up to a limit. It grows with what has come, never with what was announced. */
export class Collector {
  #buffer = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(bytes: Uint8Array): void {
    const needed = this.#length + bytes.length;
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#buffer.length, 512));
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = needed;
  }

  /** What came so far, without copying. */
  view(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Hands over what came and starts anew. */
  take(): Buffer {
    const taken = this.view();
    this.#buffer = Buffer.alloc(0);
    this.#length = 0;
    return taken;
  }
}
