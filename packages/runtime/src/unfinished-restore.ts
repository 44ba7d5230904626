/**
 * A restore marks each folder before it changes the first one, and takes the marks away after the last.
 * So a restore that was killed never passes for the data of one moment: no service starts on a marked folder.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, FailureError } from '@scanflow/failure';
import { fsyncFolder, writeFileAtomic } from './files.ts';

const MARK = '.restore-unfinished';

/** Durable when it resolves. */
export async function markUnfinishedRestore(folder: string, asked: string): Promise<void> {
  await writeFileAtomic(join(folder, MARK), `${asked}\n`);
}

/** Takes every mark away, also those of an earlier restore that had other folders. Durable when it resolves. */
export async function clearUnfinishedRestore(data: string): Promise<void> {
  for (const folder of await markedFolders(data)) {
    await rm(join(folder, MARK), { force: true });
    await fsyncFolder(folder);
  }
}

/** Throws FailureError RESTORE_UNFINISHED where a folder of the data folder has a mark. */
export async function requireFinishedRestore(data: string): Promise<void> {
  const [folder] = await markedFolders(data);
  if (folder === undefined) return;
  throw new FailureError({
    kind: 'permanent',
    code: 'RESTORE_UNFINISHED',
    message: `A restore was interrupted: what is in ${folder} may be from before or from the backup. Run scanflow restore again, then start.`,
  });
}

async function markedFolders(data: string): Promise<string[]> {
  const marked: string[] = [];
  for (const entry of await entriesOf(data)) {
    const folder = join(data, entry.name);
    if (entry.isDirectory() && (await entriesOf(folder)).some(({ name }) => name === MARK))
      marked.push(folder);
  }
  return marked;
}

/** A folder that is not there, or that this user may not read, tells nothing: the service itself says so. */
async function entriesOf(path: string): Promise<{ readonly name: string; isDirectory(): boolean }[]> {
  return readdir(path, { withFileTypes: true }).catch((error: unknown) => {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(codeOf(error) ?? '')) return [];
    throw error;
  });
}
