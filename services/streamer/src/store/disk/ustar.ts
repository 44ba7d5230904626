/**
 * Tape archives as POSIX.1-1988 has them (ustar), with an extended header (POSIX.1-2001, pax) where a name or a length
 * does not fit. Nothing in them depends on when, where or by whom they were written.
 */

const BLOCK = 512;
/** Eleven octal digits. */
const LONGEST_PLAIN = 0o77777777777;
const NAME_BYTES = 100;
const PREFIX_BYTES = 155;

/** What stands before a file's bytes. `path` is relative, with `/`. */
export function tarHeader(path: string, bytes: number): Buffer {
  const split = splitPath(path);
  if (split !== undefined && bytes <= LONGEST_PLAIN) return block(split, bytes, '0');
  const records = Buffer.from(
    [
      ...(split === undefined ? [paxRecord('path', path)] : []),
      ...(bytes > LONGEST_PLAIN ? [paxRecord('size', String(bytes))] : []),
    ].join(''),
  );
  return Buffer.concat([
    block({ name: 'extended-header', prefix: '' }, records.length, 'x'),
    records,
    tarPadding(records.length),
    // readers without pax see a name that is cut; all others take the one above
    block(split ?? { name: cut(path), prefix: '' }, Math.min(bytes, LONGEST_PLAIN), '0'),
  ]);
}

/** Zeros up to the end of the block that a file of this length begins. */
export const tarPadding = (bytes: number): Buffer => Buffer.alloc((BLOCK - (bytes % BLOCK)) % BLOCK);

/** Two empty blocks. */
export const TAR_END: Buffer = Buffer.alloc(2 * BLOCK);

interface SplitPath {
  readonly name: string;
  readonly prefix: string;
}

/** At a slash, so that both parts fit; undefined where there is no such place, or a name is not ASCII. */
function splitPath(path: string): SplitPath | undefined {
  if (/[^\x20-\x7e]/.test(path)) return undefined;
  if (path.length <= NAME_BYTES) return { name: path, prefix: '' };
  const at = path.indexOf('/', path.length - NAME_BYTES - 1);
  if (at <= 0 || at > PREFIX_BYTES || at === path.length - 1) return undefined;
  return { name: path.slice(at + 1), prefix: path.slice(0, at) };
}

const cut = (path: string): string => path.replaceAll(/[^\x20-\x7e]/g, '_').slice(-NAME_BYTES);

function block({ name, prefix }: SplitPath, bytes: number, type: '0' | 'x'): Buffer {
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0, 'ascii');
  header.write('0000644\0', 100, 'ascii');
  header.write('0000000\0', 108, 'ascii'); // user
  header.write('0000000\0', 116, 'ascii'); // group
  header.write(`${bytes.toString(8).padStart(11, '0')}\0`, 124, 'ascii');
  header.write('00000000000\0', 136, 'ascii'); // time
  header.write('        ', 148, 'ascii'); // the sum counts itself as spaces
  header.write(type, 156, 'ascii');
  header.write('ustar\x0000', 257, 'ascii');
  header.write('0000000\0', 329, 'ascii');
  header.write('0000000\0', 337, 'ascii');
  header.write(prefix, 345, 'ascii');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'ascii');
  return header;
}

/** `LENGTH key=value\n`, where LENGTH counts itself. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const bytes = Buffer.byteLength(rest);
  let length = bytes + String(bytes).length;
  if (bytes + String(length).length !== length) length = bytes + String(length).length;
  return `${length}${rest}`;
}
