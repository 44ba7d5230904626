/** A deflated data set (PS3.5 A.5): one raw deflate stream (RFC 1951) behind the file meta information. */
import { pipeline } from 'node:stream/promises';
import { constants, crc32, createDeflateRaw, createInflateRaw, inflateRawSync } from 'node:zlib';
import type { Transform } from 'node:stream';
import { DicomDecodeError } from './dataset.ts';

const isZlib = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && String(error.code).startsWith(code);

/** The stream is broken, or goes on for longer than it may. */
export class InflateError extends Error {
  override name = 'InflateError';
}

/**
 * What the first bytes of a stream give. `ended`: that is all of it. Undefined where it is more than `limit` bytes;
 * throws DicomDecodeError BAD_STRUCTURE for what is no deflate stream.
 */
export function inflateHead(
  stream: Uint8Array,
  limit: number,
): { readonly bytes: Uint8Array; readonly ended: boolean } | undefined {
  try {
    return { bytes: inflateRawSync(stream, { maxOutputLength: limit }), ended: true };
  } catch (error) {
    if (isZlib(error, 'ERR_BUFFER_TOO_LARGE')) return undefined;
    if (!isZlib(error, 'Z_BUF_ERROR')) throw broken(error);
  }
  try {
    const finishFlush = constants.Z_SYNC_FLUSH;
    return { bytes: inflateRawSync(stream, { maxOutputLength: limit, finishFlush }), ended: false };
  } catch (error) {
    if (isZlib(error, 'ERR_BUFFER_TOO_LARGE')) return undefined;
    throw broken(error);
  }
}

function broken(error: unknown): unknown {
  if (!isZlib(error, 'Z_')) return error;
  return new DicomDecodeError('BAD_STRUCTURE', 0, 'its deflated data set cannot be inflated');
}

/**
 * Inflates a stream as it comes, holding none of it. One NUL of padding may follow it, and a checksum as in gzip.
 * Throws InflateError once it is broken, has something else behind it, or gives more than `limit` bytes.
 */
export async function* inflating(
  chunks: AsyncIterable<Uint8Array>,
  limit: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const engine = createInflateRaw();
  const input = new Tail();
  const sum = { size: 0, crc: 0 };
  try {
    for await (const chunk of passed(input.of(chunks), engine)) {
      sum.size += chunk.length;
      sum.crc = crc32(chunk, sum.crc);
      if (sum.size > limit) throw new InflateError(`it inflates to more than ${limit} bytes`);
      yield chunk;
    }
  } catch (error) {
    throw isZlib(error, 'Z_') ? new InflateError('its deflated data set cannot be inflated') : error;
  }
  if (!isPadding(input, engine.bytesWritten, sum))
    throw new InflateError('something follows its deflated data set');
}

/** CRC-32 and length (RFC 1952 2.3.1), and NUL. */
const LONGEST_TAIL = 9;

/** Remembers the last bytes of what passes. */
class Tail {
  size = 0;
  bytes = Buffer.alloc(0);

  async *of(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of chunks) {
      this.size += chunk.length;
      this.bytes = Buffer.concat([this.bytes, chunk.subarray(-LONGEST_TAIL)]).subarray(-LONGEST_TAIL);
      yield chunk;
    }
  }
}

/** Whether what is behind the stream says nothing. Some programs write what belongs to gzip. */
function isPadding(input: Tail, read: number, sum: { readonly size: number; readonly crc: number }): boolean {
  const length = input.size - read;
  if (length > LONGEST_TAIL) return false;
  const behind = input.bytes.subarray(input.bytes.length - length);
  const gzip =
    length >= 8 && behind.readUInt32LE(0) === sum.crc && behind.readUInt32LE(4) === sum.size % 2 ** 32;
  const rest = gzip ? behind.subarray(8) : behind;
  return rest.length <= 1 && rest.every((byte) => byte === 0);
}

/** Deflates a data set as it comes, padded to an even number of bytes with NUL (PS3.5 A.5). */
export async function* deflating(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let size = 0;
  for await (const chunk of passed(chunks, createDeflateRaw())) {
    size += chunk.length;
    yield chunk;
  }
  if (size % 2 !== 0) yield new Uint8Array(1);
}

/** Chunks through an engine; an error on either side, or a reader that has had enough, ends both. */
async function* passed(
  chunks: AsyncIterable<Uint8Array>,
  engine: Transform,
): AsyncGenerator<Uint8Array, void, undefined> {
  const flow = pipeline(chunks, engine);
  // it shows while the engine is read
  flow.catch(() => undefined);
  for await (const chunk of engine as AsyncIterable<Uint8Array>) yield chunk;
  await flow;
}
