/** Which files are in Orthanc's storage folder, and which of them its index lists. Both in 16 bytes a file: there may be millions. */
import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '@scanflow/failure';
import { object, type OrthancClient } from '@scanflow/orthanc';

/** Name of a file in Orthanc's storage; it stands below its first two bytes: `ab/cd/abcdef01-…`. */
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const BYTES = 16;
const FIRST_ROOM = 64 * BYTES;
const FOLDERS = 256;

/** Names of files, packed by the first byte of the name. */
export class FileNames {
  readonly #parts = Array.from({ length: FOLDERS }, () => ({ bytes: Buffer.alloc(FIRST_ROOM), used: 0 }));
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Ignores a name that is none of Orthanc's. */
  add(name: string): void {
    if (!UUID.test(name)) return;
    const packed = Buffer.from(name.replaceAll('-', ''), 'hex');
    const part = this.#parts[packed[0] ?? 0];
    if (part === undefined) return;
    if (part.used === part.bytes.length)
      part.bytes = Buffer.concat([part.bytes, Buffer.alloc(part.bytes.length)]);
    packed.copy(part.bytes, part.used);
    part.used += BYTES;
    this.#size += 1;
  }

  /** The names below one of the 256 folders. */
  *below(folder: number): Generator<string> {
    const { bytes, used } = this.#parts[folder] ?? { bytes: Buffer.alloc(0), used: 0 };
    for (let at = 0; at < used; at += BYTES) {
      const hex = bytes.toString('hex', at, at + BYTES);
      yield hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    }
  }

  *[Symbol.iterator](): Generator<string> {
    for (let folder = 0; folder < FOLDERS; folder += 1) yield* this.below(folder);
  }
}

/** Where Orthanc keeps a file, below its storage folder. */
export const pathOf = (name: string): string => join(name.slice(0, 2), name.slice(2, 4), name);

/** Images at a time: Orthanc answers with 2 MB. */
const PAGE = 5_000;

/**
 * The files of all images that Orthanc lists. It may lack some: the pages shift when an image is deleted meanwhile, and other
 * attachments than the image itself are not listed. So a file that is not among them needs a look of its own.
 */
export async function listedFiles(
  client: OrthancClient,
  signal: AbortSignal,
  progress: (done: number, total: number) => void,
): Promise<FileNames> {
  const names = new FileNames();
  const add = ({ FileUuid: name }: Record<string, unknown>): void => names.add(String(name));
  await listImages(client, signal, add, progress);
  return names;
}

/** Visits what Orthanc lists of each image. */
async function listImages(
  client: OrthancClient,
  signal: AbortSignal,
  visit: (image: Record<string, unknown>) => void,
  progress: (done: number, total: number) => void,
): Promise<void> {
  const { CountInstances: count } = object(await client.json('/statistics', signal));
  const total = Number(count);
  for (let since = 0; ;) {
    const path = `/instances?expand&since=${since}&limit=${PAGE}`;
    let came = 0;
    await client.json(path, signal, undefined, (one) => {
      visit(object(one));
      came += 1;
      return null;
    });
    since += came;
    // also ends with an Orthanc that ignores `since`
    if (came === 0 || since > 2 * total + PAGE) return;
    progress(since, Math.max(total, since));
  }
}

/** What is in the storage folder. */
export interface Walked {
  /** Files that are not listed. */
  readonly unlisted: FileNames;
  readonly files: number;
  /** Files that are listed. */
  readonly listed: number;
  /** Names that are listed, and that the folder lacks. */
  readonly absent: FileNames;
}

/** Reads the names in Orthanc's storage folder; opens no file. */
export async function walkStorage(
  folder: string,
  listed: FileNames,
  signal: AbortSignal,
  progress: (done: number, total: number) => void,
): Promise<Walked> {
  const [unlisted, absent] = [new FileNames(), new FileNames()];
  let [files, found] = [0, 0];
  for (let first = 0; first < FOLDERS; first += 1) {
    signal.throwIfAborted();
    const prefix = first.toString(16).padStart(2, '0');
    const known = new Set(listed.below(first));
    for await (const second of entriesOf(join(folder, prefix))) {
      if (!/^[0-9a-f]{2}$/.test(second)) continue;
      for await (const name of entriesOf(join(folder, prefix, second))) {
        if (!UUID.test(name) || !name.startsWith(`${prefix}${second}`)) continue;
        files += 1;
        if (known.delete(name)) found += 1;
        else unlisted.add(name);
      }
    }
    for (const name of known) absent.add(name);
    progress(first + 1, FOLDERS);
  }
  return { unlisted, absent, files, listed: found };
}

/** An image that Orthanc knows, and whose file is gone. */
export interface Missing {
  /** Below the storage folder. */
  readonly file: string;
  readonly bytes: number;
  /** Orthanc's identifier. */
  readonly instance: string;
}

/** Those of the absent files that Orthanc lists still: the others were deleted meanwhile. */
export async function missingFiles(
  client: OrthancClient,
  folder: string,
  absent: FileNames,
  signal: AbortSignal,
): Promise<Missing[]> {
  if (absent.size === 0) return [];
  const names = new Set(absent);
  const listed: Missing[] = [];
  const visit = ({ FileUuid: name, FileSize: bytes, ID: id }: Record<string, unknown>): void => {
    // a page may list it again
    if (names.delete(String(name)))
      listed.push({ file: pathOf(String(name)), bytes: Number(bytes), instance: String(id) });
  };
  await listImages(client, signal, visit, () => undefined);
  const missing: Missing[] = [];
  for (const one of listed) if ((await fileAt(join(folder, one.file))) === undefined) missing.push(one);
  return missing;
}

/** Names in a folder, none if there is no such folder: Orthanc removes empty ones. */
async function* entriesOf(folder: string): AsyncGenerator<string> {
  try {
    for await (const { name } of await opendir(folder)) yield name;
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

/** Size and time of a file; undefined if it is gone, or no file. */
export async function fileAt(path: string): Promise<{ bytes: number; written: number } | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() ? { bytes: found.size, written: found.mtimeMs } : undefined;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
