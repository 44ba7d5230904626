/** How much of a file system stays free. */
import { statfs } from 'node:fs/promises';
import { Fault, transient } from '../../domain/failure.ts';
import type { LowSpace } from '../../ports.ts';

/** What stays free, in bytes or as part of the whole. */
export type Floor = { readonly bytes: number } | { readonly fraction: number };

export interface Space {
  /** Bytes that this process may still write. */
  readonly free: number;
  readonly floor: number;
}

export async function spaceOf(path: string, floor: Floor): Promise<Space> {
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

/** Throws STORE_SPACE_FLOOR where less than the floor would be left. */
export async function requireSpace(path: string, bytes: number, floor: Floor | undefined): Promise<void> {
  if (floor === undefined) return;
  const space = await spaceOf(path, floor);
  if (space.free - bytes < space.floor) throw new Fault(HELD);
}

export const HELD = transient(
  'STORE_SPACE_FLOOR',
  'Storing waits: less would stay free than storage.freeSpace asks for. Free space, or lower it; storing goes on by itself.',
);
