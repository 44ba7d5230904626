/** A deflated data set (PS3.5 A.5): one raw deflate stream (RFC 1951) behind the file meta information. */
import type * as Zlib from 'node:zlib';
import { isZlib, zlib } from './platform.ts';

/** The stream is broken, or goes on for longer than it may. */
export class InflateError extends Error {
  override name = 'InflateError';
}

/**
 * Inflates a stream as it comes, holding none of it. NULs of padding may follow it, and a checksum as in gzip.
 * Throws InflateError once it is broken, has something else behind it, or gives more than `limit` bytes.
 */
export async function* inflating(
  chunks: AsyncIterable<Uint8Array>,
  limit: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { crc32, createInflateRaw } = zlib();
  const engine = createInflateRaw();
  const rest = new Rest();
  const fed = feed(chunks, engine, rest);
  // an error of the source ends the engine, too: it shows while the engine is read
  fed.catch(() => undefined);
  const sum = { size: 0, crc: 0 };
  try {
    for await (const chunk of engine as AsyncIterable<Uint8Array>) {
      sum.size += chunk.length;
      sum.crc = crc32(chunk, sum.crc);
      if (sum.size > limit) throw new InflateError(`it inflates to more than ${limit} bytes`);
      yield chunk;
    }
    await fed;
  } catch (error) {
    throw isZlib(error, 'Z_') ? new InflateError('its deflated data set cannot be inflated') : error;
  }
  if (!rest.isPadding(sum)) throw new InflateError('something follows its deflated data set');
}

/**
 * Gives every chunk to the engine until its stream has ended, and what comes behind that to `rest`. The engine itself stops
 * to answer once its stream has ended, so that a pipeline would say of such a file that it was aborted.
 */
async function feed(chunks: AsyncIterable<Uint8Array>, engine: Zlib.InflateRaw, rest: Rest): Promise<void> {
  let given = 0;
  let wake = (): void => undefined;
  for (const event of ['end', 'close']) engine.once(event, () => wake());
  try {
    for await (const chunk of chunks) {
      // it takes all that it is given until its stream has ended
      if (given > engine.bytesWritten) {
        rest.add(chunk);
        continue;
      }
      if (engine.destroyed) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
        engine.write(chunk, () => resolve());
      });
      given += chunk.length;
      rest.add(chunk.subarray(chunk.length - (given - engine.bytesWritten)));
    }
    engine.end();
  } catch (error) {
    engine.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
}

/** CRC-32 and length (RFC 1952 2.3.1). */
const GZIP_TAIL = 8;

/** What is behind the stream: its first bytes, and whether all the others are NUL. */
class Rest {
  #first = Buffer.alloc(0);
  #zeros = true;

  add(bytes: Uint8Array): void {
    const missing = GZIP_TAIL - this.#first.length;
    if (missing > 0) this.#first = Buffer.concat([this.#first, bytes.subarray(0, missing)]);
    this.#zeros &&= bytes.subarray(missing).every((byte) => byte === 0);
  }

  /** Whether it says nothing. Some programs write what belongs to gzip, others fill up a block. */
  isPadding(sum: { readonly size: number; readonly crc: number }): boolean {
    const first = this.#first;
    const isGzip =
      first.length === GZIP_TAIL &&
      first.readUInt32LE(0) === sum.crc &&
      first.readUInt32LE(4) === sum.size % 2 ** 32;
    return this.#zeros && (isGzip || first.every((byte) => byte === 0));
  }
}

/** Deflates a data set as it comes, padded to an even number of bytes with NUL (PS3.5 A.5). */
export async function* deflating(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let size = 0;
  const engine = zlib().createDeflateRaw();
  const { pipeline } = await import('node:stream/promises');
  const flow = pipeline(chunks, engine);
  // an error on either side shows while the engine is read
  flow.catch(() => undefined);
  for await (const chunk of engine as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    yield chunk;
  }
  await flow;
  if (size % 2 !== 0) yield new Uint8Array(1);
}
