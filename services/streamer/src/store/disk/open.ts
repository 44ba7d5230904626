/** Project storage put together from its configuration. What cannot work shows at start, not with the first image. */
import { access as mayAccess, constants, mkdir, open, readFile, realpath, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Config } from '@scanflow/config';
import { createRoots, isBelow, givesAway, giveFile, giveFolder, type Access } from './folders.ts';
import { createStore } from './store.ts';
import { COPY, STORAGE } from '../../model/series.ts';
import type { Ledger } from '../../ledger/tx.ts';
import type { Store } from '../types.ts';
import { RootKeeper } from '../../roots/keeper.ts';
import type { RootSpec } from '../../roots/identity.ts';
import type { Clock } from '../../model/settings.ts';
import { VERSION } from '../write-record.ts';
import { asideName } from '@scanflow/runtime';
import { codeOf, FailureError, permanent } from '@scanflow/failure';

interface Storage {
  readonly store: Store;
  /** Of the copy of everything, where there is one. */
  readonly copies: Store | undefined;
  readonly keeper: RootKeeper;
}

/** The heartbeat comes every 5 s: an owner that missed four of them is gone, or stands still. */
const SILENT_MS = 20_000;

/**
 * Roots need not be there yet: project storage may be mounted later. Throws an Error where the service lacks the
 * privileges for owner, group and modes, or where the copy lies within project storage; FailureError STORE_DENIED or
 * STORE_READ_ONLY where it may not write to a root that is there.
 *
 * @param hostFolder in a container, the folder of the host that is mounted as the main root
 */
export async function openStorage(
  { facility, storage, data }: Pick<Config, 'facility' | 'storage' | 'data'>,
  ledger: Ledger,
  clock: Clock,
  hostFolder?: string,
): Promise<Storage> {
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
  await requireWritable(root, hostFolder);
  for (const other of [...otherRoots, ...(copy === undefined ? [] : [copy.root])])
    await requireWritable(other);
  // a root that is not mounted yet cannot be tried, but a privilege that lacks there lacks here, too
  await mkdir(own, { recursive: true, mode: 0o750 });
  await tryAccess([own, ...roots, ...(copy === undefined ? [] : [copy.root])], access);
  if (copy !== undefined) await requireApart(copy.root, roots);
  const keeper = new RootKeeper(specsOf(root, otherRoots, copy?.root), {
    ledger,
    clock,
    own: { name: facility.name, host: hostname(), version: VERSION },
    access,
    data: own,
    silentMs: SILENT_MS,
  });
  return {
    keeper,
    store: createStore(root, { otherRoots, access, freeSpace, collisions, guard: keeper }),
    // of everything, so it refuses nothing
    copies: copy === undefined ? undefined : createStore(copy.root, { access, freeSpace, guard: keeper }),
  };
}

/** The main root is known by its part, as it may move; the others by their paths, as their folders are in the ledger. */
function specsOf(main: string, others: readonly string[], copy: string | undefined): RootSpec[] {
  const roots = createRoots(main, others);
  const within = (root: string) => (folder: string) => {
    const place = roots.placeOf(folder);
    return place?.root === root ? join(root, ...place.names) : undefined;
  };
  return [
    ...roots.all.map((path) => ({
      name: path === main ? STORAGE : path,
      path,
      target: STORAGE,
      pathOf: within(path),
    })),
    ...(copy === undefined
      ? []
      : [{ name: COPY, path: copy, target: COPY, pathOf: (folder: string) => join(copy, folder) }]),
  ];
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

/** Asks the system and writes nothing: the root may be another's. What may pass, such as a full disk, shows later. */
async function requireWritable(root: string, hostFolder?: string): Promise<void> {
  try {
    await mayAccess(root, constants.W_OK | constants.X_OK);
  } catch (error) {
    const why = codeOf(error) ?? '';
    const { code, todo } = REFUSALS[why] ?? {};
    if (code === undefined || todo === undefined || (await mayDoSo(root))) return;
    const folder = hostFolder ?? root;
    const whose = hostFolder === undefined ? root : `${root}, which is ${hostFolder} on the host,`;
    const me = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
    const message = `Project storage ${whose} cannot be written as ${me} (${why}), so the streamer does not start. ${todo(folder, me)}`;
    throw new FailureError(permanent(code, message), error);
  }
}

/** access(2) knows nothing of capabilities that a user other than root may have. */
async function mayDoSo(root: string): Promise<boolean> {
  const aside = asideName(join(root, 'access'));
  try {
    await mkdir(aside);
    await rm(aside, { recursive: true });
    return true;
  } catch {
    return false;
  }
}

const denied = (folder: string, me: string): string =>
  `On the host: chown ${me} ${folder}. If Docker has just made that folder, the name is mistyped: correct SCANFLOW_PROJECT in .env.`;

const REFUSALS: Readonly<
  Record<string, { readonly code: string; readonly todo: (folder: string, me: string) => string }>
> = {
  EACCES: { code: 'STORE_DENIED', todo: denied },
  EPERM: { code: 'STORE_DENIED', todo: denied },
  EROFS: { code: 'STORE_READ_ONLY', todo: (folder) => `Mount it read-write: ${folder}.` },
};

/**
 * Tries in each folder that is there whether what is given away can still be worked with. Throws an Error that says
 * what to do.
 */
export async function tryAccess(folders: readonly string[], access: Access): Promise<void> {
  if (!givesAway(access) && access.fileMode === undefined && access.folderMode === undefined) return;
  for (const folder of folders) {
    const aside = asideName(join(folder, 'access'));
    try {
      await mkdir(aside);
    } catch (error) {
      // not mounted, or not writable: that shows by itself, and may change
      if (['ENOENT', 'EACCES', 'EROFS', 'ENOTDIR', 'ENOSPC', 'EDQUOT'].includes(codeOf(error) ?? ''))
        continue;
      throw error;
    }
    try {
      await giveFolder(aside, access);
      await writeAndRead(join(aside, 'file'), access);
    } catch (error) {
      throw new Error(refusal(folder, access), { cause: error });
    } finally {
      // given away for good, it stays: the message says why
      await rm(aside, { recursive: true, force: true }).catch(() => undefined);
    }
  }
}

async function writeAndRead(path: string, access: Access): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await giveFile(file, access);
  } finally {
    await file.close();
  }
  await readFile(path);
}

function refusal(folder: string, { owner, group }: Access): string {
  const whom = [
    ...(owner === undefined ? [] : [`to user ${owner}`]),
    ...(group === undefined ? [] : [`to group ${group}`]),
  ].join(' and ');
  const what = whom === '' ? 'set these modes' : `give files ${whom} and still work with them`;
  return `storage.owner, storage.group, storage.fileMode and storage.folderMode cannot be as they are: in ${folder} the service may not ${what}. Run it as that user and with that group among its own (user: and group_add: in compose), or as root with CAP_CHOWN and CAP_DAC_OVERRIDE, or leave the keys out.`;
}
