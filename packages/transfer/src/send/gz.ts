/** The one file of a .gz that is no .tar. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { createGunzip } from 'node:zlib';
import { printable, versionOf, type Found } from './found.ts';
import { ArchiveError, ArchiveGuard } from './limits.ts';
import { messageOf } from '@scanflow/failure';
import type { ArchiveOptions } from './tar.ts';

/** Yields it. Throws ArchiveError, for a person to read, where it is broken or beyond the limits. */
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
    throw error instanceof ArchiveError ? error : new ArchiveError(`it cannot be read: ${messageOf(error)}`);
  } finally {
    file.destroy();
    unpacked.destroy();
  }
}
