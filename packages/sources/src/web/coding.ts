/** Finds how a body is compressed, by its first bytes and Content-Encoding. Pure. */

/** A compression that the client decodes. */
export type Layer = 'gzip' | 'zstd' | 'br' | 'deflate';

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
export const listed = (encoding: string | undefined): string[] =>
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
export function layerOf(head: Uint8Array, [name]: readonly string[]): Layer | 'unknown' | undefined {
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
