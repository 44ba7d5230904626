/** What a backup copies: the parts, in their order, and SQLite files of one moment while their services run. */
import { readdir, stat, copyFile, mkdir, rm } from 'node:fs/promises';
import { isAbsolute, dirname, join, relative, resolve, sep } from 'node:path';
import type { Config } from '@scanflow/config';
import { messageOf } from '@scanflow/failure';
import { absent, stampOf } from '@scanflow/runtime';
import { DatabaseSync } from 'node:sqlite';
import { filesIn, type NamedFile } from '../installation.ts';

/** A file to copy, and its place in the backup. */
export interface Source {
  readonly from: string;
  readonly path: string;
}

/** Copied last, and in this order: a file is copied before the files that it names. The ledger comes before all. */
const LAST: readonly string[] = ['performed', 'worklist', 'bookings', 'cal2wl'];

/** Files that are not copied: SQLite copies the ledger and the users, the rest is temporary. */
const SKIPPED: Readonly<Record<string, RegExp>> = {
  streamer: /^(?:ledger\.sqlite.*|rebuild\.json|transcoded)$/,
  // links of consoles are made anew
  dashboard: /^(?:users|consoles)\.sqlite.*$/,
};

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
  const skipped = SKIPPED[folder];
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
  const secrets = namedFiles(config, true);
  const beside: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(none))
    if (entry.isFile() && !OURS.test(entry.name) && !entry.name.startsWith('.'))
      beside.push(join(folder, entry.name));
  const small = await smallOnes(beside.length > MOST_CONFIG_FILES ? [path] : beside);
  const named = [...namedFiles(config, false)].filter((one) => one.startsWith(`${folder}${sep}`));
  return [...new Set([...small, ...named])]
    .filter((from) => !secrets.has(from))
    .map((from) => ({ from, path: within('config', folder, from) }));
}

async function smallOnes(files: readonly string[]): Promise<string[]> {
  const small: string[] = [];
  for (const file of files) if ((await stat(file)).size <= MOST_CONFIG_BYTES) small.push(file);
  return small;
}

const isSecret = ({ kind }: NamedFile): boolean => kind === 'secret' || kind === 'key';

/** Paths of the secrets that the configuration names, or of the other files. */
const namedFiles = (config: Config, secrets: boolean): ReadonlySet<string> =>
  new Set(
    filesIn(config)
      .filter((file) => isSecret(file) === secrets && isAbsolute(file.path))
      .map(({ path }) => path),
  );

/** The stack's passwords are below, including those of Orthanc and PostgreSQL. */
const STACK = '/run/secrets/';

/** The folders of secrets, and their files to save. */
export async function secretSources(
  config: Config,
): Promise<{ readonly folders: readonly string[]; readonly sources: readonly Source[] }> {
  const named = [...namedFiles(config, true)];
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

export const ledgerIn = (data: string): string => join(data, 'streamer', 'ledger.sqlite');
/** Of the day board. */
export const usersIn = (data: string): string => join(data, 'dashboard', 'users.sqlite');

const WAIT_MS = 30_000;
const TRIES = 5;

/** Writes a complete copy to `to`. False if there is no ledger. Throws an Error that says what to do. */
export const copyLedger = (path: string, to: string): Promise<boolean> =>
  copySqlite(path, to, 'the ledger', 'Where it is damaged: scanflow ledger rebuild.');

/** Browsers sign in anew after a restore: nothing in a backup opens the board. */
const WITHOUT_SESSIONS = 'DELETE FROM session; DELETE FROM invitation; DELETE FROM spent; VACUUM';

/** The same for the users of the board and its audit log, without sessions and invitations. */
export async function copyUsers(path: string, to: string): Promise<boolean> {
  const remedy = 'Where it is damaged: stop the dashboard, and restore an older backup.';
  return copySqlite(path, to, 'the file of users', remedy, WITHOUT_SESSIONS);
}

/** `then`: SQL that runs in the copy. */
async function copySqlite(
  path: string,
  to: string,
  what: string,
  remedy: string,
  then = '',
): Promise<boolean> {
  if ((await stamps(path)).file === undefined) return false;
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  try {
    await snapshot(path, to);
    if (then !== '') change(to, then);
  } catch (error) {
    await rm(to, { force: true });
    throw new Error(`${what} ${path} cannot be copied (${messageOf(error)}). ${remedy}`, { cause: error });
  }
  return true;
}

function change(path: string, sql: string): void {
  const db = new DatabaseSync(path);
  try {
    db.exec(`PRAGMA secure_delete = ON; ${sql}`);
  } finally {
    db.close();
  }
}

/** SQLite reads the file while its service writes. If the folder is read-only, the files are copied first. */
async function snapshot(path: string, to: string): Promise<void> {
  try {
    vacuum(path, to);
  } catch (error) {
    if (!isReadOnly(error)) throw error;
    await copyStill(path, `${to}.read`);
    vacuum(`${to}.read`, to);
    for (const suffix of SUFFIXES) await rm(`${to}.read${suffix}`, { force: true });
  }
  check(to);
}

const SUFFIXES = ['', '-wal', '-shm'] as const;

/** SQLITE_READONLY, SQLITE_CANTOPEN: SQLite cannot write the files that it needs for reading. */
const isReadOnly = (error: unknown): boolean =>
  error instanceof Error && 'errcode' in error && [8, 14].includes(Number(error.errcode) & 0xff);

function vacuum(path: string, to: string): void {
  const db = new DatabaseSync(path, { readOnly: true, timeout: WAIT_MS });
  try {
    db.prepare('VACUUM INTO ?').run(to);
  } finally {
    db.close();
  }
}

function check(path: string): void {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const said = db.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
    if (said !== 'ok') throw new Error(String(said));
  } finally {
    db.close();
  }
}

/** Copies file and log of one moment: both are unchanged after the copy. */
async function copyStill(path: string, to: string): Promise<void> {
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const before = await stamps(path);
    for (const suffix of SUFFIXES) await rm(`${to}${suffix}`, { force: true });
    await copyFile(path, to);
    if (before.wal !== undefined) await copyFile(`${path}-wal`, `${to}-wal`);
    const after = await stamps(path);
    if (before.file === after.file && before.wal === after.wal) return;
  }
  throw new Error('it changes all the time');
}

async function stamps(path: string): Promise<{ file: string | undefined; wal: string | undefined }> {
  return { file: await stampOf(path), wal: await stampOf(`${path}-wal`) };
}

/** Takes the lock of a file's service until `release`: it cannot start meanwhile. Undefined if it runs. */
export async function lockSqlite(file: string): Promise<{ readonly release: () => void } | undefined> {
  const path = `${file}.lock`;
  await mkdir(dirname(path), { recursive: true, mode: 0o750 });
  const lock = new DatabaseSync(path, { timeout: 1000 });
  try {
    lock.exec('PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if (messageOf(error).includes('locked')) return undefined;
    throw error;
  }
  return { release: () => lock.close() };
}
