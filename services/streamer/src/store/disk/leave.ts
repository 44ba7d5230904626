/** A folder that a series has left: what Scanflow wrote there goes, whatever else is in it stays. */
import { readdir, readFile, rmdir, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fsyncFolder } from '@scanflow/runtime';
import { codeOf } from '@scanflow/failure';
import { MANIFEST_NAME, RECORD_NAME } from './names.ts';
import type { SeriesRecord, StillOurs } from '../../ports.ts';
import { reached } from '../../work/trace.ts';
import { isStored } from './image-file.ts';
import { manifestText, readRecord } from './record.ts';
import { isBelow } from './roots.ts';

/**
 * Takes away the files that `series.json` of this series names, where each is still what was stored; then the manifest and
 * the record; then the folders that are empty, but for the uppermost below the root. Names of what stays. Once more, after a
 * crash, it goes on.
 */
export async function leaveFolder(
  realRoot: string,
  path: string,
  series: string,
  stillOurs: StillOurs,
): Promise<readonly string[]> {
  const record = await readRecord(path);
  if (record !== undefined && record.orthancSeries !== series) return [];
  if (record !== undefined) await removeOurs(path, record, stillOurs);
  const left = await namesIn(path);
  if (left.length === 0) await removeEmpty(realRoot, path);
  return left;
}

async function removeOurs(path: string, record: SeriesRecord, stillOurs: StillOurs): Promise<void> {
  const files = [...record.instances, ...(record.archive === undefined ? [] : [record.archive])];
  // all of them are looked at before the first one goes
  const unchanged: string[] = [];
  for (const file of new Map(files.map((one) => [one.file, one])).values())
    if (await isStored(join(path, file.file), file)) unchanged.push(file.file);
  for (const file of unchanged) {
    // whoever stood still meanwhile may find that the series has come back here
    await stillOurs();
    await remove(join(path, file));
    reached('old-image-removed', { file });
  }
  await fsyncFolder(path);
  if (await isManifest(path, record)) await remove(join(path, MANIFEST_NAME));
  await stillOurs();
  // the last to go: by it the rest is known as ours
  await remove(join(path, RECORD_NAME));
  await fsyncFolder(path);
  reached('old-record-removed');
}

async function isManifest(path: string, record: SeriesRecord): Promise<boolean> {
  try {
    return (await readFile(join(path, MANIFEST_NAME), 'utf8')) === manifestText(record);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

async function remove(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

async function namesIn(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).toSorted();
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}

/** An empty folder of a subject would still tell the project whom it is of. */
async function removeEmpty(realRoot: string, path: string): Promise<void> {
  for (let folder = path; isBelow(realRoot, folder); folder = dirname(folder)) {
    if (dirname(folder) === realRoot) return;
    try {
      await rmdir(folder);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') continue;
      if (codeOf(error) === 'ENOTEMPTY' || codeOf(error) === 'EEXIST') return;
      throw error;
    }
    await fsyncFolder(dirname(folder));
  }
}
