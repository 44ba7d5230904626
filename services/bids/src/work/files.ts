/** Files of a dataset: hashes, lists, and writing that outlives a power cut. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, mkdir, open, readdir, readlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { absent, fsyncFolder } from '@scanflow/runtime';
import { codeOf, FailureError, messageOf, transient } from '@scanflow/failure';

/** SHA-256 of a file; of a symbolic link, that of where it points, with a mark. */
export async function hashOf(path: string): Promise<string> {
  const found = await lstat(path);
  if (found.isSymbolicLink()) return `link:${await readlink(path)}`;
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

/** A text that changes when the file does; undefined where there is none. */
export async function stampOf(path: string): Promise<string | undefined> {
  const found = await lstat(path, { bigint: true }).catch(gone);
  return found === undefined ? undefined : `${found.ino}-${found.size}-${found.mtimeNs}`;
}

/** For `catch`: nothing where a file, or a folder on the way to it, is not there. */
export function gone(error: unknown): undefined {
  if (codeOf(error) !== 'ENOTDIR') absent(error);
}

export const exists = async (path: string): Promise<boolean> => (await lstat(path).catch(gone)) !== undefined;

const MAX_DEPTH = 20;

/** Files and symbolic links below `folder`, relative to it, sorted; none where there is no such folder. */
export async function listFiles(folder: string, depth = 0): Promise<string[]> {
  if (depth > MAX_DEPTH) throw new RangeError(`${folder}: more than ${MAX_DEPTH} folders deep`);
  const entries = (await readdir(folder, { withFileTypes: true }).catch(gone)) ?? [];
  const found: string[] = [];
  for (const entry of entries) {
    if (!entry.isDirectory()) found.push(entry.name);
    else
      found.push(
        ...(await listFiles(join(folder, entry.name), depth + 1)).map((one) => `${entry.name}/${one}`),
      );
  }
  return found.sort();
}

/** Writes a new file and its bytes to the disk; the folder is made where it is not there. */
export async function writeNew(path: string, text: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, 'wx', 0o644);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes all names below a folder, and its own, durable. */
export async function syncTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true }))
    if (entry.isDirectory()) await syncTree(join(folder, entry.name));
  await fsyncFolder(folder);
}

/** An error of the system while the dataset was written, as a failure. Gives any other error back. */
export function writeFailure(error: unknown, root: string): unknown {
  const code = error instanceof FailureError ? undefined : codeOf(error);
  if (code === undefined || !/^E[A-Z0-9]+$/.test(code)) return error;
  const isFull = code === 'ENOSPC' || code === 'EDQUOT';
  return new FailureError(
    transient(
      isFull ? 'BIDS_DISK_FULL' : 'BIDS_WRITE',
      isFull
        ? `The file system of ${root} is full (${code}). No file of the dataset is half written. Make room; the session is converted again by itself.`
        : `The dataset ${root} cannot be written: ${messageOf(error)}. The session is converted again later.`,
    ),
    error,
  );
}
