/**
 * Files opened for reading: through the thread pool, or in place, which takes less time and processor. And buffers
 * that are used again and again: making one per file costs more than reading the file.
 */
import { closeSync, fstatSync, openSync, readSync, readvSync, type Stats } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { FailureError, failureIn, permanent, transient } from '@scanflow/failure';

/** It is read in order, each byte once. */
export interface OpenFile {
  readonly size: number;
  /** Of a file on disk, as it was when it was opened. */
  readonly stat?: Stats;
  /** Fills the buffer's first `length` bytes from `position`; gives fewer only at the file's end. */
  read(buffer: Buffer, length: number, position: number): Promise<number> | number;
  /** The same with several buffers, all of them in order, where that takes one call. */
  scatter?(buffers: readonly Buffer[], position: number): Promise<number> | number;
  close(): void;
}

/** So many bytes are read in place before the rest of the process has its turn: timers, responses, signals. */
const TURN = 8_388_608;

/**
 * Opens a file. `inPlace`: it is read without the thread pool; nothing else happens in the process while a piece is read.
 * Throws FailureError FILE_UNREADABLE.
 */
export function openFile(path: string, inPlace: boolean): Promise<OpenFile> | OpenFile {
  if (!inPlace) return openPooled(path);
  try {
    const fd = openSync(path, 'r');
    const stat = fstatSync(fd);
    if (stat.isFile()) return inPlaceFile(fd, stat);
    closeSync(fd);
  } catch (error) {
    throw unreadable(error);
  }
  return openPooled(path);
}

function inPlaceFile(fd: number, stat: Stats): OpenFile {
  let turn = 0;
  return {
    size: stat.size,
    stat,
    read(buffer, length, position) {
      let filled = 0;
      while (filled < length) {
        const count = readSync(fd, buffer, filled, length - filled, position + filled);
        if (count === 0) break;
        filled += count;
      }
      return filled;
    },
    scatter(buffers, position) {
      let filled = 0;
      for (let rest = buffers; rest.length > 0; rest = behind(buffers, filled)) {
        const count = readvSync(fd, rest, position + filled);
        if (count === 0) break;
        filled += count;
      }
      turn += filled;
      if (turn < TURN) return filled;
      turn = 0;
      return setImmediate(filled);
    },
    close: () => closeSync(fd),
  };
}

async function openPooled(path: string): Promise<OpenFile> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    return pooledFile(handle, await handle.stat());
  } catch (error) {
    await handle?.close();
    throw unreadable(error);
  }
}

function pooledFile(handle: FileHandle, stat: Stats): OpenFile {
  return {
    size: stat.size,
    stat,
    async read(buffer, length, position) {
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await handle.read(buffer, filled, length - filled, position + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return filled;
    },
    async scatter(buffers, position) {
      let filled = 0;
      for (let rest = buffers; rest.length > 0; rest = behind(buffers, filled)) {
        const { bytesRead } = await handle.readv(rest, position + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return filled;
    },
    // what was read counts; nothing was written that a failing close could lose
    close: () => void handle.close().catch(() => undefined),
  };
}

/** What is left of the buffers once so many bytes of them are filled. */
function behind(buffers: readonly Buffer[], filled: number): Buffer[] {
  let at = filled;
  return buffers.flatMap((buffer) => {
    const rest = buffer.subarray(at);
    at = Math.max(0, at - buffer.length);
    return rest.length === 0 ? [] : rest;
  });
}

/** Missing and forbidden files stay so until someone acts; the rest (EIO, ESTALE, EMFILE) may pass. */
export function unreadable(error: unknown): FailureError {
  const failure = failureIn(error);
  if (failure !== undefined) return error instanceof FailureError ? error : new FailureError(failure, error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  const lasting = ['ENOENT', 'EACCES', 'EPERM', 'EISDIR', 'ENOTDIR'].includes(code);
  const message = `The file cannot be read: ${code}. Check that it exists and may be read.`;
  return new FailureError((lasting ? permanent : transient)('FILE_UNREADABLE', message), error);
}

/** The file's bytes are not those that were announced. */
export const changed = (why: string): FailureError =>
  new FailureError(
    permanent('FILE_CHANGED', `The file is not what it was: ${why}. Check where it came from.`),
  );

/** Of each buffer, in bytes; even. A file up to this size is read at once. */
export const SLOT = 262_144;
/** Files up to this size get memory of their own. */
const SMALL = 16_384;
/** Buffers kept while nobody uses them. */
const KEPT = 8;

/** Buffers that are used again and again: making one per file costs more than reading the file. */
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
