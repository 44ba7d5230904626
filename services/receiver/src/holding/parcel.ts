/** One data set, from its first byte until it is in Orthanc: in memory where there is room, else on disk. */
import { Overflow } from './overflow.ts';
import type { Room } from './room.ts';

/** The first block; each further one is as long as all before it, up to the longest. */
const FIRST_BLOCK = 16 * 1024;
const LONGEST_BLOCK = 1024 * 1024;

export class Parcel {
  readonly #room: Room;
  readonly #overflow: Overflow;
  #blocks: Buffer[] = [];
  /** Bytes of the last block that are in use. */
  #used = 0;
  #memory = 0;
  #disk = 0;
  #length = 0;
  #refused = false;
  #closed = false;

  constructor(room: Room, folder: string, onRoom: () => void) {
    this.#room = room;
    this.#overflow = new Overflow(folder, onRoom);
  }

  /** Bytes of the data set so far. */
  get length(): number {
    return this.#length;
  }

  /** There was no room for all of it; it cannot be read. */
  get refused(): boolean {
    return this.#refused;
  }

  /** Copies the bytes. False: the disk is behind, nothing more should come until there is room. */
  write(bytes: Uint8Array): boolean {
    if (this.#refused || this.#closed) return true;
    this.#length += bytes.length;
    const kept = this.#disk === 0 ? this.#keep(bytes) : 0;
    return kept === bytes.length || this.#spill(bytes.subarray(kept));
  }

  /** The first bytes of it, or all where it is shorter. */
  async beginning(bytes: number): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const part of this.read()) {
      parts.push(part);
      length += part.length;
      if (length >= bytes) break;
    }
    return Buffer.concat(parts).subarray(0, bytes);
  }

  /** Resolves when it can be read; rejects with what the disk said. */
  whole(): Promise<void> {
    return this.#overflow.written();
  }

  /** In memory: its pieces. Undefined where it is on disk. */
  pieces(): Buffer[] | undefined {
    if (this.#disk > 0) return undefined;
    return this.#blocks.map((block, index) =>
      index === this.#blocks.length - 1 ? block.subarray(0, this.#used) : block,
    );
  }

  /** All bytes, as often as asked for. */
  async *read(): AsyncGenerator<Uint8Array> {
    const pieces = this.pieces();
    if (pieces === undefined) yield* this.#overflow.read();
    else yield* pieces;
  }

  /** Lets go of everything. Calling it again changes nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#free();
    // what the file took is free once it is closed
    void this.#overflow.close().then(() => this.#room.give('disk', this.#disk));
  }

  #free(): void {
    this.#blocks = [];
    this.#room.give('memory', this.#memory);
    this.#memory = 0;
  }

  /** Keeps in memory as many of the bytes as there is room for; tells how many. */
  #keep(bytes: Uint8Array): number {
    let at = 0;
    while (at < bytes.length) {
      const last = this.#blocks.at(-1);
      if (last === undefined || this.#used === last.length) {
        if (!this.#grow()) return at;
        continue;
      }
      const piece = bytes.subarray(at, at + last.length - this.#used);
      last.set(piece, this.#used);
      this.#used += piece.length;
      at += piece.length;
    }
    return at;
  }

  #grow(): boolean {
    const size = Math.min(Math.max(FIRST_BLOCK, this.#memory), LONGEST_BLOCK);
    if (this.#memory + size > this.#room.each || !this.#room.take('memory', size)) return false;
    this.#memory += size;
    this.#blocks.push(Buffer.allocUnsafeSlow(size));
    this.#used = 0;
    return true;
  }

  #spill(bytes: Uint8Array): boolean {
    const before = this.#disk === 0 ? (this.pieces() ?? []) : [];
    const size = bytes.length + before.reduce((sum, { length }) => sum + length, 0);
    if (!this.#room.take('disk', size)) {
      this.#refused = true;
      this.#free();
      return true;
    }
    this.#disk += size;
    for (const piece of before) this.#overflow.write(piece);
    // the blocks count as free from here on: they are written at once
    this.#free();
    return this.#overflow.write(Buffer.from(bytes));
  }
}
