/**
 * Keeps a reading of a folder fresh. fs.watch tells of changes at once where the kernel sees them; looking at the
 * folder's own time stamps finds renames on network volumes, where it does not; a full reading now and then finds
 * what was written in place there.
 */
import { watch, type FSWatcher } from 'node:fs';
import { stat } from 'node:fs/promises';
import { messageOf } from '@scanflow/failure';

export interface WatchOptions {
  readonly folder: string;
  /** Reads the folder. True: something was changing, read again soon. Must not throw. */
  readonly read: () => Promise<boolean>;
  /** Called once when the kernel cannot watch the folder: changes then show within `lookMs`, or `rereadMs`. */
  readonly onUnwatched: (reason: string) => void;
  /** Milliseconds of quiet before a burst of changes is read, and the longest such wait. */
  readonly quietMs?: number;
  readonly burstMs?: number;
  /** How often the folder's time stamps are looked at, and how often every file's, in milliseconds. */
  readonly lookMs?: number;
  readonly rereadMs?: number;
}

export interface FolderWatch {
  close(): Promise<void>;
}

/** Reads once, then whenever the folder changes. Resolves after the first reading. */
export async function watchFolder(options: WatchOptions): Promise<FolderWatch> {
  const keeper = new Keeper(options);
  await keeper.readNow();
  keeper.start();
  return keeper;
}

class Keeper implements FolderWatch {
  readonly #options: Required<WatchOptions>;
  #watcher: FSWatcher | undefined;
  #watchedInode: number | undefined;
  #stamp = '';
  #readAt = 0;
  #firstEventAt: number | undefined;
  #pending: NodeJS.Timeout | undefined;
  #looking: NodeJS.Timeout | undefined;
  #reading: Promise<void> | undefined;
  #again = false;
  #closed = false;
  #complained = false;

  constructor(options: WatchOptions) {
    this.#options = { quietMs: 40, burstMs: 200, lookMs: 400, rereadMs: 10_000, ...options };
  }

  start(): void {
    this.#scheduleLook();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#pending);
    clearTimeout(this.#looking);
    this.#watcher?.close();
    await this.#reading;
  }

  /** Reads; while a reading runs, one more is made after it, for what changed behind its back. */
  readNow(): Promise<void> {
    if (this.#reading !== undefined) {
      this.#again = true;
      return this.#reading;
    }
    this.#reading = this.#readUntilQuiet().finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  async #readUntilQuiet(): Promise<void> {
    do {
      this.#again = false;
      this.#firstEventAt = undefined;
      // Before reading: what changes meanwhile differs from it at the next look.
      this.#stamp = await this.#attach();
      const unsettled = await this.#options.read();
      this.#readAt = unsettled ? -Infinity : performance.now();
    } while (this.#mustReadAgain());
  }

  #mustReadAgain(): boolean {
    return this.#again && !this.#closed;
  }

  /** Watches the folder that has the name now; gives its stamp. */
  async #attach(): Promise<string> {
    const { folder, onUnwatched } = this.#options;
    const found = await stat(folder).catch(() => undefined);
    if (found?.ino !== this.#watchedInode) {
      this.#watcher?.close();
      this.#watcher = undefined;
      this.#watchedInode = undefined;
    }
    if (found?.isDirectory() === true && this.#watcher === undefined && !this.#closed)
      try {
        this.#watcher = watch(folder, { persistent: true }, () => this.#onEvent());
        this.#watcher.on('error', () => (this.#watchedInode = undefined));
        this.#watchedInode = found.ino;
      } catch (error) {
        if (!this.#complained) onUnwatched(messageOf(error));
        this.#complained = true;
      }
    return found === undefined ? '' : `${found.dev}:${found.ino}:${found.mtimeMs}:${found.ctimeMs}`;
  }

  #onEvent(): void {
    if (this.#closed) return;
    const { quietMs, burstMs } = this.#options;
    const now = performance.now();
    this.#firstEventAt ??= now;
    const wait = Math.min(quietMs, Math.max(0, this.#firstEventAt + burstMs - now));
    clearTimeout(this.#pending);
    this.#pending = setTimeout(() => void this.readNow(), wait);
  }

  #scheduleLook(): void {
    if (this.#closed) return;
    this.#looking = setTimeout(() => void this.#look(), this.#options.lookMs);
  }

  async #look(): Promise<void> {
    const stamp = await this.#attach();
    const due = performance.now() - this.#readAt >= this.#options.rereadMs;
    if (!this.#closed && (due || stamp !== this.#stamp)) await this.readNow();
    this.#scheduleLook();
  }
}
