/** Folders below a root, made one by one: none of them is ever behind a link that leads out. */
import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { fsyncFolder } from '@scanflow/runtime';
import { codeOf } from '@scanflow/failure';
import { giveFolder, type Access } from './access.ts';
import { rootOf } from './roots.ts';
import { requireBelow } from './within.ts';

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
