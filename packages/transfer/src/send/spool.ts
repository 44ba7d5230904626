/** Files of archives on their way: small ones in memory, large ones in a folder of their own until they are sent. */
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Unpacked } from './found.ts';

/** Files up to this size, in bytes, are kept in memory. */
const IN_MEMORY = 1_048_576;

export class Spool {
  #folder: Promise<string> | undefined;
  #count = 0;

  /** Takes a file whole; `count` sees its bytes as they come, and may throw. */
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
