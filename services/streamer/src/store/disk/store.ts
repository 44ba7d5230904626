/** Project storage: written aside, flushed, then given its name; never over other bytes, never outside the root. */
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fsyncFolder, removeLeftovers } from '@scanflow/runtime';
import { MANIFEST_NAME, RECORD_NAME } from './names.ts';
import type { Folder, RootGuard, SeriesRecord, Store } from '../types.ts';
import type { Access } from './folders.ts';
import { writeArchive } from './archive.ts';
import {
  claimFolder,
  manifestText,
  readRecord,
  recordText,
  recordedBelow,
  isClaimed,
  nextNames,
} from './record.ts';
import { examine, readPieces, requirePresent, setAside } from './examine.ts';
import { eraseFolder, eraseReports, leaveFolder } from './remove.ts';
import {
  folderAt,
  createRoots,
  rootOf,
  type Roots,
  absentIn,
  placeWithin,
  requireUnmoved,
} from './folders.ts';
import { createWithin, isStored, writeOwn, type Collisions } from './image-file.ts';
import { lowOnSpace, SpaceKeeper, type Floor } from './space.ts';
import { allDecisions, readDecision, removeDecision, writeDecision } from '../decisions.ts';

interface StoreOptions {
  /** Roots of projects that have one for themselves. */
  readonly otherRoots?: readonly string[];
  readonly access?: Access;
  readonly freeSpace?: Floor | undefined;
  /** What becomes of a series or an image whose name is taken by another. */
  readonly collisions?: Collisions;
  readonly guard?: RootGuard;
}

/** Of sessions whose series have no folder in common. */
const REPORTS = 'scanflow-reports';

interface Ground {
  readonly main: string;
  readonly roots: Roots;
  readonly space: SpaceKeeper;
  readonly access: Access;
  readonly collisions: Collisions;
  readonly guard: RootGuard;
}

const UNGUARDED: RootGuard = { ready: () => Promise.resolve(), written: () => Promise.resolve() };

/** @param main the root of whatever has none for itself */
export function createStore(
  main: string,
  { otherRoots = [], access = {}, freeSpace, collisions = 'beside', guard = UNGUARDED }: StoreOptions = {},
): Store {
  const roots = createRoots(main, otherRoots);
  const ground = { main, roots, space: new SpaceKeeper(freeSpace), access, collisions, guard };
  return {
    ...foldersOn(ground),
    ...writersOn(ground),
    ...changesOn(ground),
    lowOnSpace: () => lowOnSpace(roots.all, freeSpace),
    pathOf: (below, file) => roots.pathOf(below, file),
    holds: (below, image) => isStored(roots.pathOf(below, image.file), image),
    recorded: (signal) => recordedBelow(roots, guard, signal),
    ...erasingOn(ground),
  };
}

/** Nothing is written, and nothing outside the roots is touched. */
const erasingOn = ({ roots, guard }: Ground): Pick<Store, 'remove' | 'removeReports'> => ({
  remove: async (below, series) => {
    const at = await placeWithin(roots, guard, below);
    return at === undefined ? undefined : eraseFolder(await rootOf(at.root), at.path, series);
  },
  removeReports: async (below, session) => {
    const at = await placeWithin(roots, guard, below === '' ? REPORTS : below);
    return at === undefined ? 0 : eraseReports(await rootOf(at.root), at.path, session);
  },
});

/** Whose folders they are, and what is in them. */
function foldersOn({
  main,
  roots,
  access,
  collisions,
  guard,
}: Ground): Pick<Store, 'claim' | 'reopen' | 'absent' | 'record' | Reading> {
  const asFolder = async (root: string, path: string, record: SeriesRecord): Promise<Folder> => {
    // of writers that were killed: the lease in the ledger lets one writer work in a series' folder at a time, also
    // where several streamers share the work; one that lost its lease finds its file gone, and gives up
    await removeLeftovers(path);
    // one that had it until a moment ago may have written it since; from here on it cannot
    return { path, below: await roots.nameOf(root, path), record: (await readRecord(path)) ?? record };
  };
  const pathAt = (name: string): ReturnType<typeof placeWithin> => placeWithin(roots, guard, name);
  return {
    claim: async (names, fresh, root = main) => {
      await guard.ready(root);
      const { path, record } = await claimFolder(root, names, fresh, access, collisions);
      return asFolder(root, path, record);
    },
    reopen: async (below, orthancSeries) => {
      const at = await pathAt(below);
      const record = at === undefined ? undefined : await readRecord(at.path);
      if (at === undefined || record?.orthancSeries !== orthancSeries) return undefined;
      return asFolder(at.root, at.path, record);
    },
    absent: async (below, expected) => {
      const at = await pathAt(below);
      return at === undefined ? new Set(expected) : absentIn(at.path, expected);
    },
    record: async (below) => {
      const at = await pathAt(below);
      return at === undefined ? undefined : readRecord(at.path);
    },
    ...readingOf(pathAt, async (below) => {
      const root = roots.placeOf(below)?.root ?? main;
      await guard.ready(root);
      await requirePresent(root);
    }),
  };
}

/** What is written into a folder that was claimed. */
function writersOn({
  main,
  roots,
  space,
  access,
  collisions,
  guard,
}: Ground): Pick<
  Store,
  'create' | 'flush' | 'requireSpace' | 'archive' | 'writeManifest' | 'writeRecord' | 'writeReport'
> {
  const rootOfFolder = ({ below }: Folder): string => roots.placeOf(below)?.root ?? main;
  const flush = async (folder: Folder): Promise<void> => {
    await guard.ready(rootOfFolder(folder));
    await requireUnmoved(folder.path);
    await fsyncFolder(folder.path);
  };
  return {
    create: (folder, bytes) => createWithin(space, folder.path, bytes, access, collisions),
    flush,
    requireSpace: (folder, bytes) => space.require(folder.path, bytes),
    archive: async (folder, record, stillOurs) => {
      await space.require(folder.path, bytesOf(record));
      return writeArchive(folder.path, record, access, stillOurs);
    },
    writeManifest: (...given) => writeText(MANIFEST_NAME, manifestText, access, ...given),
    writeRecord: async (folder, record, stillOurs) => {
      await guard.ready(rootOfFolder(folder));
      await writeText(RECORD_NAME, recordText, access, folder, record, stillOurs);
      await guard.written(rootOfFolder(folder));
    },
    writeReport: async (below, file, text) => {
      const place = (below === '' ? undefined : roots.placeOf(below)) ?? { root: main, names: [REPORTS] };
      await guard.ready(place.root);
      const path = await folderAt(place.root, place.names, access);
      await writeOwn(path, file, text, access);
      return roots.nameOf(place.root, path);
    },
  };
}

type Reading = 'examine' | 'requireRoot' | 'read' | 'setAside';

/** What verification reads, and what it keeps beside. */
const readingOf = (
  pathAt: (name: string) => Promise<{ readonly path: string } | undefined>,
  requireRoot: (name: string) => Promise<void>,
): Pick<Store, Reading> => ({
  examine: async (below, file, passes) => {
    const at = await pathAt(below);
    return at === undefined ? 'missing' : examine(at.path, file, passes);
  },
  requireRoot,
  read: async (below, file) => readPieces((await pathAt(below))?.path, file),
  setAside: (folder, file) => setAside(folder.path, file),
});

const writeText = (
  name: string,
  text: (record: SeriesRecord) => string | Iterable<string>,
  access: Access,
  ...[{ path }, record, stillOurs]: Parameters<Store['writeRecord']>
): Promise<void> => writeOwn(path, name, text(record), access, stillOurs);

const bytesOf = ({ instances }: SeriesRecord): number => instances.reduce((sum, { bytes }) => sum + bytes, 0);

type Changes = Pick<
  Store,
  | 'isAt'
  | 'nextNames'
  | 'open'
  | 'leave'
  | 'removeReport'
  | 'decision'
  | 'keepDecision'
  | 'decisions'
  | 'dropDecision'
>;

const changesOn = ({ main, roots, access, guard, collisions }: Ground): Changes => ({
  nextNames: async (names, series, root = main) => {
    await guard.ready(root);
    return nextNames(root, names, series, collisions);
  },
  isAt: async (names, series, root = main) => {
    await guard.ready(root);
    return isClaimed(root, names, series);
  },
  open: (below, { file, bytes }) => ({
    bytes,
    md5: undefined,
    chunks: createReadStream(roots.pathOf(below, file)) as AsyncIterable<Uint8Array>,
  }),
  leave: async (below, series, stillOurs) => {
    const at = await placeWithin(roots, guard, below);
    return at === undefined ? [] : leaveFolder(await rootOf(at.root), at.path, series, stillOurs);
  },
  removeReport: async (below, file) => {
    const at = await placeWithin(roots, guard, below);
    if (at !== undefined) await rm(join(at.path, file), { force: true });
  },
  decision: (series) => readDecision(main, series),
  keepDecision: async (series, decision) => {
    await guard.ready(main);
    await writeDecision(main, series, decision, access);
  },
  decisions: () => allDecisions(main),
  dropDecision: (series) => removeDecision(main, series),
});
