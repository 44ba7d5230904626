/** Writes a backup: aside, file by file with its sum, and named only when it is whole. */
import { createHash } from 'node:crypto';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Config } from '@scanflow/config';
import { codeOf } from '@scanflow/failure';
import { asideName, fsyncFolder, requireFinishedRestore } from '@scanflow/runtime';
import { copyLedger, ledgerIn } from './ledger-file.ts';
import { MANIFEST, type Manifest, type ManifestFile } from './manifest.ts';
import { configSources, dataFolders, filesOf, secretSources, type Source } from './parts.ts';

export interface BackupOptions {
  /** Folder of backups; made where it is not there. */
  readonly folder: string;
  readonly config: Config;
  readonly configFile: string;
  readonly withSecrets: boolean;
  readonly now: Temporal.Instant;
  /** Of Scanflow. */
  readonly version: string;
  readonly signal: AbortSignal;
}

export interface Backup {
  readonly path: string;
  readonly manifest: Manifest;
}

const CHUNK = 1024 * 1024;
/** Nobody else reads what people are called. */
const FOLDER_MODE = 0o700;
const LEDGER = 'ledger/ledger.sqlite';

/** Whatever ends it early leaves no backup. Throws FailureError RESTORE_UNFINISHED where the data are of no one moment. */
export async function writeBackup(options: BackupOptions): Promise<Backup> {
  const { folder, now, config } = options;
  await requireFinishedRestore(config.data);
  await removeAbandoned(folder, now);
  const stamp = now.toString({ smallestUnit: 'second' }).replaceAll(/[-:]/g, '');
  const path = join(folder, `scanflow-${stamp}`);
  const aside = asideName(path);
  await mkdir(aside, { recursive: true, mode: FOLDER_MODE });
  try {
    const manifest = await fill(aside, options);
    await writeOut(join(aside, MANIFEST), Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`));
    await fsyncFolder(aside);
    await rename(aside, path);
    await fsyncFolder(folder);
    return { path, manifest };
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    throw error;
  }
}

/** What `asideName` makes of a backup's name. */
const ABANDONED = /^\.scanflow-(\d{8}T\d{6}Z)\.\d+\.[0-9a-f]{12}\.tmp$/;
/** None takes so long; a younger one may still be written. */
const ABANDONED_HOURS = 24;

/** Removes what killed backups left. */
async function removeAbandoned(folder: string, now: Temporal.Instant): Promise<void> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  });
  for (const name of names) {
    const begun = ABANDONED.exec(name)?.[1];
    if (begun !== undefined && now.since(Temporal.Instant.from(begun)).total('hours') > ABANDONED_HOURS)
      await rm(join(folder, name), { recursive: true, force: true });
  }
}

async function fill(aside: string, options: BackupOptions): Promise<Manifest> {
  const { config, configFile, withSecrets, now, version, signal } = options;
  const { data } = config;
  const files: ManifestFile[] = [];
  const take = async (sources: readonly Source[], mode?: number): Promise<void> => {
    for (const source of sources) {
      signal.throwIfAborted();
      const file = await copy(source, aside, mode);
      if (file !== undefined) files.push(file);
    }
  };
  // what it names (bookings, exams) is copied after it
  const ledger = config.ledger.url !== undefined ? 'postgresql' : await copyOfLedger(aside, data, files);
  for (const name of await dataFolders(data)) await take(await filesOf(data, name));
  await take(await configSources(configFile, config));
  const { folders, sources } = withSecrets ? await secretSources(config) : { folders: [], sources: [] };
  await take(sources);
  return {
    version: 1,
    scanflow: version,
    created: now.toString({ smallestUnit: 'second' }),
    ledger,
    secrets: [...folders],
    files,
  };
}

async function copyOfLedger(aside: string, data: string, files: ManifestFile[]): Promise<'sqlite' | 'none'> {
  const to = join(aside, LEDGER);
  if (!(await copyLedger(ledgerIn(data), to))) return 'none';
  const summed = await sumOf(to);
  files.push({ path: LEDGER, ...summed, mode: 0o640 });
  await fsyncFolder(dirname(to));
  return 'sqlite';
}

/** Undefined where the file went meanwhile: then it was no longer wanted. */
async function copy({ from, path }: Source, aside: string, mode?: number): Promise<ManifestFile | undefined> {
  const to = join(aside, path);
  const source = await open(from, 'r').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (source === undefined) return undefined;
  try {
    await mkdir(dirname(to), { recursive: true, mode: FOLDER_MODE });
    const target = await open(to, 'wx', 0o600);
    const hash = createHash('sha256');
    let bytes = 0;
    try {
      const buffer = Buffer.alloc(CHUNK);
      for (;;) {
        const { bytesRead } = await source.read(buffer, 0, CHUNK);
        if (bytesRead === 0) break;
        const part = buffer.subarray(0, bytesRead);
        hash.update(part);
        await target.writeFile(part);
        bytes += bytesRead;
      }
      await target.sync();
    } finally {
      await target.close();
    }
    const found = await source.stat();
    return { path, bytes, sha256: hash.digest('hex'), mode: mode ?? found.mode & 0o777 };
  } finally {
    await source.close();
  }
}

/** Sum and size of a file. */
export async function sumOf(path: string): Promise<{ bytes: number; sha256: string }> {
  const file = await open(path, 'r');
  try {
    const hash = createHash('sha256');
    let bytes = 0;
    const buffer = Buffer.alloc(CHUNK);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, CHUNK);
      if (bytesRead === 0) return { bytes, sha256: hash.digest('hex') };
      hash.update(buffer.subarray(0, bytesRead));
      bytes += bytesRead;
    }
  } finally {
    await file.close();
  }
}

async function writeOut(path: string, bytes: Buffer): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}
