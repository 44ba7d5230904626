/** A folder below a root, looked for and never made: no part of the way leads out of the root by a link. */
import { lstat, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { pool } from '@scanflow/runtime';
import { FailureError, codeOf, permanent } from '@scanflow/failure';
import type { ExpectedFile, RootGuard } from '../../ports.ts';
import { isBelow, rootOf, type Roots } from './roots.ts';

const OUTSIDE = permanent(
  'STORE_OUTSIDE_ROOT',
  'The folder of this series leads out of its root by a symbolic link. Move the folder back to where the link is and retry the series, or set the root to where it leads.',
);

/** Throws STORE_OUTSIDE_ROOT for a real path that is not below the real root. */
export function requireBelow(realRoot: string, realFolder: string): void {
  if (!isBelow(realRoot, realFolder)) throw new FailureError(OUTSIDE);
}

/** The folder's real path; undefined where it is not there. Throws STORE_OUTSIDE_ROOT and STORE_ROOT_MISSING. */
export async function folderWithin(root: string, names: readonly string[]): Promise<string | undefined> {
  const realRoot = await rootOf(root);
  let path = realRoot;
  for (const name of names) {
    const next = await realPathOf(join(path, name));
    if (next === undefined) return undefined;
    // one by one: a link that leads out and another that leads back would pass at the end
    requireBelow(realRoot, next);
    path = next;
  }
  return path;
}

/**
 * A folder by its name in the ledger. Undefined where it is not there, or where the configuration no longer has its root: it
 * may be below another one by now.
 */
export async function placeWithin(
  roots: Roots,
  guard: RootGuard,
  name: string,
): Promise<{ readonly root: string; readonly path: string } | undefined> {
  const place = roots.placeOf(name);
  if (place === undefined) return undefined;
  await guard.ready(place.root);
  const path = await folderWithin(place.root, place.names);
  return path === undefined ? undefined : { root: place.root, path };
}

/** A link in the place of a folder that we resolved before, leads elsewhere by now. Throws STORE_OUTSIDE_ROOT. */
export async function requireUnmoved(realFolder: string): Promise<void> {
  if ((await realpath(realFolder)) !== realFolder) throw new FailureError(OUTSIDE);
}

async function realPathOf(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** Looked at side by side: on a share each look takes a round trip. */
const AT_ONCE = 16;

/** Those that are not there as files of their sizes. A link is no file of ours. */
export async function absentIn<E extends ExpectedFile>(
  folder: string,
  expected: readonly E[],
): Promise<Set<E>> {
  const absent = new Set<E>();
  await pool(expected, AT_ONCE, async (one) => {
    if (!(await isThere(folder, one))) absent.add(one);
  });
  return absent;
}

async function isThere(folder: string, { file, bytes }: ExpectedFile): Promise<boolean> {
  try {
    const found = await lstat(join(folder, file));
    return found.isFile() && (bytes === undefined || found.size === bytes);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return false;
    throw error;
  }
}
