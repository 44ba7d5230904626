/** The parts of a backup, and the order in which they are copied. */
import { readdir, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import type { Config } from '@scanflow/config';
import { absent } from '@scanflow/runtime';

/** A file to copy, and its place in the backup. */
export interface Source {
  readonly from: string;
  readonly path: string;
}

/** Copied last, and in this order: a file is copied before the files that it names. The ledger comes before all. */
const LAST: readonly string[] = ['performed', 'worklist', 'bookings', 'cal2wl'];

/** Files of the streamer that are not copied: SQLite copies the ledger, the rest is temporary. */
const NOT_OF_STREAMER = /^(?:ledger\.sqlite.*|rebuild\.json|transcoded)$/;

/** A missing token is made anew. What the receiver has not given to Orthanc yet is temporary. */
const NOT_SAVED: ReadonlySet<string> = new Set(['token', 'receiver']);

/** What a restore left, and unfinished files. */
const OURS = /^\.(?:before-restore-|restoring-)|\.tmp$|\.lock$/;

const MOST_CONFIG_FILES = 1000;
const MOST_CONFIG_BYTES = 1_048_576;
const MOST_SECRETS = 100;

/** Folders of the data folder, in order. */
export async function dataFolders(data: string): Promise<string[]> {
  const entries = await readdir(data, { withFileTypes: true }).catch(none);
  const names = entries
    .filter((entry) => entry.isDirectory() && !NOT_SAVED.has(entry.name) && !OURS.test(entry.name))
    .map(({ name }) => name);
  return names.toSorted((a, b) => LAST.indexOf(a) - LAST.indexOf(b) || (a < b ? -1 : 1));
}

/** Files of one folder of the data folder. */
export async function filesOf(data: string, folder: string): Promise<Source[]> {
  const root = join(data, folder);
  const skipped = folder === 'streamer' ? NOT_OF_STREAMER : undefined;
  const found = await filesBelow(root, (name) => OURS.test(name) || skipped?.test(name) === true);
  return found.map((from) => ({ from, path: within(join('data', folder), root, from) }));
}

/**
 * The file of the configuration, the files beside it, and files in folders below that it names. Other files below are not
 * saved: project storage may be there.
 */
export async function configSources(file: string, config: Config): Promise<Source[]> {
  const path = resolve(file);
  const folder = dirname(path);
  const secrets = namedFiles(config, SECRET_KEYS);
  const beside: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(none))
    if (entry.isFile() && !OURS.test(entry.name) && !entry.name.startsWith('.'))
      beside.push(join(folder, entry.name));
  const small = await smallOnes(beside.length > MOST_CONFIG_FILES ? [path] : beside);
  const named = [...namedFiles(config, FILE_KEYS)].filter((one) => one.startsWith(`${folder}${sep}`));
  return [...new Set([...small, ...named])]
    .filter((from) => !secrets.has(from))
    .map((from) => ({ from, path: within('config', folder, from) }));
}

async function smallOnes(files: readonly string[]): Promise<string[]> {
  const small: string[] = [];
  for (const file of files) if ((await stat(file)).size <= MOST_CONFIG_BYTES) small.push(file);
  return small;
}

/** Keys of calendars, projects and certificates. */
const FILE_KEYS: ReadonlySet<string> = new Set(['file', 'certificate', 'ca']);
const SECRET_KEYS: ReadonlySet<string> = new Set([
  'passwordFile',
  'tokenFile',
  'proxyPasswordFile',
  'secretFile',
  'key',
]);

/** Files that the configuration names under these keys. */
function namedFiles(config: unknown, keys: ReadonlySet<string>): ReadonlySet<string> {
  const found = new Set<string>();
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, inner] of Object.entries(value))
      if (keys.has(key) && typeof inner === 'string' && inner.startsWith('/')) found.add(inner);
      else look(inner);
  };
  look(config);
  return found;
}

/** The stack's passwords are below, including those of Orthanc and PostgreSQL. */
const STACK = '/run/secrets/';

/** The folders of secrets, and their files to save. */
export async function secretSources(
  config: Config,
): Promise<{ readonly folders: readonly string[]; readonly sources: readonly Source[] }> {
  const named = [...namedFiles(config, SECRET_KEYS)];
  const folders = [...new Set(named.map((file) => dirname(file)))].toSorted();
  const sources: Source[] = [];
  for (const [index, folder] of folders.entries()) {
    const stack = folder.startsWith(STACK);
    const files = stack
      ? await filesBelow(folder, (name) => OURS.test(name), MOST_SECRETS)
      : named.filter((file) => dirname(file) === folder);
    sources.push(...files.map((from) => ({ from, path: within(`secrets/${index}`, folder, from) })));
  }
  return { folders, sources };
}

const within = (top: string, root: string, file: string): string =>
  [...top.split(sep), ...relative(root, file).split(sep)].join('/');

/** Files below a folder, at most `most`. Does not follow links. */
async function filesBelow(
  root: string,
  skip: (name: string) => boolean,
  most = Number.POSITIVE_INFINITY,
): Promise<string[]> {
  const found: string[] = [];
  const open = [root];
  for (let folder = open.pop(); folder !== undefined && found.length < most; folder = open.pop()) {
    const entries = await readdir(folder, { withFileTypes: true }).catch(none);
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      if (skip(entry.name)) continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) open.push(path);
      else if (entry.isFile()) found.push(path);
    }
  }
  return found.slice(0, most);
}

/** A folder that does not exist is empty. */
function none(error: unknown): [] {
  absent(error);
  return [];
}
