/** Rows of a session that left the dataset: in its `scans.tsv`, where people changed that, and in `participants.tsv`. */
import { readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '@scanflow/runtime';
import { gone } from './files.ts';
import { unitOf } from './provenance.ts';
import { withoutParticipant, withoutScans } from './tables.ts';

export const scansPath = (folder: string): string => `${folder}/${unitOf(folder)}_scans.tsv`;

interface Dropped {
  readonly participant?: string;
  readonly erased: boolean;
  /** Files that are gone, relative to the dataset. */
  readonly gone: readonly string[];
}

/** Repeatable. */
export async function dropRows(
  root: string,
  folder: string,
  { participant, erased, gone: files }: Dropped,
): Promise<void> {
  const names = new Set(files.map((path) => path.slice(folder.length + 1)));
  await rewrite(join(root, scansPath(folder)), (text) => withoutScans(text, names));
  if (participant !== undefined)
    await rewrite(join(root, 'participants.tsv'), (text) => withoutParticipant(text, participant, erased));
}

async function rewrite(path: string, change: (text: string) => string | undefined): Promise<void> {
  const text = await readFile(path, 'utf8').catch(gone);
  if (text === undefined) return;
  const changed = change(text);
  if (changed === undefined) await unlink(path);
  else if (changed !== text) await writeFileAtomic(path, changed);
}
