/** Files of a .tar, .tar.gz or .tgz, as it is read: nothing is written under the names that it gives. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { PassThrough, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { extract, type Header } from 'tar-stream';
import { messageOf } from '@scanflow/failure';
import { printable, versionOf, type Found, type Wanted } from './found.ts';
import { ArchiveError, ArchiveGuard, type ArchiveLimits } from './limits.ts';
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
    throw error instanceof ArchiveError ? error : new ArchiveError(`it cannot be read: ${messageOf(error)}`);
  } finally {
    file.destroy();
    unpacked.destroy();
  }
}
