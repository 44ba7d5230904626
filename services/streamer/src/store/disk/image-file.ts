/** One file: written aside, hashed, flushed, then given its name; never over other bytes. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, lstat, open, rename, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { asideName, fsyncFolder, absent } from '@scanflow/runtime';
import { FailureError, codeOf, permanent } from '@scanflow/failure';
import { withSuffix } from './names.ts';
import type { ImageFile, StillOurs } from '../types.ts';
import { reached } from '../../work/trace.ts';
import { giveFile, type Access } from './folders.ts';
import type { SpaceKeeper } from './space.ts';

/** Where a name is taken by other bytes: it gets another name beside them, or it is not stored. */
export type Collisions = 'beside' | 'fail';

export interface AsideFile extends ImageFile {
  /** False where the name is taken. */
  publishExactly(name: string): Promise<boolean>;
  /** Takes the place of what has that name: for the files that Scanflow itself writes anew. */
  publishOver(name: string): Promise<void>;
  /** Of what was written; ends the writing. */
  digest(): { readonly sha256: string; readonly bytes: number };
}

/** A file of Scanflow's own, whole or as it was; as it was where `stillOurs` throws. */
export async function writeOwn(
  folder: string,
  name: string,
  text: string | Iterable<string>,
  access: Access,
  stillOurs?: StillOurs,
): Promise<void> {
  const aside = await createImage(folder, access);
  try {
    for (const piece of typeof text === 'string' ? [text] : text) await aside.write(Buffer.from(piece));
    await stillOurs?.();
    await aside.publishOver(name);
  } finally {
    await aside.discard();
  }
  await fsyncFolder(folder);
}

export async function createImage(
  folder: string,
  access: Access,
  collisions: Collisions = 'beside',
): Promise<AsideFile> {
  const aside = asideName(join(folder, 'image'));
  const handle: FileHandle = await open(aside, 'wx', 0o660);
  const hash = createHash('sha256');
  let bytes = 0;
  let open_ = true;
  let named = false;
  const finish = async (): Promise<void> => {
    if (!open_) return;
    await giveFile(handle, access);
    await handle.sync();
    open_ = false;
    await handle.close();
  };
  const publishExactly = async (name: string): Promise<boolean> => {
    await finish();
    named = await giveName(aside, join(folder, name));
    return named;
  };
  return {
    write: async (chunk) => {
      hash.update(chunk);
      bytes += chunk.length;
      await writeAll(handle, chunk);
    },
    publishExactly,
    publishOver: async (name) => {
      await finish();
      await rename(aside, join(folder, name));
      named = true;
    },
    digest: () => ({ sha256: hash.digest('hex'), bytes }),
    publish: async (name) => {
      const sha256 = hash.digest('hex');
      await finish();
      reached('image-flushed');
      const image = { folder, name, sha256, bytes };
      return { file: await nameImage(image, collisions, publishExactly), sha256, bytes };
    },
    discard: async () => {
      if (open_) await handle.close();
      open_ = false;
      // gone already, it was cleared away by whoever has the series now
      if (!named) await unlink(aside).catch(absent);
    },
  };
}

/** One of so many bytes, where there is space for it: throws STORE_SPACE_FLOOR, and leaves nothing. */
export async function createWithin(
  space: SpaceKeeper,
  folder: string,
  bytes: number,
  access: Access,
  collisions: Collisions,
): Promise<ImageFile> {
  const promised = await space.promise(folder, bytes);
  try {
    const image = await createImage(folder, access, collisions);
    return {
      write: async (chunk) => {
        await image.write(chunk);
        await promised.wrote(chunk.length);
      },
      publish: (name) => image.publish(name),
      discard: () => {
        promised.end();
        return image.discard();
      },
    };
  } catch (error) {
    promised.end();
    throw error;
  }
}

async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let from = 0; from < chunk.length;)
    from += (await handle.write(chunk, from, chunk.length - from)).bytesWritten;
}

interface Unnamed {
  readonly folder: string;
  readonly name: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** Gives it its own name or, where that may be, one with its hash, if other bytes have that. Answers which. */
async function nameImage(
  { folder, name, sha256, bytes }: Unnamed,
  collisions: Collisions,
  publishExactly: (file: string) => Promise<boolean>,
): Promise<string> {
  const others = [withSuffix(name, sha256.slice(0, 12)), withSuffix(name, sha256)];
  for (const file of collisions === 'fail' ? [name] : [name, ...others]) {
    if (await publishExactly(file)) return file;
    if (await holds(join(folder, file), sha256, bytes)) return file;
  }
  throw new FailureError(collisions === 'fail' ? COLLISION : TAKEN);
}

const TAKEN = permanent('STORE_NAME_TAKEN', 'The name of an image is taken by another file. Move that away.');
const COLLISION = permanent(
  'STORE_COLLISION',
  'The name of an image is taken by other bytes, and storage.collisions is fail. Look which of the two is right, move the other away and retry the series; or let storage.layout distinguish them.',
);

const NO_HARD_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EINVAL']);

/** Gives a file another name. False where the name is taken: link() fails there, unlike rename(), which would take its place. */
export async function giveName(aside: string, path: string): Promise<boolean> {
  try {
    await link(aside, path);
    await unlink(aside);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    if (!NO_HARD_LINKS.has(codeOf(error) ?? '')) throw error;
  }
  // a file system without hard links: the folder has one writer, so looking first is enough
  if ((await lstat(path).catch(absent)) !== undefined) return false;
  await rename(aside, path);
  return true;
}

/** Whether the file is these bytes already. */
export async function holds(path: string, sha256: string, bytes: number): Promise<boolean> {
  const found = await lstat(path);
  if (!found.isFile() || found.size !== bytes) return false;
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex') === sha256;
}

/** Whether a stored image is there, and is what was stored. */
export const isStored = async (
  path: string,
  { sha256, bytes }: { readonly sha256: string; readonly bytes: number },
): Promise<boolean> => (await holds(path, sha256, bytes).catch(absent)) ?? false;
