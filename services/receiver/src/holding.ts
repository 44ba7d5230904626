/** Data sets on their way to Orthanc: in memory while there is room, otherwise on disk, and never more than the limits. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

/** The first block; each further one is as long as all before it, up to the longest. */
const FIRST_BLOCK = 16 * 1024;
const LONGEST_BLOCK = 1024 * 1024;

/** One data set, from its first byte until it is in Orthanc. */
export class Parcel {
  readonly #room: Room;
  readonly #overflow: Overflow;
  #blocks: Buffer[] = [];
  /** Bytes in use of the last block. */
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

  /** There was no room for all of it, so it cannot be read. */
  get refused(): boolean {
    return this.#refused;
  }

  /** Copies the bytes. False: the disk is behind, and nothing more should come until `onRoom`. */
  write(bytes: Uint8Array): boolean {
    if (this.#refused || this.#closed) return true;
    this.#length += bytes.length;
    const kept = this.#disk === 0 ? this.#keep(bytes) : 0;
    return kept === bytes.length || this.#spill(bytes.subarray(kept));
  }

  /** The first bytes, or all if it is shorter. */
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

  /** Resolves when it can be read. Rejects with the error of the disk. */
  whole(): Promise<void> {
    return this.#overflow.written();
  }

  /** Its pieces; undefined if it is on disk. */
  pieces(): Buffer[] | undefined {
    if (this.#disk > 0) return undefined;
    return this.#blocks.map((block, index) =>
      index === this.#blocks.length - 1 ? block.subarray(0, this.#used) : block,
    );
  }

  /** All bytes. May be called again. */
  async *read(): AsyncGenerator<Uint8Array> {
    const pieces = this.pieces();
    if (pieces === undefined) yield* this.#overflow.read();
    else yield* pieces;
  }

  /** Frees everything. A second call does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#free();
    // the file's bytes are free once it is closed
    void this.#overflow.close().then(() => this.#room.give('disk', this.#disk));
  }

  #free(): void {
    this.#blocks = [];
    this.#room.give('memory', this.#memory);
    this.#memory = 0;
  }

  /** Keeps in memory as many of the bytes as there is room for; returns how many. */
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

/** When so many bytes wait to be written, nothing more is read from the peer. */
const WAITING_BYTES = 1024 * 1024;
const PIECE_BYTES = 1024 * 1024;

/** A file for a data set that is too large for memory. It has no name, so that nothing is left of it, however we end. */
class Overflow {
  readonly #folder: string;
  readonly #onRoom: () => void;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | undefined;
  #file: FileHandle | undefined;
  #failure: Error | undefined;
  #closed = false;

  /** `onRoom` is called once write() may be called again after it returned false. */
  constructor(folder: string, onRoom: () => void) {
    this.#folder = folder;
    this.#onRoom = onRoom;
  }

  /** Keeps the bytes, which must not change. False: enough bytes wait to be written. */
  write(bytes: Uint8Array): boolean {
    if (this.#closed || this.#failure !== undefined) return true;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#writing ??= this.#drain();
    return this.#waitingBytes < WAITING_BYTES;
  }

  /** Resolves when all is in the file. Rejects with the error of the disk. */
  async written(): Promise<void> {
    await this.#writing;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** The bytes from the start. May be called again. */
  async *read(): AsyncGenerator<Uint8Array> {
    const file = this.#file;
    if (file === undefined) return;
    for (let at = 0; ;) {
      // a new piece each time: the last one may still be on its way
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(PIECE_BYTES), 0, PIECE_BYTES, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#waiting = [];
    await this.#writing;
    await this.#file?.close();
  }

  async #drain(): Promise<void> {
    try {
      this.#file ??= await unnamed(this.#folder);
      while (this.#waiting.length > 0) {
        const pieces = this.#waiting;
        this.#waiting = [];
        await writeAll(this.#file, pieces);
        this.#waitingBytes = this.#waiting.reduce((sum, { length }) => sum + length, 0);
      }
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error));
      this.#waiting = [];
      this.#waitingBytes = 0;
    } finally {
      this.#writing = undefined;
      this.#onRoom();
    }
  }
}

async function writeAll(file: FileHandle, pieces: readonly Uint8Array[]): Promise<void> {
  let { bytesWritten: done } = await file.writev([...pieces]);
  const total = pieces.reduce((sum, { length }) => sum + length, 0);
  if (done === total) return;
  // a disk that fills up takes a part first, and fails for the rest
  const all = Buffer.concat(pieces);
  while (done < total) done += (await file.write(all, done)).bytesWritten;
}

async function unnamed(folder: string): Promise<FileHandle> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, randomUUID());
  const file = await open(path, 'wx+', 0o600);
  await unlink(path);
  return file;
}

/** How much the receiver holds at most of what is not in Orthanc yet. */
interface RoomLimits {
  /** Bytes in memory, of all data sets and of one. */
  readonly memoryBytes: number;
  readonly memoryBytesEach: number;
  /** Bytes on disk, of all data sets. */
  readonly diskBytes: number;
}

export const ROOM: RoomLimits = {
  memoryBytes: 128 * 1024 * 1024,
  memoryBytesEach: 8 * 1024 * 1024,
  diskBytes: 64 * 1024 * 1024 * 1024,
};

type Place = 'memory' | 'disk';

/** Counts what is in each place. */
export class Room {
  readonly #most: Readonly<Record<Place, number>>;
  readonly #held: Record<Place, number> = { memory: 0, disk: 0 };
  /** Bytes of one data set that may lie in memory. */
  readonly each: number;

  constructor({ memoryBytes, memoryBytesEach, diskBytes }: RoomLimits) {
    this.#most = { memory: memoryBytes, disk: diskBytes };
    this.each = memoryBytesEach;
  }

  held(place: Place): number {
    return this.#held[place];
  }

  /** False: there is no room, and nothing was taken. */
  take(place: Place, bytes: number): boolean {
    if (this.#held[place] + bytes > this.#most[place]) return false;
    this.#held[place] += bytes;
    return true;
  }

  give(place: Place, bytes: number): void {
    this.#held[place] -= bytes;
  }
}
