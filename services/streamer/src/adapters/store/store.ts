/** Project storage: written aside, flushed, then given its name; never over other bytes, never outside the root. */
import { join } from 'node:path';
import { fsyncFolder, removeLeftovers } from '@scanflow/chassis';
import { MANIFEST_NAME, RECORD_NAME } from '../../domain/names.ts';
import type { Folder, SeriesRecord, Store } from '../../ports.ts';
import type { Access } from './access.ts';
import { writeArchive } from './archive.ts';
import { claimFolder } from './claim.ts';
import { folderAt } from './folders.ts';
import { createWithin, isStored, writeOwn, type Collisions } from './image-file.ts';
import { manifestText, readRecord, recordText } from './record.ts';
import { recordedBelow } from './recorded.ts';
import { createRoots, rootOf } from './roots.ts';
import { lowOnSpace, SpaceKeeper, type Floor } from './space.ts';

export interface StoreOptions {
  /** Roots of projects that have one for themselves. */
  readonly otherRoots?: readonly string[];
  readonly access?: Access;
  readonly freeSpace?: Floor | undefined;
  /** What becomes of a series or an image whose name is taken by another. */
  readonly collisions?: Collisions;
}

/** Of sessions whose series have no folder in common. */
const REPORTS = 'scanflow-reports';

/** @param main the root of whatever has none for itself */
export function createStore(
  main: string,
  { otherRoots = [], access = {}, freeSpace, collisions = 'beside' }: StoreOptions = {},
): Store {
  const roots = createRoots(main, otherRoots);
  const space = new SpaceKeeper(freeSpace);
  const asFolder = async (root: string, path: string, record: SeriesRecord): Promise<Folder> => {
    // of writers that were killed: the lease in the ledger lets one writer work in a series' folder at a time, also
    // where several streamers share the work; one that lost its lease finds its file gone, and gives up
    await removeLeftovers(path);
    // one that had it until a moment ago may have written it since; from here on it cannot
    return { path, below: await roots.nameOf(root, path), record: (await readRecord(path)) ?? record };
  };
  /** Undefined where the configuration no longer has its root: the folder may be below another one by now. */
  const pathAt = async (name: string): Promise<{ root: string; path: string } | undefined> => {
    const place = roots.placeOf(name);
    if (place === undefined) return undefined;
    return { root: place.root, path: join(await rootOf(place.root), ...place.names) };
  };
  return {
    claim: async (names, fresh, root = main) => {
      const { path, record } = await claimFolder(root, names, fresh, access, collisions);
      return asFolder(root, path, record);
    },
    reopen: async (below, orthancSeries) => {
      const at = await pathAt(below);
      const record = at === undefined ? undefined : await readRecord(at.path);
      if (at === undefined || record?.orthancSeries !== orthancSeries) return undefined;
      return asFolder(at.root, at.path, record);
    },
    create: (folder, bytes) => createWithin(space, folder.path, bytes, access, collisions),
    flush: (folder) => fsyncFolder(folder.path),
    requireSpace: (folder, bytes) => space.require(folder.path, bytes),
    lowOnSpace: () => lowOnSpace(roots.all, freeSpace),
    archive: async (folder, record, stillOurs) => {
      await space.require(folder.path, bytesOf(record));
      return writeArchive(folder.path, record, access, stillOurs);
    },
    writeManifest: (...given) => writeText(MANIFEST_NAME, manifestText, access, ...given),
    writeRecord: (...given) => writeText(RECORD_NAME, recordText, access, ...given),
    writeReport: async (below, file, text) => {
      const place = (below === '' ? undefined : roots.placeOf(below)) ?? { root: main, names: [REPORTS] };
      const path = await folderAt(place.root, place.names, access);
      await writeOwn(path, file, text, access);
      return roots.nameOf(place.root, path);
    },
    pathOf: (below, file) => roots.pathOf(below, file),
    holds: (below, image) => isStored(roots.pathOf(below, image.file), image),
    record: (below) => pathAt(below).then((at) => (at === undefined ? undefined : readRecord(at.path))),
    recorded: (signal) => recordedBelow(roots, signal),
  };
}

const writeText = (
  name: string,
  text: (record: SeriesRecord) => string,
  access: Access,
  ...[{ path }, record, stillOurs]: Parameters<Store['writeRecord']>
): Promise<void> => writeOwn(path, name, text(record), access, stillOurs);

const bytesOf = ({ instances }: SeriesRecord): number => instances.reduce((sum, { bytes }) => sum + bytes, 0);
