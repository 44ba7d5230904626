/** Files of .zip, .tar, .tar.gz and .tgz, and the one file of another .gz. Nothing is written under the names in an archive. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { extract, type Header } from 'tar-stream';
import { openPromise, type ZipFile } from 'yauzl';
import { messageOf } from '@scanflow/failure';
import { ArchiveError, versionOf, type Found, type Spool, type Wanted } from './found.ts';

interface ArchiveOptions {
  readonly wanted: Wanted;
  readonly spool: Spool;
  readonly limits?: ArchiveLimits;
}

/**
 * Yields the files of a tar archive.
 *
 * @param zipped whether gzip has compressed it
 * @throws ArchiveError if it is broken or beyond the limits, with a message for people
 */
export async function* tarFiles(
  path: string,
  zipped: boolean,
  { wanted, spool, limits }: ArchiveOptions,
): AsyncGenerator<Found, void, undefined> {
  const found = await stat(path);
  const version = versionOf(found);
  const guard = new ArchiveGuard(found.size, limits);
  const entries = extract();
  const file = createReadStream(path, { highWaterMark: 262_144 });
  const unpacked = zipped ? file.pipe(createGunzip()) : file.pipe(new PassThrough());
  for (const stream of [file, unpacked]) stream.on('error', (error: Error) => entries.destroy(error));
  // skipped files count as well: they have to be unpacked, too
  unpacked.on('data', (chunk: Buffer) => {
    try {
      guard.unpacked(chunk.length);
    } catch (error) {
      entries.destroy(error as Error);
    }
  });
  unpacked.pipe(entries);
  let position = 0;
  try {
    for await (const entry of entries as AsyncIterable<Readable & { header: Header }>) {
      position += 1;
      guard.entry();
      const id = `${path}:${printable(entry.header.name)} (${position})`;
      if (entry.header.type === 'file' && wanted(id, version)) {
        const content = await spool.take(entry, () => undefined);
        yield { id, source: path, group: path, packed: true, ...content };
      } else entry.resume();
    }
  } catch (error) {
    throw archiveError(error);
  } finally {
    file.destroy();
    unpacked.destroy();
  }
}

/** Yields the one file of a .gz. Throws ArchiveError as `tarFiles` does. */
export async function* gzFile(
  path: string,
  { wanted, spool, limits }: ArchiveOptions,
): AsyncGenerator<Found, void, undefined> {
  const id = `${path}:${printable(basename(path).replace(/\.gz$/i, ''))}`;
  const found = await stat(path);
  const version = versionOf(found);
  if (!wanted(id, version)) return;
  const guard = new ArchiveGuard(found.size, limits);
  const file = createReadStream(path, { highWaterMark: 262_144 });
  const unpacked = createGunzip();
  file.on('error', (error: Error) => unpacked.destroy(error));
  try {
    const content = await spool.take(file.pipe(unpacked), (bytes) => guard.unpacked(bytes));
    yield { id, source: path, group: path, packed: true, ...content };
  } catch (error) {
    throw archiveError(error);
  } finally {
    file.destroy();
    unpacked.destroy();
  }
}

/** Yields the files of a .zip, by its directory. Throws ArchiveError as `tarFiles` does, also for an encrypted one. */
export async function* zipFiles(
  path: string,
  options: ArchiveOptions,
): AsyncGenerator<Found, void, undefined> {
  let zip: ZipFile | undefined;
  try {
    const found = await stat(path);
    const guard = new ArchiveGuard(found.size, options.limits);
    const archive = { path, version: versionOf(found), guard };
    // the library would refuse a whole archive for one name that leads elsewhere, so it does not decode names
    zip = await openPromise(path, { autoClose: false, decodeStrings: false });
    yield* filesOf(zip, archive, options);
  } catch (error) {
    throw archiveError(error);
  } finally {
    zip?.close();
  }
}

async function* filesOf(
  zip: ZipFile,
  { path, version, guard }: { readonly path: string; readonly version: string; readonly guard: ArchiveGuard },
  { wanted, spool }: ArchiveOptions,
): AsyncGenerator<Found, void, undefined> {
  let position = 0;
  for await (const entry of zip.eachEntry()) {
    position += 1;
    guard.entry();
    const name = entry.fileNameRaw.toString('utf8');
    const id = `${path}:${printable(name)} (${position})`;
    if (name.endsWith('/') || !wanted(id, version)) continue;
    if (entry.isEncrypted()) throw new ArchiveError('it is encrypted. Unpack it, and send the folder');
    const stream = await zip.openReadStreamPromise(entry);
    const content = await spool.take(stream, (bytes) => guard.unpacked(bytes));
    yield { id, source: path, group: path, packed: true, ...content };
  }
}

/** A name out of an archive, for people: without control characters, at most 200 characters. */
export const printable = (name: string): string => name.replaceAll(/[^\P{C}]/gu, '?').slice(-200);

/** Any error of reading an archive as ArchiveError. */
const archiveError = (error: unknown): ArchiveError =>
  error instanceof ArchiveError ? error : new ArchiveError(`it cannot be read: ${messageOf(error)}`);

/** Files in an archive. */
const ENTRIES = 1_000_000;
/** Bytes in it, unpacked. */
const BYTES = 512 * 1024 ** 3;
/** Bytes unpacked per byte packed; images compress to a third, empty ones perhaps to a hundredth. */
const RATIO = 200;
/** Below this many unpacked bytes, the ratio does not matter. */
const HARMLESS = 64 * 1024 ** 2;

/** What an archive may hold, so that a small one cannot fill memory or disk. */
interface ArchiveLimits {
  readonly entries: number;
  readonly bytes: number;
  readonly ratio: number;
}
const LIMITS: ArchiveLimits = { entries: ENTRIES, bytes: BYTES, ratio: RATIO };

/** Counts what comes out of an archive of `packed` bytes. Its methods throw ArchiveError beyond the limits. */
export class ArchiveGuard {
  readonly #packed: number;
  readonly #limits: ArchiveLimits;
  #entries = 0;
  #bytes = 0;

  constructor(packed: number, limits: ArchiveLimits = LIMITS) {
    this.#packed = packed;
    this.#limits = limits;
  }

  entry(): void {
    this.#entries += 1;
    if (this.#entries > this.#limits.entries)
      throw new ArchiveError(
        `it holds more than ${this.#limits.entries} files. Unpack it, and send the folder`,
      );
  }

  unpacked(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.#limits.bytes)
      throw new ArchiveError(
        `it unpacks to more than ${this.#limits.bytes} bytes. Unpack it, and send the folder`,
      );
    if (this.#bytes > HARMLESS && this.#bytes > this.#limits.ratio * this.#packed)
      throw new ArchiveError(
        `it unpacks to more than ${this.#limits.ratio} times its size, as no archive of images does. Look at where it came from`,
      );
  }
}
