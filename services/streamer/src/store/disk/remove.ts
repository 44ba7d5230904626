/** Removes the files of Scanflow from a folder: after a move only those that are still as stored, in an erasure all of them. */
import { readFile, rmdir, unlink } from 'node:fs/promises';
import { dirname, join, extname } from 'node:path';
import { fsyncFolder, absent } from '@scanflow/runtime';
import { codeOf } from '@scanflow/failure';
import { MANIFEST_NAME, RECORD_NAME, ARCHIVE_NAME } from './names.ts';
import type { SeriesRecord, StillOurs } from '../types.ts';
import { reached } from '../../work/trace.ts';
import { isStored } from './image-file.ts';
import { manifestText, readRecord } from './record.ts';
import { isBelow, namesIn } from './folders.ts';

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
  if (left.length === 0) await removeEmpty(realRoot, path, true);
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
    await gone(join(path, file));
    reached('old-image-removed', { file });
  }
  await fsyncFolder(path);
  if (await isManifest(path, record)) await gone(join(path, MANIFEST_NAME));
  await stillOurs();
  // the last to go: by it the rest is known as ours
  await gone(join(path, RECORD_NAME));
  await fsyncFolder(path);
  reached('old-record-removed');
}

const isManifest = async (path: string, record: SeriesRecord): Promise<boolean> =>
  (await readFile(join(path, MANIFEST_NAME), 'utf8').catch(absent)) === manifestText(record);

const gone = (path: string): Promise<unknown> => unlink(path).catch(absent);

/**
 * Removes the empty folders from here up to the root: an empty folder of a subject would still tell whose it was.
 * @param keepTop the uppermost folder below the root stays
 */
async function removeEmpty(realRoot: string, path: string, keepTop = false): Promise<void> {
  for (let folder = path; isBelow(realRoot, folder); folder = dirname(folder)) {
    if (keepTop && dirname(folder) === realRoot) return;
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

/** What was being written, and what verification set aside. */
const OURS = /^(?:\..+\.tmp|(?:series|manifest-sha256)_changed\d*\.(?:tar|json|txt))$/;

/** Names of what stays; undefined where the folder is not of this series. Ended early, it goes on when it is begun again. */
export async function eraseFolder(
  realRoot: string,
  path: string,
  series: string,
): Promise<readonly string[] | undefined> {
  const record = await readRecord(path);
  if (record?.orthancSeries !== series) return undefined;
  const images = new Set(record.instances.map(({ file }) => extname(file)));
  for (const { file } of record.instances) await gone(join(path, file));
  // images that were named and not recorded yet, or made from these, and what was being written
  for (const name of await namesIn(path))
    if (images.has(extname(name)) || extname(name) === '.dcm' || OURS.test(name))
      await gone(join(path, name));
  for (const name of [ARCHIVE_NAME, MANIFEST_NAME]) await gone(join(path, name));
  await fsyncFolder(path);
  // the last to go: by it the rest is known
  await gone(join(path, RECORD_NAME));
  await fsyncFolder(path);
  const left = await namesIn(path);
  if (left.length === 0) await removeEmpty(realRoot, path);
  return left;
}

/** `scanflow-report-ACCESSION-SESSION.csv` and the like. */
export async function eraseReports(realRoot: string, path: string, session: string): Promise<number> {
  const ending = new RegExp(`^scanflow-report(?:-.*)?-${session.slice(0, 8)}\\.(?:csv|json)$`);
  const names = (await namesIn(path)).filter((name) => ending.test(name));
  for (const name of names) await gone(join(path, name));
  if (names.length > 0 && (await namesIn(path)).length === 0) await removeEmpty(realRoot, path);
  return names.length;
}
