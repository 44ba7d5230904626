/** Folders below the roots of project storage: found or made part by part, never behind a link that leads out, and given to their owner. */
import { isAbsolute, join, relative, sep } from 'node:path';
import { chmod, chown, realpath, lstat, mkdir, readdir, type FileHandle } from 'node:fs/promises';
import { FailureError, codeOf, transient, permanent } from '@scanflow/failure';
import { pool, fsyncFolder, absent } from '@scanflow/runtime';
import type { ExpectedFile, RootGuard } from '../types.ts';

interface RootedFolder {
  readonly root: string;
  /** Parts below it. */
  readonly names: readonly string[];
}

export interface Roots {
  /** A folder below the main root stands in the ledger by its path below it, so that the root may move; others in full. */
  nameOf(root: string, realFolder: string): Promise<string>;
  /** Undefined where no root of the configuration holds it. */
  placeOf(name: string): RootedFolder | undefined;
  /** Absolute path of a file in a folder of the ledger's. */
  pathOf(name: string, file: string): string;
  readonly all: readonly string[];
}

export function createRoots(main: string, others: readonly string[]): Roots {
  const all = [...new Set([main, ...others])];
  const placeOf = (name: string): RootedFolder | undefined => {
    if (!isAbsolute(name)) return { root: main, names: name.split('/') };
    const [root] = all.filter((one) => isBelow(one, name)).toSorted((a, b) => b.length - a.length);
    return root === undefined ? undefined : { root, names: relative(root, name).split(sep) };
  };
  return {
    all,
    nameOf: async (root, realFolder) => {
      const below = relative(await rootOf(root), realFolder)
        .split(sep)
        .join('/');
      return root === main ? below : join(root, below);
    },
    placeOf,
    pathOf: (name, file) => {
      const { root, names } = placeOf(name) ?? { root: '/', names: name.split('/') };
      return join(root, ...names, file);
    },
  };
}

/** The root is never made: where it is missing, project storage is not mounted. */
export async function rootOf(root: string): Promise<string> {
  try {
    return await realpath(root);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    throw new FailureError(
      transient(
        'STORE_ROOT_MISSING',
        `The root ${root} does not exist. Mount project storage or create the folder; storing goes on by itself.`,
      ),
    );
  }
}

export const isBelow = (root: string, path: string): boolean => {
  const below = relative(root, path);
  return below !== '' && below !== '..' && !below.startsWith(`..${sep}`);
};

const OUTSIDE = permanent(
  'STORE_OUTSIDE_ROOT',
  'The folder of this series leads out of its root by a symbolic link. Move the folder back to where the link is and retry the series, or set the root to where it leads.',
);

/** Throws STORE_OUTSIDE_ROOT for a real path that is not below the real root. */
function requireBelow(realRoot: string, realFolder: string): void {
  if (!isBelow(realRoot, realFolder)) throw new FailureError(OUTSIDE);
}

/** The folder's real path; undefined where it is not there. Throws STORE_OUTSIDE_ROOT and STORE_ROOT_MISSING. */
export async function folderWithin(root: string, names: readonly string[]): Promise<string | undefined> {
  const realRoot = await rootOf(root);
  let path = realRoot;
  for (const name of names) {
    const next = await realpath(join(path, name)).catch(nowhere);
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

/** A link replaced a folder that we resolved before, and leads elsewhere now. Throws STORE_OUTSIDE_ROOT. */
export async function requireUnmoved(realFolder: string): Promise<void> {
  if ((await realpath(realFolder)) !== realFolder) throw new FailureError(OUTSIDE);
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
  const found = await lstat(join(folder, file)).catch(nowhere);
  return found?.isFile() === true && (bytes === undefined || found.size === bytes);
}

/** Makes the folders that are missing; gives the last one's real path. */
export async function folderAt(root: string, names: readonly string[], access: Access): Promise<string> {
  const realRoot = await rootOf(root);
  let path = realRoot;
  for (const name of names) {
    const next = join(path, name);
    if (await makeFolder(next)) {
      await giveFolder(next, access);
      await fsyncFolder(path);
    }
    // one by one, so that a link is noticed before anything is made behind it
    path = await realpath(next);
    requireBelow(realRoot, path);
  }
  return path;
}

/** False where it was there. */
async function makeFolder(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** For `catch`: nothing where a file, or a folder above it, is not there. Throws any other error. */
export function nowhere(error: unknown): undefined {
  if (codeOf(error) !== 'ENOTDIR') absent(error);
}

/** The names in a folder, sorted; none where it is not there. */
export const namesIn = async (path: string): Promise<string[]> =>
  ((await readdir(path).catch(nowhere)) ?? []).toSorted();

/** Whose files and folders are, and who may read them: only where the configuration says so. */
export interface Access {
  /** Permission bits; as the umask has it where undefined. */
  readonly fileMode?: number | undefined;
  readonly folderMode?: number | undefined;
  /** Ids; the process' own where undefined. */
  readonly owner?: number | undefined;
  readonly group?: number | undefined;
}

/** What chown takes for "as it is". */
const UNCHANGED = -1;

export const givesAway = ({ owner, group }: Access): boolean => owner !== undefined || group !== undefined;

/** The mode first: whoever has given a file away may no longer change it. */
export async function giveFile(file: FileHandle, access: Access): Promise<void> {
  if (access.fileMode !== undefined) await file.chmod(access.fileMode);
  if (givesAway(access)) await file.chown(access.owner ?? UNCHANGED, access.group ?? UNCHANGED);
}

export async function giveFolder(path: string, access: Access): Promise<void> {
  if (access.folderMode !== undefined) await chmod(path, access.folderMode);
  if (givesAway(access)) await chown(path, access.owner ?? UNCHANGED, access.group ?? UNCHANGED);
}
