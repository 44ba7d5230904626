/** Puts a verified backup back. What it replaces is kept aside, in a folder beside it. */
import {
  access,
  chmod,
  chown,
  constants,
  copyFile,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  stat,
} from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { codeOf } from '@scanflow/failure';
import { askRebuild, clearUnfinishedRestore, fsyncFolder, markUnfinishedRestore } from '@scanflow/runtime';
import type { Manifest, ManifestFile } from './manifest.ts';
import { sumOf } from './write.ts';

/** A folder that gets files of the backup. */
export interface Target {
  readonly folder: string;
  readonly files: readonly { readonly file: ManifestFile; readonly below: string }[];
  /** What goes aside: all that is there, or what has the same name, or nothing: then only what is not there comes. */
  readonly replaces: 'all' | 'named' | 'nothing';
}

/** An older backup does not know what was erased since: what is there stays. */
const ERASURES = 'erasures';
const KEY = 'key';

/** What stays where it is: the lock that this restore holds, what earlier ones kept, what they ask for. */
const STAYS =
  /^(?:ledger\.sqlite\.lock.*|rebuild\.json|\.before-restore-.*|\.restor(?:ing-|e-unfinished).*|ledger\.sqlite\.aside-.*)$/;

/** Where the files of a backup belong. */
export function targetsOf(
  { files, secrets, ledger }: Manifest,
  {
    data,
    configFolder,
    wanted,
    postgres,
  }: {
    readonly data: string;
    readonly configFolder: string;
    readonly wanted: { readonly secrets: boolean; readonly config: boolean };
    /** The ledger of the configuration is not a file. */
    readonly postgres: boolean;
  },
): Target[] {
  const targets = new Map<
    string,
    { replaces: Target['replaces']; files: { file: ManifestFile; below: string }[] }
  >();
  const add = (folder: string, replaces: Target['replaces'], file: ManifestFile, below: string): void => {
    const target = targets.get(folder) ?? { replaces, files: [] };
    target.files.push({ file, below });
    targets.set(folder, target);
  };
  for (const file of files) {
    const [top = '', name = '', ...rest] = file.path.split('/');
    if (top === 'ledger' && ledger === 'sqlite' && !postgres) add(join(data, 'streamer'), 'all', file, name);
    if (top === 'data') add(join(data, name), name === ERASURES ? 'nothing' : 'all', file, rest.join('/'));
    if (top === 'config' && wanted.config) add(configFolder, 'named', file, [name, ...rest].join('/'));
    const folder = top === 'secrets' ? secrets[Number(name)] : undefined;
    if (folder !== undefined && wanted.secrets) add(folder, 'named', file, rest.join('/'));
  }
  return [...targets].map(([folder, { replaces, files: own }]) => ({ folder, replaces, files: own }));
}

/** Throws an Error for the first folder that may not be written, before anything is changed. */
export async function requireWritable(targets: readonly Target[]): Promise<void> {
  for (const { folder } of targets) {
    await mkdir(folder, { recursive: true, mode: 0o750 });
    await access(folder, constants.W_OK | constants.X_OK).catch((error: unknown) => {
      throw new Error(`${folder} may not be written; nothing was changed. Let this user write there.`, {
        cause: error,
      });
    });
  }
}

/** Throws an Error where erasures are there that were made with another key: marks of two keys cannot lie together. */
export async function requireSameKey(targets: readonly Target[]): Promise<void> {
  for (const { folder, files, replaces } of targets) {
    const key = files.find(({ below }) => replaces === 'nothing' && below === KEY)?.file;
    if (key === undefined || !(await readdir(folder)).includes(KEY)) continue;
    if ((await sumOf(join(folder, KEY))).sha256 === key.sha256) continue;
    throw new Error(
      `${folder} has erasures of another key than the backup; nothing was changed. Move its files elsewhere, restore, and erase those subjects again.`,
    );
  }
}

/**
 * Copies everything aside first: until that is done, nothing changes. Then it asks the streamer to compare the ledger with
 * what is stored, marks each folder, and puts the copies in place. While a mark is there, no service starts; the restore
 * can be run again. Gives the folders with what was there.
 */
export async function restore(
  backup: string,
  targets: readonly Target[],
  { data, now, by, signal }: { data: string; now: Temporal.Instant; by: string; signal: AbortSignal },
): Promise<string[]> {
  const asked = now.toString({ smallestUnit: 'second' });
  // one that was killed, and run again in the same second, left folders of that name
  const stamp = now.toString({ smallestUnit: 'millisecond' }).replaceAll(/[-:]/g, '');
  const stagedIn = (folder: string): string => join(folder, `.restoring-${stamp}`);
  for (const { folder, files, replaces } of targets) {
    await dropLeftovers(folder);
    await mkdir(stagedIn(folder), { mode: 0o750 });
    const stays = new Set(replaces === 'nothing' ? await readdir(folder) : []);
    for (const { file, below } of files.filter((one) => !stays.has(one.below))) {
      signal.throwIfAborted();
      await copyIn(join(backup, file.path), join(stagedIn(folder), below), file);
    }
  }
  signal.throwIfAborted();
  await askRebuild(data, { anew: false, lost: true, asked, by });
  for (const { folder } of targets) if (isBelow(data, folder)) await markUnfinishedRestore(folder, asked);
  const kept: string[] = [];
  for (const target of targets) {
    const aside = join(target.folder, `.before-restore-${stamp}`);
    if (await moveAway(target, stagedIn(target.folder), aside)) kept.push(aside);
    await moveIn(stagedIn(target.folder), target.folder);
  }
  await clearUnfinishedRestore(data);
  return kept;
}

const isBelow = (parent: string, folder: string): boolean => !relative(parent, folder).startsWith('..');

/** Copies that an earlier restore had made, and not moved. */
async function dropLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder))
    if (name.startsWith('.restoring-')) await rm(join(folder, name), { recursive: true });
}

async function copyIn(from: string, to: string, { mode }: ManifestFile): Promise<void> {
  await mkdir(dirname(to), { recursive: true, mode: 0o750 });
  await copyFile(from, to, constants.COPYFILE_EXCL);
  await chmod(to, mode);
  const file = await open(to, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
  await fsyncFolder(dirname(to));
}

/** Whether anything was there. */
async function moveAway({ folder, replaces }: Target, staged: string, aside: string): Promise<boolean> {
  const coming = new Set(await readdir(staged));
  const names = (await readdir(folder)).filter(
    (name) => !STAYS.test(name) && (replaces === 'all' || coming.has(name)),
  );
  if (names.length === 0) return false;
  await mkdir(aside, { recursive: true, mode: 0o700 });
  for (const name of names) await rename(join(folder, name), join(aside, name));
  await fsyncFolder(aside);
  return true;
}

async function moveIn(staged: string, folder: string): Promise<void> {
  const { gid } = await stat(folder);
  for (const name of await readdir(staged)) {
    // the group that may read the folder may read the file: secrets are Orthanc's, too
    await chown(join(staged, name), -1, gid).catch((error: unknown) => {
      if (codeOf(error) !== 'EPERM') throw error;
    });
    await rename(join(staged, name), join(folder, name));
  }
  await rm(staged, { recursive: true });
  await fsyncFolder(folder);
}
