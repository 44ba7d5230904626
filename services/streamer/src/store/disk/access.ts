/** Whose the files and folders are, and who may read them: only where the configuration says so. */
import { chmod, chown, mkdir, open, readFile, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { asideName } from '@scanflow/runtime';
import { codeOf } from '@scanflow/failure';

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

const givesAway = ({ owner, group }: Access): boolean => owner !== undefined || group !== undefined;

/** The mode first: whoever has given a file away may no longer change it. */
export async function giveFile(file: FileHandle, access: Access): Promise<void> {
  if (access.fileMode !== undefined) await file.chmod(access.fileMode);
  if (givesAway(access)) await file.chown(access.owner ?? UNCHANGED, access.group ?? UNCHANGED);
}

export async function giveFolder(path: string, access: Access): Promise<void> {
  if (access.folderMode !== undefined) await chmod(path, access.folderMode);
  if (givesAway(access)) await chown(path, access.owner ?? UNCHANGED, access.group ?? UNCHANGED);
}

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
