/** Which root a folder of the ledger's lies below: the main one, or one that some projects have for themselves. */
import { isAbsolute, join, relative, sep } from 'node:path';
import { realpath } from 'node:fs/promises';
import { FailureError, codeOf, transient } from '@scanflow/failure';

export interface Place {
  readonly root: string;
  /** Parts below it. */
  readonly names: readonly string[];
}

export interface Roots {
  /** A folder below the main root stands in the ledger by its path below it, so that the root may move; others in full. */
  nameOf(root: string, realFolder: string): Promise<string>;
  /** Undefined where no root of the configuration holds it. */
  placeOf(name: string): Place | undefined;
  /** Absolute path of a file in a folder of the ledger's. */
  pathOf(name: string, file: string): string;
  readonly all: readonly string[];
}

export function createRoots(main: string, others: readonly string[]): Roots {
  const all = [...new Set([main, ...others])];
  const placeOf = (name: string): Place | undefined => {
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
