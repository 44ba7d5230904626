/** A stored file read once more, in pieces, and compared with what was stored. */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, opendir, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { fsyncFolder } from '@scanflow/runtime';
import { FailureError, codeOf, transient } from '@scanflow/failure';
import { withSuffix } from './names.ts';
import { giveName } from './image-file.ts';
import type { FileState, StoredFile } from '../types.ts';
import { rootOf } from './folders.ts';

/** Read at a time: small enough for the event loop, which hashes it, and large enough for a share. */
const PIECE = 256 * 1024;
/** A link is not followed, and a pipe is not waited for. */
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Calls `passes` before each piece. Throws what concerns more than this file, such as a stale handle. */
export async function examine(
  folder: string,
  expected: StoredFile,
  passes: (bytes: number) => Promise<void>,
): Promise<FileState> {
  try {
    const handle = await open(join(folder, expected.file), READ);
    try {
      return (await compare(handle, expected, passes)) ? 'good' : 'changed';
    } finally {
      await handle.close();
    }
  } catch (error) {
    const state = STATES[codeOf(error) ?? ''];
    if (state === undefined) throw error;
    return state;
  }
}

const STATES: Readonly<Record<string, FileState>> = {
  ENOENT: 'missing',
  ENOTDIR: 'missing',
  // a link, or a socket, has taken its place
  ELOOP: 'changed',
  ENXIO: 'changed',
  EACCES: 'unreadable',
  EPERM: 'unreadable',
  EIO: 'unreadable',
};

async function compare(
  handle: FileHandle,
  { sha256, bytes }: StoredFile,
  passes: (bytes: number) => Promise<void>,
): Promise<boolean> {
  const found = await handle.stat();
  if (!found.isFile() || found.size !== bytes) return false;
  const hash = createHash('sha256');
  const piece = Buffer.allocUnsafe(Math.min(PIECE, Math.max(bytes, 1)));
  for (let read = 0; read < bytes;) {
    await passes(Math.min(piece.length, bytes - read));
    const { bytesRead } = await handle.read(piece, 0, piece.length, null);
    if (bytesRead === 0) return false;
    hash.update(piece.subarray(0, bytesRead));
    read += bytesRead;
  }
  return hash.digest('hex') === sha256;
}

/** A root without anything in it is one that nothing is mounted on. Throws STORE_ROOT_MISSING, STORE_ROOT_EMPTY. */
export async function requirePresent(root: string): Promise<void> {
  const folder = await opendir(await rootOf(root));
  try {
    if ((await folder.read()) === null) throw new FailureError(EMPTY);
  } finally {
    await folder.close();
  }
}

const EMPTY = transient(
  'STORE_ROOT_EMPTY',
  'The root is empty: most likely project storage is not mounted. Mount it; verifying goes on by itself.',
);

/** Its bytes; a folder that is not there has none. */
export async function readPieces(
  folder: string | undefined,
  file: string,
): Promise<AsyncIterable<Uint8Array>> {
  if (folder === undefined) throw new FailureError(FOLDER_GONE);
  const handle = await open(join(folder, file), READ);
  return handle.createReadStream({ highWaterMark: PIECE });
}

const FOLDER_GONE = transient(
  'STORE_FOLDER_GONE',
  'The folder of this series vanished while it was read. It is looked at again.',
);

/** Gives a file another name beside its own, over nothing. Gives that name. */
export async function setAside(folder: string, file: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const name = withSuffix(file, `changed${number === 1 ? '' : number}`);
    if (await giveName(join(folder, file), join(folder, name))) {
      await fsyncFolder(folder);
      return name;
    }
  }
}
