/** Files that are either whole or absent: written aside, synchronised, renamed. */
import { randomBytes } from 'node:crypto';
import { open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { codeOf } from './failure.ts';

const SECRET_LIMIT = 65_536;

/**
 * Writes a file so that its name stands for the old content or the new, never for anything between, also
 * after a crash: aside in the same folder, fsync, rename, fsync of the folder.
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array,
  { mode = 0o644 }: { mode?: number } = {},
): Promise<void> {
  const aside = asideName(path);
  try {
    const file = await open(aside, 'wx', mode);
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, path);
  } catch (error) {
    await unlink(aside).catch(() => undefined);
    throw error;
  }
  await fsyncFolder(dirname(path));
}

/** The hidden name beside `path` under which it is written: `.name.<pid>.<random>.tmp`. */
export const asideName = (path: string): string =>
  join(dirname(path), `.${basename(path)}.${process.pid}.${randomBytes(6).toString('hex')}.tmp`);

/** Makes renames and new names in a folder durable. */
export async function fsyncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Removes what killed writers left in a folder (`.name.<pid>.<random>.tmp`); gives the names. Run it before writing starts. */
export async function removeLeftovers(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  });
  const leftovers = names.filter((name) => /^\..+\.\d+\.[0-9a-f]{12}\.tmp$/.test(name));
  for (const name of leftovers) await unlink(join(folder, name));
  return leftovers;
}

/** Reads a secret: the file's text without one newline at its end. At most 64 KiB. */
export async function readSecret(path: string): Promise<string> {
  let text: string;
  try {
    if ((await stat(path)).size > SECRET_LIMIT) throw new Error('it is larger than 64 KiB');
    text = await readFile(path, 'utf8');
  } catch (error) {
    const hint =
      codeOf(error) === 'EACCES' ? `; let the user or group of this process read it (chgrp, chmod 640)` : '';
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`the secret ${path} cannot be read: ${why}${hint}`, { cause: error });
  }
  const secret = text.replace(/\r?\n$/, '');
  if (secret === '') throw new Error(`the secret ${path} is empty`);
  return secret;
}
