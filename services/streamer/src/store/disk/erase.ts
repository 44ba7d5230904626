/** What Scanflow wrote of a series goes from project storage; what others put there stays, and is named. */
import { readdir, rmdir, unlink } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { fsyncFolder } from '@scanflow/runtime';
import { codeOf } from '@scanflow/failure';
import { ARCHIVE_NAME, MANIFEST_NAME, RECORD_NAME } from './names.ts';
import { readRecord } from './record.ts';
import { isBelow } from './roots.ts';

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

async function gone(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

async function namesIn(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}

/** Up to the root: an empty folder of a subject would still tell of whom it was. */
async function removeEmpty(realRoot: string, path: string): Promise<void> {
  for (let folder = path; isBelow(realRoot, folder); folder = dirname(folder)) {
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
