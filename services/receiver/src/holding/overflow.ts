/** A file for a data set that is too large for memory. It has no name, so that nothing is left of it, however we end. */
import { mkdir, open, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';

/** From so many bytes on that wait to be written, nothing more is read from the peer. */
const WAITING_BYTES = 1024 * 1024;
const PIECE_BYTES = 1024 * 1024;

export class Overflow {
  readonly #folder: string;
  readonly #onRoom: () => void;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | undefined;
  #file: FileHandle | undefined;
  #failure: Error | undefined;
  #closed = false;

  /** `onRoom` is called once write() may be called again after it gave false. */
  constructor(folder: string, onRoom: () => void) {
    this.#folder = folder;
    this.#onRoom = onRoom;
  }

  /** Keeps the bytes, which must not change any more. False: enough wait to be written. */
  write(bytes: Uint8Array): boolean {
    if (this.#closed || this.#failure !== undefined) return true;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#writing ??= this.#drain();
    return this.#waitingBytes < WAITING_BYTES;
  }

  /** Resolves when all is in the file; rejects with what the disk said. */
  async written(): Promise<void> {
    await this.#writing;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** The bytes from the start, as often as asked for. */
  async *read(): AsyncGenerator<Uint8Array> {
    const file = this.#file;
    if (file === undefined) return;
    for (let at = 0; ;) {
      // a piece of its own each time: whoever got the last one may still write it
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
  // a disk that fills up takes a part first, and gives its error for the rest
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
