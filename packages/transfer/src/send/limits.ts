/** What an archive may hold, so that a small one cannot fill the memory, the disk or the day. */
import { messageOf } from '@scanflow/failure';

/** Why an archive is not read to its end, in words that follow its name. */
export class ArchiveError extends Error {
  override name = 'ArchiveError';
}

/** Whatever was thrown while it was read. */
export const archiveError = (error: unknown): ArchiveError =>
  error instanceof ArchiveError ? error : new ArchiveError(`it cannot be read: ${messageOf(error)}`);

/** Files in an archive. */
const ENTRIES = 1_000_000;
/** Bytes in it, unpacked. */
const BYTES = 512 * 1024 ** 3;
/** Bytes unpacked per byte packed; images compress to a third, empty ones perhaps to a hundredth. */
const RATIO = 200;
/** Below this many bytes, unpacked, the ratio is of no matter. */
const HARMLESS = 64 * 1024 ** 2;

export interface ArchiveLimits {
  readonly entries: number;
  readonly bytes: number;
  readonly ratio: number;
}
export const LIMITS: ArchiveLimits = { entries: ENTRIES, bytes: BYTES, ratio: RATIO };

/** Counts what comes out of an archive of `packed` bytes; throws ArchiveError where it is more than can be meant. */
export class ArchiveGuard {
  readonly #packed: number;
  readonly #limits: ArchiveLimits;
  #entries = 0;
  #bytes = 0;

  constructor(packed: number, limits: ArchiveLimits = LIMITS) {
    this.#packed = packed;
    this.#limits = limits;
  }

  entry(): void {
    this.#entries += 1;
    if (this.#entries > this.#limits.entries)
      throw new ArchiveError(
        `it holds more than ${this.#limits.entries} files. Unpack it, and send the folder`,
      );
  }

  unpacked(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.#limits.bytes)
      throw new ArchiveError(
        `it unpacks to more than ${this.#limits.bytes} bytes. Unpack it, and send the folder`,
      );
    if (this.#bytes > HARMLESS && this.#bytes > this.#limits.ratio * this.#packed)
      throw new ArchiveError(
        `it unpacks to more than ${this.#limits.ratio} times its size, as no archive of images does. Look at where it came from`,
      );
  }
}
