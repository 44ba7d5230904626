/** What is sent, whatever it came out of: its name, its content, and the place for what an archive holds. */
import { createWriteStream, type Stats } from 'node:fs';
import { mkdtemp, rm, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { StoreItem } from '@scanflow/dimse';

export interface SeriesFacts {
  readonly seriesInstanceUid: string;
  readonly studyInstanceUid: string;
  readonly studyId: string;
  readonly seriesNumber: number | undefined;
  readonly seriesDescription: string;
}

/** A file's content: on disk, in memory, or elsewhere. */
interface Unpacked {
  readonly path?: string;
  readonly bytes?: Uint8Array;
  readonly open?: NonNullable<StoreItem['open']>;
  /** Frees it. Call it when the content is no longer needed. */
  readonly drop?: () => void;
}

export interface Found extends Unpacked {
  /** Identifies the file: the same file gets the same id at every pass. Readable for people. */
  readonly id: string;
  /** What was named on the command line, or the archive in a folder. */
  readonly source: string;
  /** Files with the same group are reported together: the folder or archive, or the folder of a single file. */
  readonly group: string;
  /** It came out of an archive. */
  readonly packed?: true;
  /** Facts of its series, if they are known without reading the file. */
  readonly facts?: SeriesFacts;
}

/**
 * Whether a file is wanted, by its id. A file that is not wanted is not read. An image in an archive or in Orthanc has a
 * `version`, which changes with its content.
 */
export type Wanted = (id: string, version?: string) => boolean;

/** A text that changes whenever a file is changed or replaced. */
export const versionOf = ({ size, mtimeMs, ctimeMs, ino }: Stats): string =>
  `${size} ${mtimeMs} ${ctimeMs} ${ino}`;

/** Files up to this size, in bytes, are kept in memory. */
const IN_MEMORY = 1_048_576;

/** Files of archives on their way: small ones in memory, large ones in a temporary folder until they are sent. */
export class Spool {
  #folder: Promise<string> | undefined;
  #count = 0;

  /**
   * Reads a file to its end. `count` gets the number of bytes of each piece; what it throws ends the reading.
   * Throws the errors of the stream and of the disk.
   */
  async take(stream: Readable, count: (bytes: number) => void): Promise<Unpacked> {
    const chunks: Buffer[] = [];
    let size = 0;
    const source = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    for (;;) {
      const next = await source.next();
      if (next.done === true) return { bytes: Buffer.concat(chunks) };
      count(next.value.length);
      chunks.push(next.value);
      size += next.value.length;
      if (size > IN_MEMORY) return this.#onDisk(chunks, source, count);
    }
  }

  /** Removes the folder, if there is one. */
  async close(): Promise<void> {
    if (this.#folder !== undefined) await rm(await this.#folder, { recursive: true, force: true });
  }

  async #onDisk(
    begun: readonly Buffer[],
    rest: AsyncIterator<Buffer>,
    count: (bytes: number) => void,
  ): Promise<Unpacked> {
    this.#folder ??= mkdtemp(join(tmpdir(), 'scanflow-send-'));
    // a name of ours: what an archive calls its files leads nowhere
    const path = join(await this.#folder, `${(this.#count += 1)}.dcm`);
    const all = async function* (): AsyncGenerator<Buffer, void, undefined> {
      yield* begun;
      for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
        count(next.value.length);
        yield next.value;
      }
    };
    await pipeline(all(), createWriteStream(path, { flags: 'wx', mode: 0o600 }));
    return { path, drop: () => void unlink(path).catch(() => undefined) };
  }
}

/** Why an archive cannot be read completely. The message follows the name of the archive. */
export class ArchiveError extends Error {
  override name = 'ArchiveError';
}
