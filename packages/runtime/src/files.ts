/** Files that are either whole or absent: written aside, synchronised, renamed. */
import { randomBytes } from 'node:crypto';
import { chmod, link, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { codeOf, messageOf } from '@scanflow/failure';

const SECRET_LIMIT = 65_536;
/** Linux takes names of 255 bytes; what is added to the name when it is written aside needs up to 40. */
const LONGEST_STEM_BYTES = 200;

/**
 * Writes a file so that its name stands for the old content or the new, never for anything between, also
 * after a crash: aside in the same folder, fsync, rename, fsync of the folder.
 * @param options.before runs right before the rename; if it throws, the name stays as it was
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array,
  { mode = 0o644, before }: { mode?: number; before?: () => void } = {},
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
    before?.();
    await rename(aside, path);
  } catch (error) {
    await unlink(aside).catch(() => undefined);
    throw error;
  }
  await fsyncFolder(dirname(path));
}

/** Writes a whole file where there is none, and answers whether it did. Half a file never stands under the name. */
export async function createFileOnce(
  path: string,
  data: string | Uint8Array,
  { mode = 0o644 }: { mode?: number } = {},
): Promise<boolean> {
  const aside = asideName(path);
  const file = await open(aside, 'wx', 0o600);
  try {
    await file.writeFile(data);
    await file.sync();
    await file.close();
    await chmod(aside, mode);
    // a link, unlike a rename, does not replace what is there
    await link(aside, path);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await file.close().catch(() => undefined);
    await unlink(aside).catch(() => undefined);
  }
  await fsyncFolder(dirname(path));
  return true;
}

/** The hidden name beside `path` under which it is written: `.name.<pid>.<random>.tmp`; long names are cut. */
export const asideName = (path: string): string =>
  join(dirname(path), `.${stem(basename(path))}.${process.pid}.${randomBytes(6).toString('hex')}.tmp`);

function stem(name: string): string {
  const bytes = Buffer.from(name);
  if (bytes.length <= LONGEST_STEM_BYTES) return name;
  // a character that the cut halves is dropped
  return bytes
    .subarray(0, LONGEST_STEM_BYTES)
    .toString()
    .replace(/\ufffd+$/, '');
}

/** Makes renames and new names in a folder durable. Rejects with the error of the system, such as ENOENT. */
export async function fsyncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/**
 * Removes what killed writers left in a folder (`.name.<pid>.<random>.tmp`); gives the names. Run it before writing
 * starts. Where other processes write, too, give an age that no write takes: process ids say nothing across containers.
 */
export async function removeLeftovers(folder: string, olderThanMs = 0): Promise<string[]> {
  const asides = (await namesIn(folder)).filter((name) => /^\..+\.\d+\.[0-9a-f]{12}\.tmp$/.test(name));
  const leftovers: string[] = [];
  for (const path of asides.map((name) => join(folder, name))) {
    if (olderThanMs > 0 && !(await isOlder(path, olderThanMs))) continue;
    // one that is gone by now was its writer's own to take away
    await unlink(path).catch(absent);
    leftovers.push(basename(path));
  }
  return leftovers;
}

async function isOlder(path: string, ms: number): Promise<boolean> {
  const found = await stat(path).catch(absent);
  return found !== undefined && found.mtimeMs < Temporal.Now.instant().epochMilliseconds - ms;
}

/** The names in a folder; an empty list if there is no such folder. Other errors of the system reject. */
export const namesIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder).catch(absent)) ?? [];

/** A text that changes when another file takes the name, or the file changes in size or time. Undefined: there is none. */
export async function stampOf(path: string): Promise<string | undefined> {
  const found = await stat(path, { bigint: true }).catch(absent);
  return found && `${found.ino}-${found.size}-${found.mtimeNs}`;
}

/** For `catch`: nothing where a file or folder is not there. Throws any other error. */
export function absent(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT') throw error;
}

/** The bytes of a file, at most `limit` and one more, so that a huge or endless file costs nothing and shows. */
export async function readBounded(path: string, limit: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const chunks: Buffer[] = [];
    for (let left = limit + 1; left > 0;) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(left, 65_536)));
      if (bytesRead === 0) break;
      chunks.push(buffer.subarray(0, bytesRead));
      left -= bytesRead;
    }
    return Buffer.concat(chunks);
  } finally {
    await file.close();
  }
}

/**
 * Reads a secret: the file's text without one newline at its end. At most 64 KiB, not empty, UTF-8. Throws an Error
 * that names the file and says what to do; never with anything of the content.
 */
export async function readSecret(path: string): Promise<string> {
  const trouble = (what: string, cause?: unknown): Error =>
    new Error(`the secret ${path} ${what}`, cause === undefined ? undefined : { cause });
  const bytes = await readBounded(path, SECRET_LIMIT).catch((error: unknown) => {
    throw trouble(`cannot be read: ${messageOf(error)}${SECRET_HINTS[codeOf(error) ?? ''] ?? ''}`, error);
  });
  if (bytes.length > SECRET_LIMIT) throw trouble('cannot be read: it is larger than 64 KiB');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw trouble('cannot be read: it is not UTF-8 text', error);
  }
  const secret = text.replace(/\r?\n$/, '');
  if (secret === '') throw trouble('is empty');
  return secret;
}

const SECRET_HINTS: Readonly<Record<string, string>> = {
  EACCES: '; let the user or the group of this process read it (chgrp, chmod 640)',
  ENOENT:
    '; write it there, or correct passwordFile; the secrets of the compose stack: docker compose run --rm secrets',
};
