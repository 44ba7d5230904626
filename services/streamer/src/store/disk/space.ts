/** How much of a file system stays free; the round that reports it to /healthz. */
import { statfs } from 'node:fs/promises';
import { FailureError, transient } from '@scanflow/failure';
import type { Log } from '@scanflow/runtime';
import type { LowSpace, Store } from '../types.ts';
import type { Condition } from '../../work/condition.ts';
import { Wake } from '../../work/wake.ts';

/** What stays free, in bytes or as part of the whole. */
export type Floor = { readonly bytes: number } | { readonly fraction: number };

interface Space {
  /** Bytes that this process may still write. */
  readonly free: number;
  readonly floor: number;
}

async function spaceOf(path: string, floor: Floor): Promise<Space> {
  const { bavail, bsize, blocks } = await statfs(path);
  return {
    free: bavail * bsize,
    floor: 'bytes' in floor ? floor.bytes : floor.fraction * blocks * bsize,
  };
}

/** One that is not mounted has no space to speak of: that shows otherwise. */
export async function lowOnSpace(
  roots: readonly string[],
  floor: Floor | undefined,
): Promise<readonly LowSpace[]> {
  if (floor === undefined) return [];
  const spaces = await Promise.all(
    roots.map(async (root) => {
      const space = await spaceOf(root, floor).catch(() => undefined);
      return space === undefined || space.free >= space.floor ? [] : [{ root, ...space }];
    }),
  );
  return spaces.flat();
}

/** What is about to be written to a root's disk, so that images that come side by side do not each take the same space. */
export class SpaceKeeper {
  readonly #floor: Floor | undefined;
  #promised = 0;

  constructor(floor: Floor | undefined) {
    this.#floor = floor;
  }

  /** Throws STORE_SPACE_FLOOR where that many bytes more would leave less than the floor. */
  async require(path: string, bytes: number): Promise<void> {
    await this.#require(path, bytes + this.#promised);
  }

  /** As `require`, and nobody else is promised these bytes until they are written, or the promise ends. */
  async promise(path: string, bytes: number): Promise<Promised> {
    if (this.#floor === undefined) return { wrote: () => Promise.resolve(), end: () => undefined };
    const needed = bytes + this.#promised;
    this.#promised += bytes;
    let [left, unseen] = [bytes, 0];
    const take = (count: number): void => {
      const taken = Math.min(count, left);
      left -= taken;
      this.#promised -= taken;
    };
    const end = (): void => {
      take(left);
    };
    try {
      await this.#require(path, needed);
    } catch (error) {
      end();
      throw error;
    }
    const wrote = async (count: number): Promise<void> => {
      take(count);
      unseen += count;
      if (unseen < LOOK_AGAIN) return;
      unseen = 0;
      await this.#require(path, left);
    };
    return { wrote, end };
  }

  async #require(path: string, bytes: number): Promise<void> {
    if (this.#floor === undefined) return;
    const space = await spaceOf(path, this.#floor);
    if (space.free - bytes < space.floor) throw new FailureError(TOO_LITTLE);
  }
}

/** Space for one file. */
interface Promised {
  /** So many more bytes are written. Throws STORE_SPACE_FLOOR where the rest no longer fits, as others write there too. */
  readonly wrote: (count: number) => Promise<void>;
  readonly end: () => void;
}

/** Within a large file, the space is looked at again after so many bytes. */
const LOOK_AGAIN = 64 * 1024 * 1024;

const TOO_LITTLE = transient(
  'STORE_SPACE_FLOOR',
  'Storing waits: less would stay free than storage.freeSpace says. Free space, or lower it; storing goes on by itself.',
);

const EVERY_MS = 10_000;

interface SpaceDeps {
  readonly store: Store;
  readonly copies?: Store | undefined;
  readonly condition: Condition;
  readonly log: Log;
}

export async function watchSpace(
  { store, copies, condition, log }: SpaceDeps,
  signal: AbortSignal,
): Promise<void> {
  const low = [...(await store.lowOnSpace()), ...((await copies?.lowOnSpace()) ?? [])];
  if (condition.lowOnSpace(low)) {
    if (low.length === 0) log.info('enough free space again');
    for (const space of low)
      log.error('storing waits for free space', { code: 'STORE_SPACE_FLOOR', ...space });
  }
  await new Wake().wait(EVERY_MS, signal);
}
