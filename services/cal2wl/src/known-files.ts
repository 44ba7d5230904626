/** Contents of files in folders that only this service writes: known without a look at the disk, for some minutes. */
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
  /** The look at the folders in which the file was looked at. */
  readonly look: number;
  /** When the file is looked at again, whatever the folders say. */
  readonly due: number;
}

/** What was changed in place is noticed within this time: half of it at least, so that not all come due at once. */
const LONGEST_MS = 300_000;
const MOST = 20_000;

/**
 * A file that comes, goes or is replaced changes its folder, and then all files are looked at. One that is changed in
 * place does not: each is looked at every few minutes for that. The least used are forgotten.
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

  /** To be called before each round of reading: looks whether anything came, went or was replaced. */
  async look(): Promise<void> {
    const found = await Promise.all(this.#options.folders.map(stampIfAny));
    const folders = found.join();
    if (folders !== this.#folders || found.includes(undefined)) this.#look += 1;
    this.#folders = folders;
  }

  /** Undefined where the file is missing or cannot be read. The same bytes are the same object. */
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
    // what cannot be read is as good as missing: it is written again, and that fails for all to see
    if (bytes === undefined) return undefined;
    const due = this.#clock() + LONGEST_MS * (0.5 + 0.5 * (this.#options.random ?? Math.random)());
    this.#files.set(path, { stamp, bytes, look, due });
    const [oldest] = this.#files.keys();
    if (this.#files.size > MOST && oldest !== undefined) this.#files.delete(oldest);
    return bytes;
  }

  /** To be called before a file is written: it is looked at before it is believed again. */
  forget(path: string): void {
    this.#files.delete(path);
  }
}

/** A file that cannot be looked at counts as missing. */
const stampIfAny = (path: string): Promise<string | undefined> => stampOf(path).catch(() => undefined);
