/** Files out of an archive, under names of ours in a folder of ours, within limits. */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { openPromise } from 'yauzl';

export type Packing = 'zip' | 'tar' | 'gzip';

/** For a person: why an archive was not read to its end. */
export class ArchiveTrouble extends Error {
  override name = 'ArchiveTrouble';
}

export interface Unpacked {
  readonly name: string;
  readonly path: string;
  readonly size: number;
}

/** Bytes that an archive may unpack to, for each byte of its own; below 64 MiB no matter. */
const RATIO = 200;
const HARMLESS = 64 * 1024 ** 2;

interface Options {
  readonly temp: string;
  readonly maxBytes: number;
  readonly maxFiles: number;
}

/** Yields the files; throws ArchiveTrouble where it is broken, encrypted or beyond the limits. */
export async function* unpack(
  path: string,
  packing: Packing,
  options: Options,
): AsyncGenerator<Unpacked, void, undefined> {
  const { size } = await stat(path);
  const limit = { left: Math.max(HARMLESS, RATIO * size), files: options.maxFiles };
  const spool = new Spool(await mkdtemp(join(options.temp, 'archive-')), limit, options.maxBytes);
  try {
    if (packing === 'zip') yield* zip(path, spool);
    else if (packing === 'tar') yield* tar(createReadStream(path), spool);
    else if (await holdsTar(path)) yield* tar(createReadStream(path).pipe(createGunzip()), spool);
    else
      yield await spool.take(
        basename(path).replace(/\.gz$/i, ''),
        createReadStream(path).pipe(createGunzip()),
      );
  } catch (error) {
    if (error instanceof ArchiveTrouble) throw error;
    throw new ArchiveTrouble(`The archive cannot be read: ${error instanceof Error ? error.message : ''}.`);
  }
}

class Spool {
  readonly #folder: string;
  readonly #limit: { left: number; files: number };
  readonly #maxBytes: number;
  #count = 0;

  constructor(folder: string, limit: { left: number; files: number }, maxBytes: number) {
    this.#folder = folder;
    this.#limit = limit;
    this.#maxBytes = maxBytes;
  }

  async take(name: string, stream: Readable): Promise<Unpacked> {
    this.#count += 1;
    if (this.#count > this.#limit.files) throw new ArchiveTrouble('It holds too many files. Unpack it.');
    const path = join(this.#folder, String(this.#count));
    let size = 0;
    const counted = new Transform({
      transform: (chunk: Buffer, _, done) => {
        size += chunk.length;
        this.#limit.left -= chunk.length;
        const isTooMuch = this.#limit.left < 0 || size > this.#maxBytes;
        done(
          isTooMuch ? new ArchiveTrouble('It unpacks to more than the limits allow. Unpack it.') : null,
          chunk,
        );
      },
    });
    await pipeline(stream, counted, createWriteStream(path, { flags: 'wx', mode: 0o600 }));
    return { name: name.replaceAll(/[^\P{C}]/gu, '?').slice(-200), path, size };
  }
}

async function* zip(path: string, spool: Spool): AsyncGenerator<Unpacked, void, undefined> {
  const archive = await openPromise(path, { autoClose: false, decodeStrings: false });
  try {
    for await (const entry of archive.eachEntry()) {
      const name = entry.fileNameRaw.toString('utf8');
      if (name.endsWith('/')) continue;
      if (entry.isEncrypted()) throw new ArchiveTrouble('It is encrypted. Unpack it.');
      yield await spool.take(name, await archive.openReadStreamPromise(entry));
    }
  } finally {
    archive.close();
  }
}

async function* tar(stream: Readable, spool: Spool): AsyncGenerator<Unpacked, void, undefined> {
  const entries = extract();
  stream.on('error', (error: Error) => entries.destroy(error));
  stream.pipe(entries);
  try {
    for await (const entry of entries) {
      if (entry.header.type === 'file')
        yield await spool.take(entry.header.name, entry as unknown as Readable);
      else entry.resume();
    }
  } finally {
    stream.destroy();
  }
}

/** Whether a .gz holds a tar: its first block says so. */
async function holdsTar(path: string): Promise<boolean> {
  const stream = createReadStream(path).pipe(createGunzip());
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    if ((size += chunk.length) >= 512) break;
  }
  return Buffer.concat(chunks).toString('latin1', 257, 262) === 'ustar';
}
