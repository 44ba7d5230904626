/** Buffers that are used again and again: making one per file costs more than reading the file. */

/** Of each buffer, in bytes; even. A file up to this size is read at once. */
export const SLOT = 262_144;
/** Files up to this size get memory of their own. */
const SMALL = 16_384;
/** Buffers kept while nobody uses them. */
const KEPT = 8;

export class Buffers {
  readonly #bytes: number;
  readonly #free: Buffer[] = [];

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  /** The one that was given back last: the likeliest to be in the processor's cache. */
  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#bytes);
  }

  /** Room for a file's first bytes; give it back with give(). */
  forFile(size: number): Buffer {
    return size <= SMALL ? Buffer.allocUnsafeSlow(size) : this.take();
  }

  give(buffer: Buffer): void {
    if (buffer.length === this.#bytes && this.#free.length < KEPT) this.#free.push(buffer);
  }
}
