/** Files of a .zip, by its directory: nothing is written under the names that it gives. */
import { stat } from 'node:fs/promises';
import { openPromise, type ZipFile } from 'yauzl';
import { printable, versionOf, type Found } from './found.ts';
import { ArchiveError, archiveError, ArchiveGuard } from './limits.ts';
import type { ArchiveOptions } from './tar.ts';

/** Yields its files. Throws ArchiveError, for a person to read, where it is broken or beyond the limits. */
export async function* zipFiles(
  path: string,
  options: ArchiveOptions,
): AsyncGenerator<Found, void, undefined> {
  let zip: ZipFile | undefined;
  try {
    const found = await stat(path);
    const guard = new ArchiveGuard(found.size, options.limits);
    const archive = { path, version: versionOf(found), guard };
    // names are not decoded by the library, which would refuse an archive for a single one that leads elsewhere
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
