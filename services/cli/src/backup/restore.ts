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
import { dirname, join } from 'node:path';
import { codeOf } from '@scanflow/failure';
import { askRebuild, fsyncFolder } from '@scanflow/runtime';
import type { Manifest, ManifestFile } from './manifest.ts';

/** A folder that gets files of the backup. */
export interface Target {
  readonly folder: string;
  readonly files: readonly { readonly file: ManifestFile; readonly below: string }[];
  /** All that is there goes aside; else only what has the same name. */
  readonly whole: boolean;
}

/** What stays where it is: the lock that this restore holds, what earlier ones kept, what they ask for. */
const STAYS =
  /^(?:ledger\.sqlite\.lock.*|rebuild\.json|\.before-restore-.*|\.restoring-.*|ledger\.sqlite\.aside-.*)$/;

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
  const targets = new Map<string, { whole: boolean; files: { file: ManifestFile; below: string }[] }>();
  const add = (folder: string, whole: boolean, file: ManifestFile, below: string): void => {
    const target = targets.get(folder) ?? { whole, files: [] };
    target.files.push({ file, below });
    targets.set(folder, target);
  };
  for (const file of files) {
    const [top = '', name = '', ...rest] = file.path.split('/');
    if (top === 'ledger' && ledger === 'sqlite' && !postgres) add(join(data, 'streamer'), true, file, name);
    if (top === 'data') add(join(data, name), true, file, rest.join('/'));
    if (top === 'config' && wanted.config) add(configFolder, false, file, [name, ...rest].join('/'));
    const folder = top === 'secrets' ? secrets[Number(name)] : undefined;
    if (folder !== undefined && wanted.secrets) add(folder, false, file, rest.join('/'));
  }
  return [...targets].map(([folder, { whole, files: own }]) => ({ folder, whole, files: own }));
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

/**
 * Asks the streamer first to compare the ledger with what is stored: so that holds wherever this is ended. Then folder by
 * folder: copied aside, what is there moved away, the copies in its place. Gives the folders with what was there.
 */
export async function restore(
  backup: string,
  targets: readonly Target[],
  { data, now, by, signal }: { data: string; now: Temporal.Instant; by: string; signal: AbortSignal },
): Promise<string[]> {
  const asked = now.toString({ smallestUnit: 'second' });
  const stamp = asked.replaceAll(/[-:]/g, '');
  await askRebuild(data, { anew: false, lost: true, asked, by });
  const kept: string[] = [];
  for (const target of targets) {
    signal.throwIfAborted();
    await dropLeftovers(target.folder);
    const staged = join(target.folder, `.restoring-${stamp}`);
    for (const { file, below } of target.files)
      await copyIn(join(backup, file.path), join(staged, below), file);
    const aside = join(target.folder, `.before-restore-${stamp}`);
    if (await moveAway(target, staged, aside)) kept.push(aside);
    await moveIn(staged, target.folder);
  }
  return kept;
}

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
async function moveAway({ folder, whole }: Target, staged: string, aside: string): Promise<boolean> {
  const coming = new Set(await readdir(staged));
  const names = (await readdir(folder)).filter((name) => !STAYS.test(name) && (whole || coming.has(name)));
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
