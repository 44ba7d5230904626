/**
 * Files of a .tar, .tar.gz or .tgz, as it is read, and the one file of another .gz. Nothing is written under the names that
 * an archive gives.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { extract, type Header } from 'tar-stream';
import { printable, versionOf, type Found, type Wanted } from './found.ts';
import { archiveError, ArchiveGuard, type ArchiveLimits } from './limits.ts';
import type { Spool } from './spool.ts';

export interface ArchiveOptions {
  readonly wanted: Wanted;
  readonly spool: Spool;
  readonly limits?: ArchiveLimits;
}

/** Yields its files. Throws ArchiveError, for a person to read, where it is broken or beyond the limits. */
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
  // what is skipped counts as well: it has to be unpacked to be passed over
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

/** Yields the file of a .gz. Throws ArchiveError, as tarFiles does. */
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
