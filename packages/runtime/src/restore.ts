/** What a restore leaves for the services: a request to rebuild the ledger, and marks on folders while it is unfinished. */
import { mkdir, rm, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { codeOf, FailureError, permanent } from '@scanflow/failure';
import { fsyncFolder, readBounded, writeFileAtomic } from './files.ts';

const LIMIT = 10_000;

const request = z.object({
  version: z.literal(1),
  /** The ledger is put aside even where it is whole. */
  anew: z.boolean(),
  /** It does not know all that was sent: it is new, or older than what happened since. */
  lost: z.boolean(),
  /** UTC. */
  asked: z.string(),
  by: z.string(),
});

export type RebuildRequest = z.infer<typeof request>;

const pathIn = (data: string): string => join(data, 'streamer', 'rebuild.json');

/**
 * Requests that the streamer rebuilds its ledger at its next start. A later request replaces an earlier one.
 *
 * @param data the data folder of the services
 * @returns the path of the request's file, which is durable when the promise resolves
 */
export async function askRebuild(data: string, asked: Omit<RebuildRequest, 'version'>): Promise<string> {
  const path = pathIn(data);
  await mkdir(dirname(path), { recursive: true, mode: 0o750 });
  await writeFileAtomic(path, `${JSON.stringify({ version: 1, ...asked })}\n`);
  return path;
}

/** Undefined where nobody asks. Throws an Error for a file that cannot be used. */
export async function readRebuild(data: string): Promise<RebuildRequest | undefined> {
  const path = pathIn(data);
  try {
    return request.parse(JSON.parse((await readBounded(path, LIMIT)).toString('utf8')));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new Error(`${path} cannot be used. Remove it, and run scanflow ledger rebuild again.`, {
      cause: error,
    });
  }
}

/**
 * Removes the request once the ledger was rebuilt. Durable when it resolves.
 *
 * @param data the data folder of the services
 */
export async function rebuildDone(data: string): Promise<void> {
  await rm(pathIn(data), { force: true });
  await fsyncFolder(dirname(pathIn(data)));
}

/**
 * A restore marks each folder before it changes the first one, and takes the marks away after the last.
 * So a restore that was killed never passes for the data of one moment: no service starts on a marked folder.
 */
const MARK = '.restore-unfinished';

/**
 * Marks a folder: no service starts on it until the restore is over. Durable when it resolves.
 *
 * @param asked when the restore began, a UTC instant; the mark's only content
 */
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
  throw new FailureError(
    permanent(
      'RESTORE_UNFINISHED',
      `A restore was interrupted: what is in ${folder} may be from before or from the backup. Run scanflow restore again, then start.`,
    ),
  );
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
