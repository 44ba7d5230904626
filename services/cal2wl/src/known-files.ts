/** Caches, for some minutes, the files of folders that only this service writes. */
import { readFile } from 'node:fs/promises';
import { stampOf } from '@scanflow/records';

export interface KnownFilesOptions {
  readonly folders: readonly string[];
  /** A clock in milliseconds. */
  readonly clock?: () => number;
  /** From 0 up to 1. */
  readonly random?: () => number;
}

interface Known {
  readonly stamp: string;
  readonly bytes: Uint8Array;
  /** The look at the folders that last checked this file. */
  readonly look: number;
  /** When to check the file again, whatever the folders say. */
  readonly due: number;
}

/** A change in place shows within this time. Each file waits between half of it and all of it, to spread the checks. */
const LONGEST_MS = 300_000;
const MOST = 20_000;

/**
 * A file that comes, goes or is replaced changes its folder, and then all files are checked. A change in
 * place does not, so each file is checked every few minutes. The least used files are forgotten.
 */
export class KnownFiles {
  readonly #options: KnownFilesOptions;
  readonly #clock: () => number;
  readonly #files = new Map<string, Known>();
  #folders: string | undefined;
  #look = 0;

  constructor(options: KnownFilesOptions) {
    this.#options = options;
    this.#clock = options.clock ?? ((): number => performance.now());
  }

  /** Call it before each round of reads. It checks whether a file came, went or was replaced. */
  async look(): Promise<void> {
    const found = await Promise.all(this.#options.folders.map(stampIfAny));
    const folders = found.join();
    if (folders !== this.#folders || found.includes(undefined)) this.#look += 1;
    this.#folders = folders;
  }

  /** Undefined if the file is missing or unreadable. An unchanged file gives the same object. */
  async read(path: string): Promise<Uint8Array | undefined> {
    const known = this.#files.get(path);
    this.#files.delete(path);
    if (known?.look === this.#look && this.#clock() < known.due) {
      this.#files.set(path, known);
      return known.bytes;
    }
    const look = this.#look;
    const stamp = await stampIfAny(path);
    if (stamp === undefined) return undefined;
    const bytes = known?.stamp === stamp ? known.bytes : await readFile(path).catch(() => undefined);
    // an unreadable file counts as missing: the service writes it again, and reports if that fails
    if (bytes === undefined) return undefined;
    const due = this.#clock() + LONGEST_MS * (0.5 + 0.5 * (this.#options.random ?? Math.random)());
    this.#files.set(path, { stamp, bytes, look, due });
    const [oldest] = this.#files.keys();
    if (this.#files.size > MOST && oldest !== undefined) this.#files.delete(oldest);
    return bytes;
  }

  /** Call it before you write a file, so that the next read checks the disk. */
  forget(path: string): void {
    this.#files.delete(path);
  }
}

/** A file without a readable status counts as missing. */
const stampIfAny = (path: string): Promise<string | undefined> => stampOf(path).catch(() => undefined);
