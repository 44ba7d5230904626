/** Project storage put together from its configuration. What cannot work shows at start, not with the first image. */
import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '@scanflow/chassis';
import { tryAccess, type Access } from './adapters/store/access.ts';
import { isBelow } from './adapters/store/roots.ts';
import { createStore } from './adapters/store/store.ts';
import type { Store } from './ports.ts';

export interface Storage {
  readonly store: Store;
  /** Of the copy of everything, where there is one. */
  readonly copy: Store | undefined;
}

/**
 * Roots need not be there yet: project storage may be mounted later. Throws an Error where the service lacks the
 * privileges for owner, group and modes, or where the copy lies within project storage.
 */
export async function openStorage({ storage, data }: Pick<Config, 'storage' | 'data'>): Promise<Storage> {
  const { root, projects, copy, freeSpace, collisions, owner, group } = storage;
  const access: Access = {
    fileMode: octal(storage.fileMode),
    folderMode: octal(storage.folderMode),
    owner,
    group,
  };
  const otherRoots = Object.values(projects).map((project) => project.root);
  const roots = [root, ...otherRoots];
  const own = join(data, 'streamer');
  // a root that is not mounted yet cannot be tried, but a privilege that lacks there lacks here, too
  await mkdir(own, { recursive: true, mode: 0o750 });
  await tryAccess([own, ...roots, ...(copy === undefined ? [] : [copy.root])], access);
  if (copy !== undefined) await requireApart(copy.root, roots);
  return {
    store: createStore(root, { otherRoots, access, freeSpace, collisions }),
    // of everything, so it refuses nothing
    copy: copy === undefined ? undefined : createStore(copy.root, { access, freeSpace }),
  };
}

const octal = (digits: string | undefined): number | undefined =>
  digits === undefined ? undefined : Number.parseInt(digits, 8);

/** Behind links, where the configuration alone does not show it: a copy would take the series' own folders. */
async function requireApart(copy: string, roots: readonly string[]): Promise<void> {
  const real = (path: string): Promise<string> => realpath(path).catch(() => path);
  const inner = await real(copy);
  for (const root of roots) {
    const outer = await real(root);
    if (inner === outer || isBelow(outer, inner) || isBelow(inner, outer))
      throw new Error(`storage.copy.root ${copy} and the root ${root} are, behind their links, not apart.`);
  }
}
