/** Project storage: written aside, flushed, then given its name; never over other bytes, never outside the root. */
import { join, relative, sep } from 'node:path';
import { fsyncFolder, removeLeftovers, writeFileAtomic } from '@scanflow/chassis';
import { MANIFEST_NAME, RECORD_NAME } from '../../domain/names.ts';
import type { Folder, SeriesRecord, Store } from '../../ports.ts';
import { claimFolder } from './claim.ts';
import { createImage } from './image-file.ts';
import { manifestText, readRecord, recordText } from './record.ts';
import { rootOf } from './root.ts';

export function createStore(root: string): Store {
  const asFolder = async (path: string, record: SeriesRecord): Promise<Folder> => {
    // of writers that were killed: only one writer works in a series' folder at a time
    await removeLeftovers(path);
    const below = relative(await rootOf(root), path)
      .split(sep)
      .join('/');
    return { path, below, record };
  };
  return {
    claim: async (names, fresh) => {
      const { path, record } = await claimFolder(root, names, fresh);
      return asFolder(path, record);
    },
    reopen: async (below, orthancSeries) => {
      const path = join(await rootOf(root), ...below.split('/'));
      const record = await readRecord(path);
      if (record?.orthancSeries !== orthancSeries) return undefined;
      return asFolder(path, record);
    },
    create: (folder) => createImage(folder.path),
    flush: (folder) => fsyncFolder(folder.path),
    writeManifest: (folder, record) =>
      writeFileAtomic(join(folder.path, MANIFEST_NAME), manifestText(record)),
    writeRecord: (folder, record) => writeFileAtomic(join(folder.path, RECORD_NAME), recordText(record)),
    pathOf: (below, file) => join(root, ...below.split('/'), file),
    record: async (below) => readRecord(join(await rootOf(root), ...below.split('/'))),
  };
}
