/** Folders below a root, made one by one: none of them is ever behind a link that leads out. */
import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { fsyncFolder } from '@scanflow/chassis';
import { errnoOf, Fault, permanent } from '../../domain/failure.ts';
import { giveFolder, type Access } from './access.ts';
import { isBelow, rootOf } from './roots.ts';

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
    if (!isBelow(realRoot, path)) throw new Fault(OUTSIDE);
  }
  return path;
}

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
  'The folder of this series leads out of its root by a symbolic link. Remove the link, or set the root to where it leads.',
);
