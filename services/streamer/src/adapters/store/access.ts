/** Whose the files and folders are, and who may read them: only where the configuration says so. */
import { chmod, chown, open, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { asideName } from '@scanflow/chassis';
import { errnoOf } from '../../domain/failure.ts';

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

export async function giveFile(file: FileHandle, access: Access): Promise<void> {
  if (givesAway(access)) await file.chown(access.owner ?? UNCHANGED, access.group ?? UNCHANGED);
  if (access.fileMode !== undefined) await file.chmod(access.fileMode);
}

/** After chown, since that may take bits away. */
export async function giveFolder(path: string, access: Access): Promise<void> {
  if (givesAway(access)) await chown(path, access.owner ?? UNCHANGED, access.group ?? UNCHANGED);
  if (access.folderMode !== undefined) await chmod(path, access.folderMode);
}

/** Tries it on a file of its own in each folder that is there. Throws an Error that says what to do. */
export async function tryAccess(folders: readonly string[], access: Access): Promise<void> {
  if (!givesAway(access) && access.fileMode === undefined) return;
  for (const folder of folders) {
    const aside = asideName(join(folder, 'access'));
    const file = await open(aside, 'wx', 0o600).catch((error: unknown) => {
      // not mounted, or not writable: that shows by itself, and may change
      if (['ENOENT', 'EACCES', 'EROFS', 'ENOTDIR', 'ENOSPC', 'EDQUOT'].includes(errnoOf(error) ?? ''))
        return undefined;
      throw error;
    });
    if (file === undefined) continue;
    try {
      await giveFile(file, access);
    } catch (error) {
      throw new Error(refusal(folder, access), { cause: error });
    } finally {
      await file.close();
      await unlink(aside);
    }
  }
}

const refusal = (folder: string, { owner, group }: Access): string =>
  `storage.owner, storage.group or storage.fileMode cannot be set in ${folder}: the service may not give files to ${[
    ...(owner === undefined ? [] : [`user ${owner}`]),
    ...(group === undefined ? [] : [`group ${group}`]),
  ].join(
    ' and ',
  )}. Run it as that user with that group among its own (user: and group_add: in compose), as root with CAP_CHOWN, or leave the keys out.`;
