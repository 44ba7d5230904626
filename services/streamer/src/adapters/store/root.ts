/** The root of project storage, and the folders below it: never made where it is missing, never left by a link. */
import { mkdir, realpath } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { fsyncFolder } from '@scanflow/chassis';
import { errnoOf, Fault, permanent, transient } from '../../domain/failure.ts';

/** Makes the folders that are missing, one by one; gives the last one's real path. */
export async function folderAt(root: string, names: readonly string[]): Promise<string> {
  const realRoot = await rootOf(root);
  let path = realRoot;
  for (const name of names) {
    const made = await makeFolder(join(path, name));
    if (made) await fsyncFolder(path);
    // one by one, so that a link is noticed before anything is made behind it
    path = await realpath(join(path, name));
    if (!isBelow(realRoot, path)) throw new Fault(OUTSIDE);
  }
  return path;
}

/** The root is never made: where it is missing, project storage is not mounted. */
export async function rootOf(root: string): Promise<string> {
  try {
    return await realpath(root);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    throw new Fault(
      transient(
        'STORE_ROOT_MISSING',
        'storage.root does not exist. Mount project storage or create the folder; storing goes on by itself.',
      ),
    );
  }
}

const isBelow = (root: string, path: string): boolean => {
  const below = relative(root, path);
  return below !== '' && below !== '..' && !below.startsWith(`..${sep}`);
};

/** False where it was there. */
async function makeFolder(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

const OUTSIDE = permanent(
  'STORE_OUTSIDE_ROOT',
  'The folder of this series leads out of storage.root by a symbolic link. Remove the link, or set storage.root to where it leads.',
);
