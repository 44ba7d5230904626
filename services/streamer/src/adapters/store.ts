/** Project storage: written aside, flushed, then given its name; never over other bytes, never outside the root. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import {
  link,
  lstat,
  mkdir,
  open,
  readFile,
  realpath,
  rename,
  unlink,
  type FileHandle,
} from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { asideName, fsyncFolder, removeLeftovers, writeFileAtomic } from '@scanflow/chassis';
import { errnoOf, Fault, permanent, transient } from '../domain/failure.ts';
import { MANIFEST_NAME, RECORD_NAME, withSuffix } from '../domain/layout.ts';
import type { Folder, ImageFile, SeriesRecord, Store } from '../ports.ts';
import { reached } from '../trace.ts';

export function createStore(root: string): Store {
  const folderAt = async (names: readonly string[]): Promise<string> => {
    const realRoot = await rootOf(root);
    let path = realRoot;
    for (const name of names) {
      const made = await makeFolder(join(path, name));
      if (made) await fsyncFolder(path);
      // one by one, so that a link is noticed before anything is made behind it
      path = await realpath(join(path, name));
      if (!isBelow(realRoot, path)) throw new Fault(OUTSIDE);
    }
    return path;
  };
  const asFolder = async (path: string, record: SeriesRecord): Promise<Folder> => {
    // of writers that were killed: only one writer works in a series' folder at a time
    await removeLeftovers(path);
    return {
      path,
      below: relative(await rootOf(root), path)
        .split(sep)
        .join('/'),
      record,
    };
  };
  return {
    claim: async (names, fresh) => {
      const suffix = createHash('sha256').update(fresh.orthancSeries).digest('hex').slice(0, 8);
      const last = names.at(-1) ?? '';
      for (const name of [last, `${last}_${suffix}`]) {
        const path = await folderAt([...names.slice(0, -1), name]);
        const record = await claimRecord(path, fresh);
        if (record !== undefined) return asFolder(path, record);
      }
      throw new Fault(TAKEN);
    },
    reopen: async (below, orthancSeries) => {
      const path = join(await rootOf(root), ...below.split('/'));
      const record = await readRecord(path);
      if (record?.orthancSeries !== orthancSeries) return undefined;
      return asFolder(path, record);
    },
    create: (folder) => createImage(folder.path),
    flush: (folder) => fsyncFolder(folder.path),
    writeManifest: (folder, record) => writeFileAtomic(join(folder.path, MANIFEST_NAME), manifestOf(record)),
    writeRecord: (folder, record) => writeFileAtomic(join(folder.path, RECORD_NAME), json(record)),
    pathOf: (below, file) => join(root, ...below.split('/'), file),
    record: async (below) => readRecord(join(await rootOf(root), ...below.split('/'))),
  };
}

const OUTSIDE = permanent(
  'STORE_OUTSIDE_ROOT',
  'The folder of this series leads out of storage.root by a symbolic link. Remove the link, or set storage.root to where it leads.',
);
const TAKEN = permanent(
  'STORE_FOLDER_TAKEN',
  'The folders that this series may use hold an unreadable series.json or belong to other series. Look at them, and move them away.',
);

/** The root is never made: where it is missing, project storage is not mounted. */
async function rootOf(root: string): Promise<string> {
  try {
    return await realpath(root);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    throw new Fault(
      transient(
        'STORE_ROOT_MISSING',
        'storage.root does not exist. Mount project storage or create the folder; storing goes on by itself.',
      ),
    );
  }
}

const isBelow = (root: string, path: string): boolean => {
  const below = relative(root, path);
  return below !== '' && below !== '..' && !below.startsWith(`..${sep}`);
};

/** False where it was there. */
async function makeFolder(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Two series may have one folder by their attributes. The first to put its `series.json` there owns it. The owner
 * is known by its Orthanc id: a digest of patient, study and series, where the Series Instance UID alone may
 * repeat between patients.
 */
async function claimRecord(path: string, fresh: SeriesRecord): Promise<SeriesRecord | undefined> {
  const owner = await readRecord(path);
  if (owner !== undefined) return owner.orthancSeries === fresh.orthancSeries ? owner : undefined;
  const aside = await createImage(path);
  let overtaken: Error | undefined;
  try {
    await aside.write(Buffer.from(json(fresh)));
    if (await aside.publishExactly(RECORD_NAME)) {
      await fsyncFolder(path);
      return fresh;
    }
  } catch (error) {
    // the series that was first has cleared the folder of what lay beside its record
    if (!(error instanceof Error) || errnoOf(error) !== 'ENOENT') throw error;
    overtaken = error;
  } finally {
    await aside.discard();
  }
  const present = await readRecord(path);
  if (present === undefined && overtaken !== undefined) throw overtaken;
  return present?.orthancSeries === fresh.orthancSeries ? present : undefined;
}

async function readRecord(path: string): Promise<SeriesRecord | undefined> {
  try {
    const value = JSON.parse(await readFile(join(path, RECORD_NAME), 'utf8')) as Partial<SeriesRecord> | null;
    const ours =
      value?.version === 1 && typeof value.orthancSeries === 'string' && Array.isArray(value.instances);
    return ours ? (value as SeriesRecord) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR')
      return undefined;
    throw error;
  }
}

const json = (record: SeriesRecord): string => `${JSON.stringify(record, null, 1)}\n`;

/** As `sha256sum` writes and `sha256sum -c` reads it: names are harmless, so nothing needs escaping. */
function manifestOf({ instances }: SeriesRecord): string {
  const lines = new Map(instances.map(({ file, sha256 }) => [file, `${sha256}  ${file}\n`]));
  return [...lines]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, line]) => line)
    .join('');
}

interface AsideFile extends ImageFile {
  /** False where the name is taken. */
  publishExactly(name: string): Promise<boolean>;
}

async function createImage(folder: string): Promise<AsideFile> {
  const aside = asideName(join(folder, 'image'));
  const handle: FileHandle = await open(aside, 'wx', 0o660);
  const hash = createHash('sha256');
  let bytes = 0;
  let open_ = true;
  const finish = async (): Promise<void> => {
    if (!open_) return;
    await handle.sync();
    open_ = false;
    await handle.close();
  };
  const publishExactly = async (name: string): Promise<boolean> => {
    await finish();
    return giveName(aside, join(folder, name));
  };
  return {
    write: async (chunk) => {
      hash.update(chunk);
      bytes += chunk.length;
      for (let from = 0; from < chunk.length;)
        from += (await handle.write(chunk, from, chunk.length - from)).bytesWritten;
    },
    publishExactly,
    publish: async (name) => {
      const sha256 = hash.digest('hex');
      await finish();
      reached('image-flushed');
      for (const file of [name, withSuffix(name, sha256.slice(0, 12)), withSuffix(name, sha256)]) {
        if (await publishExactly(file)) return { file, sha256, bytes };
        if (await holds(join(folder, file), sha256, bytes)) return { file, sha256, bytes };
      }
      throw new Fault(
        permanent('STORE_NAME_TAKEN', 'The name of an image is taken by another file. Move that away.'),
      );
    },
    discard: async () => {
      if (open_) await handle.close();
      open_ = false;
      await unlink(aside).catch((error: unknown) => {
        if (errnoOf(error) !== 'ENOENT') throw error;
      });
    },
  };
}

const NO_HARD_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EINVAL']);

/** link() fails where the name exists, unlike rename(), which would take its place. */
async function giveName(aside: string, path: string): Promise<boolean> {
  try {
    await link(aside, path);
    await unlink(aside);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    if (!NO_HARD_LINKS.has(errnoOf(error) ?? '')) throw error;
  }
  // a file system without hard links: the folder has one writer, so looking first is enough
  try {
    await lstat(path);
    return false;
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
  await rename(aside, path);
  return true;
}

async function holds(path: string, sha256: string, bytes: number): Promise<boolean> {
  const found = await lstat(path);
  if (!found.isFile() || found.size !== bytes) return false;
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex') === sha256;
}
