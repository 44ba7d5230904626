/** The body of an answer: unpacked, whole, and never larger than allowed. */
import { pipeline } from 'node:stream/promises';
import type { Duplex, Readable } from 'node:stream';
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from 'node:zlib';
import { layerOf, listed, type Layer } from './coding.ts';
import { Stop } from './stop.ts';

/** What we ask for; goes into Accept-Encoding. */
export const ENCODINGS = 'gzip, deflate, br';
/** A body packed more often than this is nobody's calendar. */
const MOST_LAYERS = 2;
/** What is looked at to tell how a body is packed. */
const HEAD = 64;

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

type Bytes = AsyncIterable<Uint8Array>;

/** Reads a body to its end. Throws a Stop, or what the stream throws when it breaks off or is damaged. */
export async function readBody(body: Readable, options: BodyOptions): Promise<Uint8Array> {
  const { host, encoding, maxSize, take } = options;
  const chunks: Uint8Array[] = [];
  const collect = async (source: Bytes): Promise<void> => {
    for await (const chunk of source)
      if (take === undefined) chunks.push(chunk);
      else take(chunk);
  };
  const names = listed(encoding);
  if (names.length > MOST_LAYERS) throw unknownEncoding(host);
  const plain = (source: Bytes): Bytes => unpacked(source, { names, host, maxSize, left: MOST_LAYERS });
  await pipeline([body, plain, collect]);
  return Buffer.concat(chunks);
}

interface Packed {
  /** What Content-Encoding says of this layer and those inside it, the outermost first. */
  readonly names: readonly string[];
  readonly host: string;
  readonly maxSize: number;
  /** Layers that may still be unpacked. */
  readonly left: number;
}

/**
 * Takes off one layer after the other. What the bytes are counts before what the header says: servers and what stands
 * before them pack twice, not at all, or without a word.
 */
async function* unpacked(source: Bytes, packed: Packed): AsyncGenerator<Uint8Array> {
  const { names, host, maxSize, left } = packed;
  const [head, whole] = await peek(counted(source, host, maxSize));
  const layer = layerOf(head, names);
  if (layer === 'unknown') throw unknownEncoding(host);
  if (layer === undefined) {
    yield* whole;
    return;
  }
  if (left === 0) throw unknownEncoding(host);
  const inside = through(whole, unpacker(layer, head));
  yield* unpacked(inside, { ...packed, names: names.slice(1), left: left - 1 });
}

/** A packed body may be large and hold nothing: each layer has its bound. */
async function* counted(source: Bytes, host: string, maxSize: number): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of source) {
    size += chunk.byteLength;
    if (size > maxSize) throw tooLarge(host, maxSize);
    yield chunk;
  }
}

/** The first bytes, and all of them. */
async function peek(source: AsyncGenerator<Uint8Array>): Promise<[Buffer, Bytes]> {
  const first: Uint8Array[] = [];
  let size = 0;
  while (size < HEAD) {
    const next = await source.next();
    if (next.done === true) break;
    first.push(next.value);
    size += next.value.byteLength;
  }
  const whole = async function* (): AsyncGenerator<Uint8Array> {
    try {
      yield* first;
      yield* source;
    } finally {
      await source.return(undefined);
    }
  };
  return [Buffer.concat(first).subarray(0, HEAD), whole()];
}

/** The bytes through an unpacker; what the source throws ends it. */
async function* through(source: Bytes, unpacker: Duplex): AsyncGenerator<Uint8Array> {
  const feed = pipeline(source, unpacker);
  // told by the unpacker, which it destroys
  feed.catch(() => undefined);
  try {
    for await (const chunk of unpacker as Bytes) yield chunk;
  } finally {
    unpacker.destroy();
  }
  await feed;
}

function unpacker(layer: Layer, head: Buffer): Duplex {
  switch (layer) {
    case 'gzip':
      return createGunzip();
    case 'zstd':
      return createZstdDecompress();
    case 'br':
      return createBrotliDecompress();
    case 'deflate':
      // it means the zlib format (RFC 9110 8.4.1.2), but some servers send it bare: the first byte tells
      return ((head[0] ?? 0) & 0x0f) === 8 ? createInflate() : createInflateRaw();
  }
}

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
