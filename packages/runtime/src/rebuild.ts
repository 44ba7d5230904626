/**
 * What a person asks of the streamer's ledger, in a file of the data folder: `scanflow ledger rebuild` and `scanflow restore`
 * write it, the streamer does it at its next start and removes it once all is done.
 */
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { codeOf } from '@scanflow/failure';
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

/** Durable when it resolves. Gives the file's path. */
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

export async function rebuildDone(data: string): Promise<void> {
  await rm(pathIn(data), { force: true });
  await fsyncFolder(dirname(pathIn(data)));
}
