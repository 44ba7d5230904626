/** The body of an answer: unpacked, whole, and never larger than allowed. */
import { pipeline } from 'node:stream/promises';
import type { Duplex, Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { Stop } from './stop.ts';

/** What we can unpack; goes into Accept-Encoding. */
export const ENCODINGS = 'gzip, deflate, br';
/** A body packed more often than this is nobody's calendar. */
const MOST_LAYERS = 2;

export interface BodyOptions {
  /** For messages. */
  readonly host: string;
  /** Content-Encoding, as it came. */
  readonly encoding: string | undefined;
  /** Longest result in bytes: a small packed body may be a huge one. */
  readonly maxSize: number;
  /** Takes the body piece by piece instead. */
  readonly take?: ((piece: Uint8Array) => void) | undefined;
}

/** Reads a body to its end. Throws a Stop, or what the stream throws when it breaks off or is damaged. */
export async function readBody(body: Readable, options: BodyOptions): Promise<Uint8Array> {
  const { host, encoding, maxSize, take } = options;
  const layers = (encoding ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'identity')
    .reverse();
  if (layers.length > MOST_LAYERS) throw unknownEncoding(host);
  const chunks: Uint8Array[] = [];
  let size = 0;
  const collect = async (source: AsyncIterable<Uint8Array>): Promise<void> => {
    for await (const chunk of source) {
      size += chunk.byteLength;
      if (size > maxSize) throw tooLarge(host, maxSize);
      if (take === undefined) chunks.push(chunk);
      else take(chunk);
    }
  };
  await pipeline([body, bounded(host, maxSize), ...layers.flatMap((name) => unpackers(name, host)), collect]);
  return Buffer.concat(chunks);
}

/** A packed body may be large and hold nothing: no packing makes a body much larger. */
const bounded = (host: string, maxSize: number): Unpacker =>
  async function* count(source) {
    let size = 0;
    for await (const chunk of source) {
      size += chunk.byteLength;
      if (size > maxSize) throw tooLarge(host, maxSize);
      yield chunk;
    }
  };

type Unpacker = Duplex | ((source: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>);

function unpackers(name: string, host: string): Unpacker[] {
  switch (name) {
    case 'gzip':
    case 'x-gzip':
      return [createGunzip()];
    case 'deflate':
      return [inflater()];
    case 'br':
      return [createBrotliDecompress()];
    default:
      throw unknownEncoding(host);
  }
}

/** `deflate` means the zlib format (RFC 9110 8.4.1.2), but some servers send it bare: the first byte tells. */
const inflater = (): Unpacker =>
  async function* inflate(source) {
    const packed: Uint8Array[] = [];
    for await (const chunk of source) packed.push(chunk);
    const bytes = Buffer.concat(packed);
    const [first] = bytes;
    if (first === undefined) return;
    const unpacker = (first & 0x0f) === 8 ? createInflate() : createInflateRaw();
    unpacker.end(bytes);
    yield* unpacker as AsyncIterable<Uint8Array>;
  };

export const tooLarge = (host: string, maxSize: number): Stop =>
  new Stop(
    'permanent',
    'FETCH_TOO_LARGE',
    `The calendar of ${host} is larger than ${maxSize} bytes. Publish a shorter span of time, or raise maxSize.`,
  );

const unknownEncoding = (host: string): Stop =>
  new Stop(
    'permanent',
    'FETCH_ENCODING',
    `${host} packed the calendar in a way that is not known here. Let it send gzip, deflate, br or plain text.`,
  );
