/** Reads the body of an answer: decompressed, complete, and within the size limit. */
import { pipeline } from 'node:stream/promises';
import type { Duplex, Readable } from 'node:stream';
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from 'node:zlib';
import { Stop } from '../answer.ts';

/** The value of Accept-Encoding. */
export const ENCODINGS = 'gzip, deflate, br';
/** No calendar is compressed in more layers. */
const MOST_LAYERS = 2;
/** The first bytes that show how a body is compressed. */
const HEAD = 64;

interface BodyOptions {
  /** For messages. */
  readonly host: string;
  /** Content-Encoding, as it came. */
  readonly encoding: string | undefined;
  /** Limit of the result in bytes: a small compressed body may expand to a huge one. */
  readonly maxSize: number;
  /** Receives the body in pieces instead. */
  readonly take?: ((piece: Uint8Array) => void) | undefined;
}

type Bytes = AsyncIterable<Uint8Array>;

/** Reads a body to its end. Throws a Stop, or the error of a broken or damaged stream. */
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
  /** The codings of this layer and the layers inside it, the outermost first. */
  readonly names: readonly string[];
  readonly host: string;
  readonly maxSize: number;
  /** Layers that the client may still decode. */
  readonly left: number;
}

/**
 * Decodes one layer after the other. The bytes count more than the header: servers and the proxies
 * before them compress twice, not at all, or without a header.
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

/** A large compressed body may decode to nothing, so each layer has its own limit. */
async function* counted(source: Bytes, host: string, maxSize: number): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of source) {
    size += chunk.byteLength;
    if (size > maxSize) throw tooLarge(host, maxSize);
    yield chunk;
  }
}

/** The first bytes, and the whole stream. */
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

/** The bytes through a decoder. An error of the source ends it. */
async function* through(source: Bytes, unpacker: Duplex): AsyncGenerator<Uint8Array> {
  const feed = pipeline(source, unpacker);
  // reported by the unpacker, which it destroys
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
      // `deflate` means zlib (RFC 9110 8.4.1.2), but some servers send raw deflate; the first byte shows which
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

/** A compression that the client decodes. */
type Layer = 'gzip' | 'zstd' | 'br' | 'deflate';

const NAMES: Readonly<Record<string, Layer>> = {
  gzip: 'gzip',
  'x-gzip': 'gzip',
  zstd: 'zstd',
  br: 'br',
  deflate: 'deflate',
};
/** Registered codings (RFC 9110 8.4.1) that the client does not decode. Other words are no codings: UTF-8, none, 8bit. */
const OTHERS = new Set([
  ...['compress', 'x-compress', 'exi', 'pack200-gzip', 'aes128gcm'],
  ...['dcb', 'dcz'],
]);

const GZIP = [0x1f, 0x8b, 0x08];
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];

/** The codings in Content-Encoding, the outermost first. */
const listed = (encoding: string | undefined): string[] =>
  (encoding ?? '')
    .split(',')
    .map((name) =>
      name
        .replace(/;.*$/, '')
        .replaceAll(/["'\s]/g, '')
        .toLowerCase(),
    )
    .filter((name) => name in NAMES || OTHERS.has(name))
    .reverse();

/** The outermost layer of a body, by its first bytes; undefined for an uncompressed body. */
function layerOf(head: Uint8Array, [name]: readonly string[]): Layer | 'unknown' | undefined {
  if (begins(head, GZIP)) return 'gzip';
  if (begins(head, ZSTD)) return 'zstd';
  if (name === undefined || head.length === 0 || isText(head)) return undefined;
  return NAMES[name] ?? 'unknown';
}

const begins = (head: Uint8Array, magic: readonly number[]): boolean =>
  magic.every((byte, index) => head[index] === byte);

/** Compressed bytes soon contain control characters. */
function isText(head: Uint8Array): boolean {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return true;
  return head.every(
    (byte) => (byte >= 0x20 && byte < 0x7f) || byte === 0x0a || byte === 0x0d || byte === 0x09,
  );
}
