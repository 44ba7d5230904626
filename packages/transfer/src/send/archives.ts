/** Files of .zip, .tar, .tar.gz and .tgz, and the one file of another .gz. Nothing is written under the names in an archive. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { extract, type Header } from 'tar-stream';
import { openPromise, type ZipFile } from 'yauzl';
import {
  archiveError,
  ArchiveError,
  ArchiveGuard,
  printable,
  versionOf,
  type ArchiveLimits,
  type Found,
  type Spool,
  type Wanted,
} from './found.ts';

export interface ArchiveOptions {
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
